"""The loop: work done by an algorithm → reports, and the guards against a training that goes wrong."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.divergence import DivergenceGuard
from w2v_cli.errors import CorpusError
from w2v_cli.evaluator import SetScore
from w2v_cli.learner import Advance, Learner
from w2v_cli.schedule import learning_rate_at
from w2v_cli.settings import Config

_REPORTS_PER_EPOCH = 20
_MOST_PAIRS_UNSEEN = 1 << 17  # a tenth of a second's, so that a training that diverges soon stops
Score = Callable[[NDArray[np.float32]], tuple[SetScore, ...]]  # vectors (V, D) -> their scores


@dataclass(frozen=True)
class Progress:
    """How far training is; sent some twenty times an epoch and at its end, where `epoch_mean_loss` is set.

    epoch: from 1; progress: share of all epochs done, 0 to 1; words_per_second: corpus words, those that subsampling
    drops included, wall clock, without the time that measuring takes; seconds_left: with that time; mean_loss: nats
    per positive pair, negatives included, since the last report; epoch_mean_loss: the same over the whole epoch. After
    an epoch, where they were asked for: validation_loss, the same on the held-out sentences, and scores.
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

    @property
    def scores(self) -> tuple[SetScore, ...]:
        """The scores of these vectors; none where none were asked for."""
        ends = [report for report in self.reports if report.epoch_mean_loss is not None]
        return next((report.scores for report in ends if report.epoch == self.epoch), ())


def train(
    corpus_words: int,
    config: Config,
    learner: Learner,
    on_progress: Callable[[Progress], None],
    score: Score | None = None,
) -> Trained:
    """Let the learner train to its end and return what it has learnt; corpus_words: the length of an epoch.

    score: takes the vectors after each epoch. Raises DivergedError where training leads nowhere (see divergence.py),
    CorpusError where no word has a context.
    """
    meter, best = _Meter(config, corpus_words, time.perf_counter()), _Best(config.training.patience)
    guard = DivergenceGuard(config)
    reports = []
    with contextlib.closing(learner.iterate_training()) as advances:
        for advance in advances:
            meter.add(advance)
            is_reported = advance.ends_epoch or meter.is_due()
            if is_reported or meter.is_full():
                guard.watch_loss(*meter.collect(), advance.epoch)
            if is_reported:
                guard.watch_vectors(learner, advance)
                report = meter.report(advance)
                if advance.ends_epoch:
                    with meter.paused():
                        measured = _measure(config, learner, score)
                    report = dataclasses.replace(report, seconds_left=meter.seconds_left(advance), **measured)
                reports.append(report)
                on_progress(report)
                if best.is_enough(report, learner):
                    break
    input_vectors, epoch = best.vectors_and_epoch(learner, reports[-1].epoch)
    guard.check_vectors(input_vectors, epoch - 1)
    return Trained(input_vectors, tuple(reports), meter.seconds, epoch)


def _measure(config: Config, learner: Learner, score: Score | None) -> dict[str, Any]:
    """Return what is to be known of the vectors after an epoch, as fields of Progress."""
    measured: dict[str, Any] = {}
    if config.training.validation > 0:
        measured["validation_loss"] = learner.validation_loss()
    if score is not None:
        measured["scores"] = score(learner.read_vectors())
    return measured


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
    """Sums the losses between reports and over the epoch; losses stay on the device until they are collected."""

    config: Config
    corpus_words: int
    _started: float
    _progress: float = 0.0
    _next_report: float = 0.0
    _unseen_loss: Any = 0.0
    _unseen_pairs: int = 0
    _recent_loss: float = 0.0
    _mean_loss: float = 0.0
    _recent_pairs: int = 0
    _epoch_loss: float = 0.0
    _epoch_pairs: int = 0
    _paused_seconds: float = 0.0
    _pauses: int = 0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started - self._paused_seconds

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the time of the block for no training."""
        started = time.perf_counter()
        yield
        self._paused_seconds += time.perf_counter() - started
        self._pauses += 1

    def seconds_left(self, advance: Advance) -> float:
        """Return the seconds that training will still take, its pauses after the epochs to come included."""
        epochs_to_come = self.config.training.epochs - advance.epoch - advance.ends_epoch
        a_pause = self._paused_seconds / max(self._pauses, 1)
        return self.seconds * (1 - self._progress) / self._progress + a_pause * epochs_to_come

    def add(self, advance: Advance) -> None:
        self._unseen_loss = self._unseen_loss + advance.loss_sum
        self._unseen_pairs += advance.pairs
        self._progress = advance.progress

    def is_full(self) -> bool:
        """Return whether there is much that was not collected."""
        return self._unseen_pairs >= _MOST_PAIRS_UNSEEN

    def collect(self) -> tuple[float, int]:
        """Return the loss and the pairs since the last call; this waits for a device."""
        loss, pairs = float(self._unseen_loss), self._unseen_pairs
        self._unseen_loss, self._unseen_pairs = 0.0, 0
        self._recent_loss += loss
        self._recent_pairs += pairs
        return loss, pairs

    def is_due(self) -> bool:
        return self._progress >= self._next_report

    def report(self, advance: Advance) -> Progress:
        """Return a report of everything that was collected since the last one."""
        loss, pairs = self._recent_loss, self._recent_pairs
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
            seconds_left=self.seconds_left(advance),
            learning_rate=learning_rate_at(progress, self.config.learning_rate, self.config.training.decay),
            mean_loss=self._mean_loss,
            epoch_mean_loss=self._epoch_loss / self._epoch_pairs if advance.ends_epoch else None,
        )
        self._recent_loss, self._recent_pairs = 0.0, 0
        self._next_report = progress + 1 / (_REPORTS_PER_EPOCH * epochs)
        if advance.ends_epoch:
            self._epoch_loss, self._epoch_pairs = 0.0, 0
        return result
