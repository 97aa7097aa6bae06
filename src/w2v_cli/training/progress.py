"""How far training is: the sums of its losses, and the reports that are made of them."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, TypeAdapter

from w2v_cli.config.schema import Config
from w2v_cli.errors import CorpusError, option
from w2v_cli.evaluation.per_epoch import SetScore
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import StepResult

_REPORTS_PER_EPOCH = 20
_MOST_PAIRS_UNSEEN = 1 << 17  # a tenth of a second's, so that a training that diverges soon stops
_NO_SUMS = {"started", "paused_seconds", "pauses"}


@dataclass(frozen=True)
class Progress:
    """How far training is; sent some twenty times an epoch and at its end, where `epoch_mean_loss` is set.

    epoch: from 1; progress: share of all epochs done, 0 to 1; words_per_second: corpus words, those that subsampling
    drops included, wall clock, without the time that measuring takes; seconds_left: with that time; mean_loss: nats
    per positive pair, negatives included, since the last report; epoch_mean_loss: the same over the whole epoch. After
    an epoch, where they were asked for: validation_loss, the same on the held-out sentences, and scores. On a cluster:
    the round of the epoch, from 1, of so many, and the workers.
    """

    epoch: int
    epochs: int
    progress: float
    words_per_second: float
    seconds_left: float
    learning_rate: float
    mean_loss: float
    epoch_mean_loss: float | None
    validation_loss: float | None = None
    scores: tuple[SetScore, ...] = ()
    round: int | None = None
    rounds: int | None = None
    workers: int | None = None

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return what dataclasses.asdict made into `fields`; raise ValueError for other names or other types."""
        return TypeAdapter(cls).validate_python(fields)


@dataclass
class Meter:
    """Sums the losses between reports and over the epoch; what is on a device stays there until it is collected."""

    config: Config
    corpus_words: int
    schedule: Schedule
    _started: float = field(default_factory=lambda: time.perf_counter())  # noqa: PLW0108  the clock of then
    _progress: float = 0.0
    _next_report: float = 0.0
    _unseen_loss: Any = 0.0
    _unseen_pairs: Any = 0
    _recent_loss: float = 0.0
    _mean_loss: float = 0.0
    _recent_pairs: int = 0
    _epoch_loss: float = 0.0
    _epoch_pairs: int = 0
    _paused_seconds: float = 0.0
    _pauses: int = 0

    @property
    def seconds(self) -> float:
        """Seconds of training, those before an interruption included."""
        return time.perf_counter() - self._started - self._paused_seconds

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the time of the block for no training."""
        started = time.perf_counter()
        yield
        self._paused_seconds += time.perf_counter() - started
        self._pauses += 1

    def seconds_left(self, advance: StepResult) -> float:
        """Return the seconds that training will still take, its pauses after the epochs to come included."""
        epochs_to_come = self.config.training.epochs - advance.epoch - advance.ends_epoch
        a_pause = self._paused_seconds / max(self._pauses, 1)
        return self.seconds * (1 - self._progress) / self._progress + a_pause * epochs_to_come

    @property
    def progress(self) -> float:
        """Share of the whole training that is done, 0 to 1."""
        return self._progress

    @property
    def words(self) -> float:
        """Corpus words that were trained on, in all epochs."""
        return self._progress * self.config.training.epochs * self.corpus_words

    def read_sums(self) -> dict[str, int | float]:
        """Return all numbers but the time, by name; this waits for a device.

        Nothing is collected for it: floats would be added up in another order, and the mean loss of an epoch depend on
        when a snapshot was taken.
        """
        numbers = {name: getattr(self, f"_{name}") for name in _sum_names()}
        return {name: int(number) if name.endswith("pairs") else float(number) for name, number in numbers.items()}

    def restore(self, sums: Mapping[str, int | float], seconds: float, epochs: int) -> None:
        """Go on with what `read_sums` returned in a training of so many epochs; raise TypeError for other names."""
        if sums.keys() != set(_sum_names()):
            raise TypeError(f"sums of {', '.join(sums)}")
        for name, number in sums.items():
            setattr(self, f"_{name}", number)
        self._started -= seconds
        if epochs != self.config.training.epochs:  # progress is counted anew
            self._progress *= epochs / self.config.training.epochs
            self._next_report = 0.0

    def add(self, advance: StepResult) -> None:
        """Add the loss and the pairs of an advance."""
        self._unseen_loss = self._unseen_loss + advance.loss_sum
        self._unseen_pairs += advance.pairs
        self._progress = advance.progress

    def is_full(self) -> bool:
        """Return whether there is much that was not collected, as far as that is known without waiting for a device."""
        return isinstance(self._unseen_pairs, int) and self._unseen_pairs >= _MOST_PAIRS_UNSEEN

    def collect(self) -> tuple[float, int]:
        """Return the loss and the pairs since the last call; this waits for a device."""
        loss, pairs = float(self._unseen_loss), int(self._unseen_pairs)
        self._unseen_loss, self._unseen_pairs = 0.0, 0
        self._recent_loss += loss
        self._recent_pairs += pairs
        return loss, pairs

    def is_due(self) -> bool:
        """Return whether it is time for a report."""
        return self._progress >= self._next_report

    def report(self, advance: StepResult) -> Progress:
        """Return a report of everything that was collected since the last one."""
        loss, pairs = self._recent_loss, self._recent_pairs
        if pairs:  # none since the last report where that one came just before the epoch's end
            self._mean_loss = loss / pairs
        self._epoch_loss += loss
        self._epoch_pairs += pairs
        if advance.ends_epoch and self._epoch_pairs == 0:
            raise CorpusError(
                "no word of the corpus has a neighbour in its sentence, so there is nothing to learn from: "
                f"{option('sentences', 'stream')} lets windows run across lines, {option('subsample', 0)} keeps every "
                "word."
            )
        progress, seconds = self._progress, self.seconds
        epochs = self.config.training.epochs
        result = Progress(
            epoch=advance.epoch + 1,
            epochs=epochs,
            progress=progress,
            words_per_second=progress * epochs * self.corpus_words / seconds,
            seconds_left=self.seconds_left(advance),
            learning_rate=self.schedule.at(progress),
            mean_loss=self._mean_loss,
            epoch_mean_loss=self._epoch_loss / self._epoch_pairs if advance.ends_epoch else None,
            **({} if advance.round is None else advance.round.facts),
        )
        self._recent_loss, self._recent_pairs = 0.0, 0
        self._next_report = progress + 1 / (_REPORTS_PER_EPOCH * epochs)
        if advance.ends_epoch:
            self._epoch_loss, self._epoch_pairs = 0.0, 0
        return result


def _sum_names() -> list[str]:
    """Return the names of the meter's sums, without their underscores."""
    names = [field.name.removeprefix("_") for field in dataclasses.fields(Meter) if field.name.startswith("_")]
    return [name for name in names if name not in _NO_SUMS]
