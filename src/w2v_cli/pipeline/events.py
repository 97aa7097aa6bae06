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
    """Some bytes of the corpus were read.

    Attributes:
        done_bytes: bytes read so far.
        total_bytes: bytes in all, None if not known beforehand.
    """

    done_bytes: int
    total_bytes: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON; the log leaves it out, because there are many."""
        return {"event": "corpus_read", **asdict(self)}


@dataclass(frozen=True)
class CorpusScanned:
    """The corpus was counted and encoded.

    Attributes:
        words: occurrences found.
        different_words: different words found.
        vocabulary_size: V, the words that are trained on.
        kept_words: occurrences of those words.
        min_count: the occurrences that a word needs to be kept.
        sha256: the fingerprint of the text, in hexadecimal.
        notices: a line for each problem of the text, with references to settings that `errors.render` replaces.
        report: what was read and what was dropped.
        seconds: the time that the scan took.
    """

    words: int
    different_words: int
    vocabulary_size: int
    kept_words: int
    min_count: int
    sha256: str
    notices: tuple[str, ...]
    report: ScanReport
    seconds: float

    @classmethod
    def of(cls, corpus: ScannedCorpus, min_count: int, seconds: float) -> Self:
        """Return the event for a scanned corpus.

        Args:
            corpus: The scanned corpus.
            min_count: The setting that it was scanned with.
            seconds: The time that the scan took.
        """
        return cls(
            words=corpus.report.words,
            different_words=corpus.distinct_words,
            vocabulary_size=len(corpus.vocabulary),
            kept_words=corpus.vocabulary.kept_words,
            min_count=min_count,
            sha256=corpus.sha256,
            notices=corpus.warnings,
            report=corpus.report,
            seconds=seconds,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each problem of the text, which names settings as Python does."""
        return tuple(render(notice, as_keyword) for notice in self.notices)

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {
            "event": "corpus",
            "words": self.words,
            "different_words": self.different_words,
            "vocabulary": self.vocabulary_size,
            "kept_words": self.kept_words,
            "sha256": self.sha256,
            "warnings": list(self.warnings),
            "report": self.report.as_json(),
            "scan_seconds": self.seconds,
        }


@dataclass(frozen=True)
class TrainingResumed:
    """Training continues from a snapshot.

    Attributes:
        path: the snapshot.
        progress: share of the whole training done, 0 to 1.
        epoch: epochs completed.
        epochs: epochs of the whole training.
    """

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
    """Some words of the vocabulary start with the vectors of an older file.

    Attributes:
        name: the name of that file.
        matched: words that start with its vectors.
        words: V, the words of the vocabulary.
    """

    name: str
    matched: int
    words: int

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "initialised", "from": self.name, "matched": self.matched, "words": self.words}


@dataclass(frozen=True)
class VectorsSaved:
    """The vectors file is complete on disk.

    Attributes:
        path: the vectors file.
        vocabulary_size: V, the words in it.
        training_seconds: the time of training, without reading the corpus.
        progress: share of the training done, 0 to 1.
        is_complete: False if training was stopped early.
        epoch: the epoch that made the vectors, from 1.
        last_epoch: the last epoch trained, from 1.
        scores: the scores of these vectors.
        snapshot: the file for --resume, None if there is none.
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
        """Return the event for the vectors of a training.

        Args:
            path: The vectors file.
            vocabulary_size: V, the words in it.
            trained: The training.
            snapshot: The file for --resume, if there is one.
        """
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
