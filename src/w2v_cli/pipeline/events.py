"""What a training tells of itself on its way, in this order; the listener may show it, log it or collect it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from w2v_cli.cluster.pool import ClusterJoined, WorkerLost
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.corpus.report import ScanReport
from w2v_cli.corpus.scan import ScannedCorpus
from w2v_cli.pipeline.session import TrainingResumed, WordsInitialised
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.loop import Trained
from w2v_cli.training.progress import Progress


@dataclass(frozen=True)
class CorpusRead:
    """So many bytes of the corpus have been read; total_bytes: None where nobody knows them beforehand."""

    done_bytes: int
    total_bytes: int | None


@dataclass(frozen=True)
class CorpusScanned:
    """The corpus has been counted and encoded."""

    corpus: ScannedCorpus
    seconds: float


@dataclass(frozen=True)
class VectorsSaved:
    """The vectors file is complete on disk; snapshot: the file to go on from, where there is one."""

    path: Path
    vocabulary_size: int
    trained: Trained
    report: ScanReport
    snapshot: Path | None = None


Milestone = (
    ClusterJoined
    | CorpusFound
    | CorpusScanned
    | EngineLoaded
    | TrainingResumed
    | WordsInitialised
    | WorkerLost
    | Progress
    | VectorsSaved
)
Event = Milestone | CorpusRead  # of which there are many
OnEvent = Callable[[Event], None]
