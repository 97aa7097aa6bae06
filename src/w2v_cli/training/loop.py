"""The loop: work done by an algorithm → reports and snapshots, and the guards against a training that goes wrong."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config
from w2v_cli.errors import DivergedError, StorageError, VectorsError, W2vError
from w2v_cli.evaluation.per_epoch import SetScore
from w2v_cli.training.divergence import DivergenceGuard
from w2v_cli.training.loop_state import LoopState
from w2v_cli.training.patience import EarlyStopping
from w2v_cli.training.progress import Meter, Progress
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.snapshot import BEST_VECTORS, shortened
from w2v_cli.training.snapshot_writer import SnapshotWriter
from w2v_cli.training.trainer import BEGINNING, Position, StepResult, Trainer

__all__ = ["Progress", "Resumed", "Trained", "train"]

Score = Callable[[NDArray[np.float32]], tuple[SetScore, ...]]  # vectors (V, D) -> their scores


@dataclass(frozen=True)
class Trained:
    """What training leaves: the input vectors on the host, (V, D) float32, and every report, in order.

    epoch: from 1, after which the vectors were as they are: the last, or with patience the one of the lowest held-out
    loss. is_complete: False where training was stopped early, after so many whole epochs; progress: 0 to 1. scores:
    those of these vectors; none where none were asked for, or where training was stopped within an epoch.
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
        """The mean loss on the held-out sentences after each epoch; none where no sentences are held out."""
        return [report.validation_loss for report in self.reports if report.validation_loss is not None]


@dataclass(frozen=True)
class Resumed:
    """Where an earlier run of the same training came to; best_vectors: what it kept for patience, (V, D)."""

    point: Position
    loop: LoopState
    best_vectors: NDArray[np.float32] | None = None


def train(
    corpus_words: int,
    config: Config,
    trainer: Trainer,
    on_progress: Callable[[Progress], None],
    *,
    score: Score | None = None,
    resumed: Resumed | None = None,
    keeper: SnapshotWriter | None = None,
    is_stop_wanted: Callable[[], bool] = lambda: False,
) -> Trained:
    """Let the trainer train to its end and return what it has learnt; corpus_words: the length of an epoch.

    score: takes the vectors after each epoch. resumed: go on from there; the trainer has that state already.
    is_stop_wanted: asked after each advance; where it says so, training stops as soon as it is at rest.
    Raises DivergedError where training leads nowhere (see divergence.py), CorpusError where no word has a context, and
    what the keeper raises.
    """
    meter, best, guard = (
        Meter(config, corpus_words, Schedule.of(config)),
        EarlyStopping(config.training.patience),
        DivergenceGuard(config),
    )
    loop = _Loop(config, trainer, meter, best, guard, score)
    if resumed is not None:
        loop.restore(resumed)
    if keeper is not None:
        keeper.begin(trainer.read_state(), loop.meter.words)
    is_stopping = False
    with (
        contextlib.closing(trainer.steps(loop.point)) as advances,
        _kept_where_a_round_fails(loop, keeper),
    ):
        for advance in () if loop.is_finished else advances:
            loop.take_in(advance, on_progress)
            is_stopping = is_stopping or is_stop_wanted()
            if loop.is_finished or (is_stopping and advance.is_drained):
                break
            if is_stopping or (keeper is not None and keeper.is_due(loop.meter.words, ends_epoch=advance.ends_epoch)):
                if not advance.is_drained:
                    trainer.drain()
                elif keeper is not None:
                    loop.take_snapshot(keeper)
    trained = loop.trained()
    if keeper is not None:
        loop.take_snapshot(keeper, is_last=True)
    return trained


@contextlib.contextmanager
def _kept_where_a_round_fails(loop: "_Loop", keeper: SnapshotWriter | None) -> Iterator[None]:
    """Let the keeper take the state of the last round where the next one cannot be trained, whatever is the matter."""
    try:
        yield
    except W2vError as error:
        if keeper is not None and loop.reports and loop.is_whole and not isinstance(error, DivergedError):
            with contextlib.suppress(StorageError):  # there is an error to tell already
                loop.take_snapshot(keeper, is_last=True)
        raise


