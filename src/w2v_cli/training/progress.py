"""Progress of a training: the sums of its losses, and the reports made from them."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field

from w2v_cli.errors import CorpusError, option
from w2v_cli.evaluation import SetScore, contents_by_name
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import StepResult

_REPORTS_PER_EPOCH = 20
_MOST_PAIRS_UNSEEN = 1 << 17  # a tenth of a second's, so that a training that diverges soon stops

Number = Annotated[float, Field(ge=0, le=1e18)]  # a loss, a share or seconds: never NaN, never too large to add
Count = Annotated[int, Field(ge=0, le=1e18)]


@dataclass(frozen=True)
class Progress:
    """A report of a training: some twenty in an epoch, and one at its end, which has `epoch_mean_loss`.

    Attributes:
        epoch: from 1.
        epochs: epochs of the whole training.
        progress: share of all epochs done, 0 to 1.
        words_per_second: corpus words, including those that subsampling drops, by wall clock without the time of
            measuring.
        seconds_left: the estimated time to the end, with measuring.
        learning_rate: per example.
        mean_loss: nats per positive pair, negatives included, since the last report.
        epoch_mean_loss: the same over the epoch, at its end; None in other reports.
        validation_loss: the same on the held-out sentences, at the end of an epoch.
        scores: the scores of the vectors, at the end of an epoch.
        round: on a cluster, the round of the epoch, from 1.
        rounds: on a cluster, the rounds of an epoch.
        workers: on a cluster, the number of workers.
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

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON; at the end of an epoch it has another name and more fields."""
        names = ["epoch", "epochs", "progress", "words_per_second", "seconds_left", "learning_rate", "mean_loss"]
        if self.round is not None:
            names += ["round", "rounds", "workers"]
        ends_epoch = self.epoch_mean_loss is not None
        if ends_epoch:
            names += ["epoch_mean_loss", "validation_loss"]
        fields = {"event": "epoch" if ends_epoch else "progress", **{name: getattr(self, name) for name in names}}
        return fields | ({"scores": contents_by_name(self.scores)} if ends_epoch else {})


@dataclass
class LossSums:
    """The sums behind the reports, by the names of the snapshot format; losses in nats, and positive pairs.

    Attributes:
        unseen_loss: of the steps since the last `Meter.collect`; a scalar of the backend, because reading it waits for
            a device.
        unseen_pairs: of the same steps.
        recent_loss: collected since the last report.
        recent_pairs: collected since the last report.
        progress: share of all epochs done, 0 to 1.
        next_report: the progress at which the next report is due.
        mean_loss: the mean loss of the last report.
        epoch_loss: of the epoch until the last report.
        epoch_pairs: of the epoch until the last report.
    """

    progress: Number
    next_report: Number
    unseen_loss: Number
    unseen_pairs: Count
    recent_loss: Number
    mean_loss: Number
    recent_pairs: Count
    epoch_loss: Number
    epoch_pairs: Count

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @classmethod
    def zero(cls) -> Self:
        """Return the sums before the first step."""
        return cls(0.0, 0.0, 0.0, 0, 0.0, 0.0, 0, 0.0, 0)

    def read(self) -> Self:
        """Return a copy in Python's numbers; this waits for a device.

        Nothing is collected for it: floats would be added up in another order, and the mean loss of an epoch depend on
        when a snapshot was taken.
        """
        return dataclasses.replace(self, unseen_loss=float(self.unseen_loss), unseen_pairs=int(self.unseen_pairs))


class Meter:
    """Adds up the losses of steps and makes reports of them; what is on a device stays there until it is collected.

    Args:
        sums: those of the training's state, changed in place.
        seconds: of training by earlier runs.
    """

    def __init__(
        self, sums: LossSums, schedule: Schedule, *, epochs: int, corpus_words: int, seconds: float = 0.0
    ) -> None:
        self._sums = sums
        self._schedule = schedule
        self._epochs = epochs
        self._corpus_words = corpus_words
        self._started = time.perf_counter() - seconds
        self._paused_seconds = 0.0
        self._pauses = 0

    @property
    def seconds(self) -> float:
        """Seconds of training, those of earlier runs included."""
        return time.perf_counter() - self._started - self._paused_seconds

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of the block out of the seconds of training."""
        started = time.perf_counter()
        yield
        self._paused_seconds += time.perf_counter() - started
        self._pauses += 1

    def seconds_left(self, step: StepResult) -> float:
        """Return the seconds that training will still take, with the pauses after the epochs to come."""
        epochs_to_come = self._epochs - step.epoch - step.ends_epoch
        a_pause = self._paused_seconds / max(self._pauses, 1)
        return self.seconds * (1 - self._sums.progress) / self._sums.progress + a_pause * epochs_to_come

    @property
    def words(self) -> float:
        """Corpus words that were trained on, in all epochs."""
        return self._sums.progress * self._epochs * self._corpus_words

    def add(self, step: StepResult) -> None:
        """Add the loss and the pairs of a step."""
        self._sums.unseen_loss = self._sums.unseen_loss + step.loss_sum
        self._sums.unseen_pairs += step.pairs
        self._sums.progress = step.progress

    def is_full(self) -> bool:
        """Return whether much is not collected yet, as far as that is known without waiting for a device."""
        pairs: Any = self._sums.unseen_pairs  # a scalar of the backend
        return isinstance(pairs, int) and pairs >= _MOST_PAIRS_UNSEEN

    def collect(self) -> tuple[float, int]:
        """Return the loss and the pairs since the last call; this waits for a device."""
        sums = self._sums
        loss, pairs = float(sums.unseen_loss), int(sums.unseen_pairs)
        sums.unseen_loss, sums.unseen_pairs = 0.0, 0
        sums.recent_loss += loss
        sums.recent_pairs += pairs
        return loss, pairs

    def is_due(self) -> bool:
        """Return whether it is time for a report."""
        return self._sums.progress >= self._sums.next_report

    def report(self, step: StepResult) -> Progress:
        """Return a report of everything that was collected since the last one.

        Raises CorpusError at the end of an epoch without a single pair.
        """
        sums = self._sums
        if sums.recent_pairs:  # none since the last report if that one came just before the epoch's end
            sums.mean_loss = sums.recent_loss / sums.recent_pairs
        sums.epoch_loss += sums.recent_loss
        sums.epoch_pairs += sums.recent_pairs
        if step.ends_epoch and sums.epoch_pairs == 0:
            raise CorpusError(
                "no word of the corpus has a neighbour in its sentence, so there is nothing to learn from: "
                f"{option('sentences', 'stream')} lets windows run across lines, {option('subsample', 0)} keeps every "
                "word."
            )
        progress, seconds = sums.progress, self.seconds
        result = Progress(
            epoch=step.epoch + 1,
            epochs=self._epochs,
            progress=progress,
            words_per_second=progress * self._epochs * self._corpus_words / seconds,
            seconds_left=self.seconds_left(step),
            learning_rate=self._schedule.at(progress),
            mean_loss=sums.mean_loss,
            epoch_mean_loss=sums.epoch_loss / sums.epoch_pairs if step.ends_epoch else None,
            **({} if step.round is None else step.round.facts),
        )
        sums.recent_loss, sums.recent_pairs = 0.0, 0
        sums.next_report = progress + 1 / (_REPORTS_PER_EPOCH * self._epochs)
        if step.ends_epoch:
            sums.epoch_loss, sums.epoch_pairs = 0.0, 0
        return result
