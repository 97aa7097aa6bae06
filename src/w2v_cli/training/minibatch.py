"""The trainer of the minibatch algorithm: one thread takes the steps, another builds the batches ahead."""

import contextlib
from collections.abc import Generator
from functools import partial
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels import Batch, BatchBuilder, MinibatchEngine
from w2v_cli.system.prefetch import prefetch_calls
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import BEGINNING, NamedArrays, Position, StepResult, mean_loss

MOST_THREADS = 2
_LISTS_AHEAD = 64  # of batches, about a megabyte each: they carry training over the start of an epoch


class MinibatchTrainer:
    """Trains by the minibatch algorithm, with the same bytes on one thread and on two.

    A position is a number of centres of an epoch in their shuffled order. builder, held_out: the batches to train on
    and those to measure.
    """

    def __init__(
        self,
        engine: MinibatchEngine,
        schedule: Schedule,
        builder: BatchBuilder,
        held_out: BatchBuilder | None = None,
        *,
        epochs: int,
        threads: int,
    ) -> None:
        self._engine = engine
        self._schedule = schedule
        self._builder = builder
        self._held_out = held_out
        self._epochs = epochs
        self._threads = threads

    def prepare(self) -> None:
        """Do nothing: the first batch compiles what it needs."""

    def steps(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train, yielding after each list of batches; always drained, because only batches are built ahead."""
        work = self._iterate_batches(start)
        if self._threads > 1:
            work = _build_ahead(work)
        with contextlib.closing(work):
            for epoch, batches in work:
                if batches:
                    yield self._step(epoch, batches)
                else:
                    done = (epoch + 1) / self._epochs
                    yield StepResult(epoch, 0.0, 0, done, Position(epoch + 1), ends_epoch=True)

    def drain(self) -> None:
        """Do nothing: every step is drained."""

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair."""
        if self._held_out is None:
            raise ValueError("no sentences are held out")
        loss_sum, pairs = 0.0, 0
        for batch in (batch for batches in self._held_out.iterate_epoch(0) for batch in batches):
            loss_sum = loss_sum + self._engine.loss(batch)
            pairs += len(batch.targets)
        return mean_loss(float(loss_sum), pairs)

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D)."""
        return self._engine.read_vectors()

    def read_state(self) -> NamedArrays:
        """Return the matrices, the optimiser's moments and the number of its steps."""
        return self._engine.read_state()

    def restore(self, state: NamedArrays) -> None:
        """Put back what `read_state` returned."""
        self._engine.restore(state)

    def _iterate_batches(self, start: Position) -> Generator[tuple[int, list[Batch]]]:
        """Yield (epoch, some batches) and, when an epoch is over, (epoch, no batches)."""
        for epoch in range(start.epoch, self._epochs):
            first_centre = start.done if epoch == start.epoch else 0
            for batches in self._builder.iterate_epoch(epoch, first_centre):
                yield epoch, batches
            yield epoch, []

    def _step(self, epoch: int, batches: list[Batch]) -> StepResult:
        """Take a step for each batch; return them as one result."""
        loss_sum = 0.0
        for batch in batches:
            loss_sum = loss_sum + self._engine.step(batch, self._schedule.at(batch.progress))
        last = batches[-1]
        pairs = sum(len(batch.targets) for batch in batches)
        return StepResult(epoch, loss_sum, pairs, last.progress, Position(epoch, last.centres_done))


def _build_ahead(work: Generator[tuple[int, list[Batch]]]) -> Generator[tuple[int, list[Batch]]]:
    """Yield what `work` yields while a thread builds up to _LISTS_AHEAD items ahead."""
    with contextlib.closing(prefetch_calls(repeat(partial(next, work, None)), threads=1, ahead=_LISTS_AHEAD)) as built:
        for item in built:
            if item is None:
                return
            yield item
