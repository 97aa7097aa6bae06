"""How far training is: the sums of its losses, and the reports that are made of them."""

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from w2v_cli.errors import CorpusError, DivergedError
from w2v_cli.learner import Advance
from w2v_cli.schedule import learning_rate_at
from w2v_cli.settings import Config

_REPORTS_PER_EPOCH = 20


@dataclass(frozen=True)
class Progress:
    """How far training is; sent some twenty times an epoch and at its end, where `epoch_mean_loss` is set.

    epoch: from 1; progress: share of all epochs done, 0 to 1; words_per_second: corpus words, those that subsampling
    drops included, wall clock; mean_loss: nats per positive pair, negatives included, since the last report;
    epoch_mean_loss: the same over the whole epoch; validation_loss: the same on the held-out sentences, where there are
    any, after an epoch.
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


@dataclass
class Meter:
    """Sums the losses between reports and over the epoch; losses stay on the device until a report asks for them."""

    config: Config
    corpus_words: int
    _started: float = field(default_factory=time.perf_counter)
    _progress: float = 0.0
    _next_report: float = 0.0
    _recent_loss: float = 0.0
    _mean_loss: float = 0.0
    _recent_pairs: int = 0
    _epoch_loss: float = 0.0
    _epoch_pairs: int = 0

    @property
    def seconds(self) -> float:
        """Seconds of training, those before an interruption included."""
        return time.perf_counter() - self._started

    @property
    def progress(self) -> float:
        """Share of the whole training that is done, 0 to 1."""
        return self._progress

    @property
    def words(self) -> float:
        """Corpus words that were trained on, in all epochs."""
        return self._progress * self.config.training.epochs * self.corpus_words

    def read_sums(self, epoch: int) -> dict[str, int | float]:
        """Return all numbers but the time, by name; raise DivergedError where the loss is not finite."""
        if not math.isfinite(self._recent_loss):
            raise self.diverged(epoch)
        numbers = {name: getattr(self, f"_{name}") for name in _sum_names()}
        return {name: number if isinstance(number, int) else float(number) for name, number in numbers.items()}

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

    def add(self, advance: Advance) -> None:
        """Add the loss and the pairs of an advance."""
        self._recent_loss = self._recent_loss + advance.loss_sum
        self._recent_pairs += advance.pairs
        self._progress = advance.progress

    def is_due(self) -> bool:
        """Return whether it is time for a report."""
        return self._progress >= self._next_report

    def report(self, advance: Advance) -> Progress:
        """Return a report of everything since the last one; raise DivergedError where the loss is not finite."""
        loss, pairs = float(self._recent_loss), self._recent_pairs
        if not math.isfinite(loss):
            raise self.diverged(advance.epoch)
        if pairs:  # none since the last report where that one came just before the epoch's end
            self._mean_loss = loss / pairs
        self._epoch_loss += loss
        self._epoch_pairs += pairs
        if advance.ends_epoch and self._epoch_pairs == 0:
            raise CorpusError(
                "no word of the corpus has a neighbour in its sentence, so there is nothing to learn from: "
                "--set corpus.sentences=stream lets windows run across lines, --subsample 0 keeps every word."
            )
        progress, seconds = self._progress, self.seconds
        epochs = self.config.training.epochs
        result = Progress(
            epoch=advance.epoch + 1,
            epochs=epochs,
            progress=progress,
            words_per_second=progress * epochs * self.corpus_words / seconds,
            seconds_left=seconds * (1 - progress) / progress,
            learning_rate=learning_rate_at(progress, self.config.learning_rate, self.config.training.decay),
            mean_loss=self._mean_loss,
            epoch_mean_loss=self._epoch_loss / self._epoch_pairs if advance.ends_epoch else None,
        )
        self._recent_loss, self._recent_pairs = 0.0, 0
        self._next_report = progress + 1 / (_REPORTS_PER_EPOCH * epochs)
        if advance.ends_epoch:
            self._epoch_loss, self._epoch_pairs = 0.0, 0
        return result

    def diverged(self, epoch: int) -> DivergedError:
        """Return the error of a training that left the finite numbers."""
        training = self.config.training
        cure = f" or a smaller training.batch_size ({training.batch_size})" if training.algorithm == "minibatch" else ""
        return DivergedError(
            f"the loss is no longer a finite number in epoch {epoch + 1} at learning rate "
            f"{self.config.learning_rate:g}: nothing was written; try a lower --learning-rate{cure}."
        )


def _sum_names() -> list[str]:
    """Return the names of the meter's numbers, without their underscores: all but the time."""
    return [f.name.removeprefix("_") for f in dataclasses.fields(Meter) if f.name[0] == "_" and f.name != "_started"]
