"""The loop: work done by an algorithm → reports, and the guards against a training that goes wrong."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import CorpusError, DivergedError
from w2v_cli.learner import Advance, Learner
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


@dataclass(frozen=True)
class Trained:
    """What training leaves: the input vectors on the host, (V, D) float32, and every report, in order.

    epoch: from 1, after which the vectors were as they are: the last, or with patience the one of the lowest held-out
    loss.
    """

    input_vectors: NDArray[np.float32]
    reports: tuple[Progress, ...]
    seconds: float
    epoch: int

    @property
    def epoch_losses(self) -> list[float]:
        """The mean loss of each epoch, nats per positive pair."""
        return [report.epoch_mean_loss for report in self.reports if report.epoch_mean_loss is not None]

    @property
    def validation_losses(self) -> list[float]:
        """The mean loss on the held-out sentences after each epoch; none where no sentences are held out."""
        return [report.validation_loss for report in self.reports if report.validation_loss is not None]


def train(corpus_words: int, config: Config, learner: Learner, on_progress: Callable[[Progress], None]) -> Trained:
    """Let the learner train to its end and return what it has learnt; corpus_words: the length of an epoch.

    Raises DivergedError where the loss or a vector is no longer finite, CorpusError where no word has a context.
    """
    meter, best = _Meter(config, corpus_words), _Best(config.training.patience)
    reports = []
    with contextlib.closing(learner.iterate_training()) as advances:
        for advance in advances:
            meter.add(advance)
            if advance.ends_epoch or meter.is_due():
                report = meter.report(advance)
                if advance.ends_epoch and config.training.validation > 0:
                    report = dataclasses.replace(report, validation_loss=learner.validation_loss())
                reports.append(report)
                on_progress(report)
                if best.is_enough(report, learner):
                    break
    input_vectors, epoch = best.vectors_and_epoch(learner, reports[-1].epoch)
    if not np.isfinite(input_vectors).all():
        raise meter.diverged(config.training.epochs - 1)
    return Trained(input_vectors, tuple(reports), meter.seconds, epoch)


@dataclass
class _Best:
    """Keeps the vectors of the lowest held-out loss where there is a patience that can come to its end."""

    patience: int | None
    _lowest: float = math.inf
    _epoch: int = 0
    _vectors: NDArray[np.float32] | None = None

    def is_enough(self, report: Progress, learner: Learner) -> bool:
        """Take in a report; return whether the held-out loss has not been lower for `patience` epochs."""
        if self.patience is None or report.validation_loss is None:
            return False
        if report.validation_loss < self._lowest:
            self._lowest, self._epoch = report.validation_loss, report.epoch
            self._vectors = None if report.epoch == report.epochs else learner.read_vectors().copy()
        return report.epoch - self._epoch >= self.patience

    def vectors_and_epoch(self, learner: Learner, last_epoch: int) -> tuple[NDArray[np.float32], int]:
        """Return the vectors to keep and the epoch (from 1) that made them."""
        if self._vectors is None:
            return learner.read_vectors(), last_epoch
        return self._vectors, self._epoch


@dataclass
class _Meter:
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
        return time.perf_counter() - self._started

    def add(self, advance: Advance) -> None:
        self._recent_loss = self._recent_loss + advance.loss_sum
        self._recent_pairs += advance.pairs
        self._progress = advance.progress

    def is_due(self) -> bool:
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