@dataclass
class _Loop:
    """What is carried from advance to advance; it can be put into a snapshot and taken out again.

    is_whole: not where what is to be known of the last advance could not be measured.
    """

    config: Config
    trainer: Trainer
    meter: Meter
    best: EarlyStopping
    guard: DivergenceGuard
    score: Score | None
    reports: list[Progress] = field(default_factory=list)
    point: Position = BEGINNING
    is_over: bool = False
    is_whole: bool = True

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing left to train: all epochs are done, or patience has come to its end."""
        return self.is_over or self.point.epoch >= self.config.training.epochs

    def take_in(self, advance: StepResult, on_progress: Callable[[Progress], None]) -> None:
        """Add up an advance, and report where that is due."""
        self.is_whole = False
        self.meter.add(advance)
        self.point = advance.after
        is_reported = advance.ends_epoch or self.meter.is_due()
        if is_reported or self.meter.is_full():
            self.guard.watch_loss(*self.meter.collect(), advance.epoch)
        if is_reported:
            self.guard.watch_vectors(self.trainer, advance)
            report = self.meter.report(advance)
            if advance.ends_epoch:
                with self.meter.paused():
                    measured = self._measure()
                report = dataclasses.replace(report, seconds_left=self.meter.seconds_left(advance), **measured)
            self.reports.append(report)
            on_progress(report)
            is_last = report.epoch == report.epochs
            self.is_over = self.best.is_enough(report.epoch, report.validation_loss, self.trainer, is_last=is_last)
        self.is_whole = True

    def _measure(self) -> dict[str, Any]:
        """Return what is to be known of the vectors after an epoch, as fields of Progress."""
        measured: dict[str, Any] = {}
        if self.config.training.validation > 0:
            measured["validation_loss"] = self.trainer.validation_loss()
        if self.score is not None:
            measured["scores"] = self.score(self.trainer.read_vectors())
        return measured

    def trained(self) -> Trained:
        """Return what has been learnt so far."""
        input_vectors, epoch = self.best.vectors_and_epoch(self.trainer, self.reports[-1].epoch)
        self.guard.check_vectors(input_vectors, self.reports[-1].epoch - 1)
        return Trained(
            input_vectors,
            tuple(self.reports),
            self.meter.seconds,
            epoch,
            self.point.epoch,
            progress=self.meter.progress,
            is_complete=self.is_finished,
            scores=self._scores_after(epoch),
        )

    def _scores_after(self, epoch: int) -> tuple[SetScore, ...]:
        """Return the scores of the vectors to keep, which are those after an epoch (from 1) or the state as it is."""
        if self.best.vectors is None and self.point.done > 0:
            return ()
        ends = [report for report in self.reports if report.epoch_mean_loss is not None]
        return next((report.scores for report in ends if report.epoch == epoch), ())

    def take_snapshot(self, keeper: SnapshotWriter, *, is_last: bool = False) -> None:
        """Let the keeper take a snapshot; to be called at rest. It looks at the vectors before it writes them.

        is_last: the trainer trains no more.
        """
        sums = self.meter.read_sums()
        self.guard.check_loss(sums["unseen_loss"], self.reports[-1].epoch - 1)
        state = dict(self.trainer.read_state())
        if self.best.vectors is not None:
            state[BEST_VECTORS] = self.best.vectors
        kept_reports = [report for report in self.reports[:-1] if report.epoch_mean_loss is not None]
        loop = LoopState(
            sums,
            self.meter.seconds,
            self.best.lowest if self.best.epoch else None,
            self.best.epoch,
            [dataclasses.asdict(report) for report in (*kept_reports, *self.reports[-1:])],
            self.is_over,
        )
        keeper.take(state, self.point, self.meter.words, loop, is_last=is_last)

    def restore(self, resumed: Resumed) -> None:
        """Go on from a snapshot; the trainer has been restored. Raises VectorsError for what is none of ours."""
        loop = resumed.loop
        try:
            self.reports = [Progress.from_json(report) for report in loop.reports]
            self.meter.restore(loop.sums, loop.seconds, self.reports[-1].epochs)
        except (TypeError, ValueError, IndexError) as error:
            raise VectorsError(
                f"the snapshot is not of this version of w2v ({shortened(error)}): begin anew."
            ) from error
        self.point, self.is_over = resumed.point, loop.is_over
        if loop.lowest_loss is not None:
            self.best.lowest, self.best.epoch = loop.lowest_loss, loop.best_epoch
            # None: the last epoch was the best, and the state is still that of its end. More epochs may be to come.
            kept = self.trainer.read_vectors() if resumed.best_vectors is None else resumed.best_vectors
            self.best.vectors = kept.copy()
