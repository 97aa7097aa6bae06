"""The events of a training, in the order in which they come.

A listener may show them, log them or collect them: none holds a matrix or a text. Each is JSON-able by `as_json`, whose
`event` is its name in the log (docs/reference/log.md).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from w2v_cli.cluster.pool import ClusterJoined, WorkerLost
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.corpus.report import ScanReport
from w2v_cli.corpus.scan import ScannedCorpus
from w2v_cli.errors import as_keyword, render
from w2v_cli.evaluation import SetScore, contents_by_name
from w2v_cli.training import EngineLoaded, Progress, Trained


@dataclass(frozen=True)
class CorpusRead:
    """Some bytes of the corpus were read; total_bytes: None if they are not known beforehand."""

    done_bytes: int
    total_bytes: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON; the log leaves it out, because there are many."""
        return {"event": "corpus_read", **asdict(self)}


@dataclass(frozen=True)
class CorpusScanned:
    """The corpus was counted and encoded.

    words, different_words: occurrences and different words found. vocabulary_size, kept_words: those that are trained
    on. sha256: the fingerprint of the text. warnings: a line for each problem of the text; `errors.render`
    names the settings in it.
    """

    words: int
    different_words: int
    vocabulary_size: int
    kept_words: int
    sha256: str
    warnings: tuple[str, ...]
    report: ScanReport
    seconds: float

    @classmethod
    def of(cls, corpus: ScannedCorpus, seconds: float) -> Self:
        """Return the event for a corpus that was scanned in so many seconds."""
        return cls(
            words=corpus.report.words,
            different_words=corpus.distinct_words,
            vocabulary_size=len(corpus.vocabulary),
            kept_words=corpus.vocabulary.kept_words,
            sha256=corpus.sha256,
            warnings=corpus.warnings,
            report=corpus.report,
            seconds=seconds,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {
            "event": "corpus",
            "words": self.words,
            "different_words": self.different_words,
            "vocabulary": self.vocabulary_size,
            "kept_words": self.kept_words,
            "sha256": self.sha256,
            "warnings": [render(warning, as_keyword) for warning in self.warnings],
            "report": self.report.as_json(),
            "scan_seconds": self.seconds,
        }


@dataclass(frozen=True)
class TrainingResumed:
    """Training continues from a snapshot; progress: the share of it that is done, 0 to 1; epoch: whole ones done."""

    path: Path
    progress: float
    epoch: int
    epochs: int

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        done = {"progress": self.progress, "epoch": self.epoch, "epochs": self.epochs}
        return {"event": "resumed", "snapshot": str(self.path), **done}


@dataclass(frozen=True)
class WordsInitialised:
    """Some words of the vocabulary start with the vectors of an older file; name: the file's."""

    name: str
    matched: int
    words: int

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "initialised", "from": self.name, "matched": self.matched, "words": self.words}


@dataclass(frozen=True)
class VectorsSaved:
    """The vectors file is complete on disk.

    vocabulary_size: the words in it. training_seconds: without reading the corpus. progress: share of the training
    done, 0 to 1. is_complete: False if training was stopped early. epoch: from 1, the one that made the vectors;
    last_epoch: the last one trained. scores: those of these vectors. snapshot: the file for --resume, if there is one.
    """

    path: Path
    vocabulary_size: int
    training_seconds: float
    progress: float
    is_complete: bool
    epoch: int
    last_epoch: int
    scores: tuple[SetScore, ...] = ()
    snapshot: Path | None = None

    @classmethod
    def of(cls, path: Path, vocabulary_size: int, trained: Trained, snapshot: Path | None) -> Self:
        """Return the event for the vectors of a training."""
        return cls(
            path,
            vocabulary_size,
            trained.seconds,
            trained.progress,
            trained.is_complete,
            trained.epoch,
            trained.reports[-1].epoch,
            trained.scores,
            snapshot,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {
            "event": "saved",
            "path": str(self.path),
            "snapshot": None if self.snapshot is None else str(self.snapshot),
            "words": self.vocabulary_size,
            "training_seconds": self.training_seconds,
            "scores": contents_by_name(self.scores),
            "progress": self.progress,
            "is_complete": self.is_complete,
            "epoch": self.epoch,
        }


Event = (
    ClusterJoined
    | CorpusFound
    | CorpusRead
    | CorpusScanned
    | EngineLoaded
    | TrainingResumed
    | WordsInitialised
    | WorkerLost
    | Progress
    | VectorsSaved
)
OnEvent = Callable[[Event], None]
