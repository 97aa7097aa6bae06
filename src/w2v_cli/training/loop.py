"""The training loop: steps of a trainer become reports, scores and snapshots, until training ends."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import TrainingSettings
from w2v_cli.errors import DivergedError, StorageError, W2vError
from w2v_cli.evaluation import SetScore
from w2v_cli.training.divergence import DivergenceGuard
from w2v_cli.training.progress import Meter, Progress
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.snapshot_writer import SnapshotWriter
from w2v_cli.training.state import BEST_VECTORS, TrainerState
from w2v_cli.training.trainer import StepResult, Trainer

Score = Callable[[NDArray[np.float32]], tuple[SetScore, ...]]  # vectors (V, D) -> their scores


@dataclass(frozen=True)
class Trained:
    """The result of a training.

    Attributes:
        input_vectors: (V, D) float32, on the host.
        reports: every report, in order.
        seconds: the time of training.
        epoch: the epoch that made the vectors, from 1: the last, or with patience that of the lowest held-out loss.
        whole_epochs: epochs completed.
        progress: share of the training done, 0 to 1.
        is_complete: False if training was stopped early.
        scores: the scores of these vectors; empty if no sets were given, or if training was stopped within an epoch.
    """

    input_vectors: NDArray[np.float32]
    reports: tuple[Progress, ...]
    seconds: float
    epoch: int
    whole_epochs: int
    progress: float = 1.0
    is_complete: bool = True
    scores: tuple[SetScore, ...] = ()

    @property
    def epoch_losses(self) -> list[float]:
        """The mean loss of each epoch, nats per positive pair."""
        return [report.epoch_mean_loss for report in self.reports if report.epoch_mean_loss is not None]

    @property
    def validation_losses(self) -> list[float]:
        """The mean loss on the held-out sentences after each epoch; none if no sentences are held out."""
        return [report.validation_loss for report in self.reports if report.validation_loss is not None]


def fit(
    trainer: Trainer,
    corpus_words: int,
    training: TrainingSettings,
    schedule: Schedule,
    guard: DivergenceGuard,
    on_progress: Callable[[Progress], None],
    *,
    score: Score | None = None,
    state: TrainerState | None = None,
    writer: SnapshotWriter | None = None,
    is_stop_wanted: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train until all epochs are done, patience has run out or a stop is wanted; return what was learnt.

    Args:
        trainer: The algorithm with its corpus and matrices, prepared.
        corpus_words: The words of an epoch, for the speed.
        training: The settings epochs, validation and patience.
        schedule: The learning rate that the trainer uses, for the reports.
        guard: Watches losses and vectors, and stops a training that diverges.
        on_progress: Called with each report, some twenty times an epoch and at its end.
        score: Scores the vectors after each epoch.
        state: The state of an earlier run, to which the trainer is already restored. None starts from the beginning.
        writer: Takes snapshots when they are due, and one at the end.
        is_stop_wanted: Asked after each step; once true, training stops as soon as the trainer is drained.

    Returns:
        The vectors and reports. `is_complete` is False if a stop was wanted before the end.

    Raises:
        DivergedError: A loss or the vectors left all bounds.
        CorpusError: No word has a neighbour in its sentence.
        StorageError: A snapshot cannot be written.
    """
    loop = _Loop(trainer, corpus_words, training, schedule, guard, score, state or TrainerState.at_start())
    if writer is not None:
        writer.begin(trainer.read_state(), loop.meter.words)
    is_stopping = False
    with (
        contextlib.closing(trainer.steps(loop.state.position)) as steps,
        _last_state_kept(loop, writer),
    ):
        for step in () if loop.is_finished else steps:
            loop.take_in(step, on_progress)
            is_stopping = is_stopping or is_stop_wanted()
            if loop.is_finished or (is_stopping and step.is_drained):
                break
            if is_stopping or (writer is not None and writer.is_due(loop.meter.words, ends_epoch=step.ends_epoch)):
                if not step.is_drained:
                    trainer.drain()
                elif writer is not None:
                    loop.take_snapshot(writer)
    trained = loop.trained()
    if writer is not None:
        loop.take_snapshot(writer, is_last=True)
    return trained


@contextlib.contextmanager
def _last_state_kept(loop: "_Loop", writer: SnapshotWriter | None) -> Iterator[None]:
    """Save a snapshot of the last step if the next one fails, as a round of a cluster may."""
    try:
        yield
    except W2vError as error:
        if writer is not None and loop.state.reports and loop.is_whole and not isinstance(error, DivergedError):
            with contextlib.suppress(StorageError):  # the first error is the one to report
                loop.take_snapshot(writer, is_last=True)
        raise


class _Loop:
    """The state of a training, and the trainer, guard and writer that work on it.

    is_whole: the state is that after a step with all its measurements, so that a snapshot may be taken.
    """

    def __init__(
        self,
        trainer: Trainer,
        corpus_words: int,
        training: TrainingSettings,
        schedule: Schedule,
        guard: DivergenceGuard,
        score: Score | None,
        state: TrainerState,
    ) -> None:
        self.trainer = trainer
        self.training = training
        self.guard = guard
        self.score = score
        self.state = state
        self.meter = Meter(
            state.sums, schedule, epochs=training.epochs, corpus_words=corpus_words, seconds=state.seconds
        )
        self.is_whole = True

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to train: all epochs are done, or patience has run out."""
        return self.state.is_over or self.state.position.epoch >= self.training.epochs

    def take_in(self, step: StepResult, on_progress: Callable[[Progress], None]) -> None:
        """Add up a step, and report if that is due."""
        self.is_whole = False
        self.meter.add(step)
        self.state.position = step.after
        is_reported = step.ends_epoch or self.meter.is_due()
        if is_reported or self.meter.is_full():
            self.guard.watch_loss(*self.meter.collect(), step.epoch)
        if is_reported:
            self.guard.watch_vectors(self.trainer, step)
            report = self.meter.report(step)
            if step.ends_epoch:
                with self.meter.paused():
                    measured = self._measure()
                report = dataclasses.replace(report, seconds_left=self.meter.seconds_left(step), **measured)
            self.state.reports.append(report)
            on_progress(report)
            self.state.is_over = self._is_patience_over(report)
        self.is_whole = True

    def _measure(self) -> dict[str, Any]:
        """Return the measurements after an epoch, as fields of Progress."""
        measured: dict[str, Any] = {}
        if self.training.validation > 0:
            measured["validation_loss"] = self.trainer.validation_loss()
        if self.score is not None:
            measured["scores"] = self.score(self.trainer.read_vectors())
        return measured

    def _is_patience_over(self, report: Progress) -> bool:
        """Return whether the held-out loss was not lower for `patience` epochs; keep the vectors of the lowest."""
        patience, loss, state = self.training.patience, report.validation_loss, self.state
        if patience is None or loss is None:
            return False
        if loss < (math.inf if state.lowest_loss is None else state.lowest_loss):
            state.lowest_loss, state.best_epoch = loss, report.epoch
            is_last = report.epoch == report.epochs  # then the trainer keeps them
            state.arrays = {} if is_last else {BEST_VECTORS: self.trainer.read_vectors().copy()}
        return report.epoch - state.best_epoch >= patience

    def trained(self) -> Trained:
        """Return what has been learnt so far."""
        state, last = self.state, self.state.reports[-1]
        best = state.best_vectors
        input_vectors, epoch = (self.trainer.read_vectors(), last.epoch) if best is None else (best, state.best_epoch)
        self.guard.check_vectors(input_vectors, last.epoch - 1)
        return Trained(
            input_vectors,
            tuple(state.reports),
            self.meter.seconds,
            epoch,
            state.position.epoch,
            progress=state.sums.progress,
            is_complete=self.is_finished,
            scores=self._scores_after(epoch),
        )

    def _scores_after(self, epoch: int) -> tuple[SetScore, ...]:
        """Return the scores of the vectors after an epoch (from 1); none for those of a training stopped within one."""
        if self.state.best_vectors is None and self.state.position.done > 0:
            return ()
        ends = [report for report in self.state.reports if report.epoch_mean_loss is not None]
        return next((report.scores for report in ends if report.epoch == epoch), ())

    def take_snapshot(self, writer: SnapshotWriter, *, is_last: bool = False) -> None:
        """Hand the state to the writer, which checks and writes it; only while the trainer is drained.

        is_last: the trainer trains no more.
        """
        kept = self.state.as_kept(self.trainer.read_state(), self.meter.seconds)
        self.guard.check_loss(kept.sums.unseen_loss, self.state.reports[-1].epoch - 1)
        writer.take(kept, self.meter.words, is_last=is_last)
