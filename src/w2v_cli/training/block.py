"""The trainer of the block algorithm: spans of the corpus, trained in order on any number of threads."""

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels import BlockEngine
from w2v_cli.system.prefetch import prefetch_calls
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import BEGINNING, NamedArrays, Position, StepResult, mean_loss

_SPANS_AHEAD = 4  # for each thread: enough that none waits, few enough that stopping is quick


class BlockTrainer:
    """Trains by the block algorithm; a position is a number of corpus words of an epoch.

    Args:
        engine: the engine to train with.
        schedule: the learning rate.
        epochs: epochs of the whole training.
        words: the corpus words that the engine trains on.
        held_out_words: the corpus words that it measures.
        threads: how many call the engine at the same time; with more than one, bytes differ from run to run, because
            they share the matrices without locks (Hogwild).
    """

    def __init__(
        self,
        engine: BlockEngine,
        schedule: Schedule,
        *,
        epochs: int,
        words: int,
        held_out_words: int = 0,
        threads: int = 1,
    ) -> None:
        self._engine = engine
        self._schedule = schedule
        self._epochs = epochs
        self._words = words
        self._held_out_words = held_out_words
        self._threads = threads
        self._is_draining = False

    def prepare(self) -> None:
        """Compile the engine, or load what an earlier run compiled."""
        self._engine.prepare()

    def steps(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train, yielding after each span; no thread works when an epoch ends."""
        for epoch in range(start.epoch, self._epochs):
            done = start.done if epoch == start.epoch else 0
            while done < self._words:
                self._is_draining = False
                begun = deque[int]()  # the ends of the spans that threads have been given and that are not yielded yet
                calls = self._iterate_calls(epoch, done, begun)
                with contextlib.closing(self._prefetch(calls)) as results:
                    for loss_sum, pairs in results:
                        done = begun.popleft()
                        is_last = done == self._words
                        yield StepResult(
                            epoch,
                            loss_sum,
                            pairs,
                            self._progress(epoch, done),
                            after=Position(epoch + 1) if is_last else Position(epoch, done),
                            ends_epoch=is_last,
                            is_drained=not begun,
                        )

    def drain(self) -> None:
        """Begin no further span until all that are begun are yielded."""
        self._is_draining = True

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair."""
        spans = self._iterate_spans(0, self._held_out_words)
        measured = list(self._prefetch(partial(self._engine.measure_span, *span) for span in spans))
        return mean_loss(float(sum(loss for loss, _ in measured)), int(sum(pairs for _, pairs in measured)))

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        return self._engine.read_vectors()

    def read_state(self) -> NamedArrays:
        """Return both matrices."""
        return self._engine.read_state()

    def restore(self, state: NamedArrays) -> None:
        """Put back what `read_state` returned."""
        self._engine.restore(state)

    def _iterate_calls(self, epoch: int, first: int, begun: deque[int]) -> Iterator[Callable[[], tuple[Any, Any]]]:
        """Yield the calls that train the rest of an epoch, until draining; note the end of each span in `begun`."""
        for start, stop in self._iterate_spans(first, self._words):
            if self._is_draining:
                return
            begun.append(stop)
            rates = (self._schedule.at(self._progress(epoch, position)) for position in (start, stop))
            yield partial(self._engine.train_span, epoch, start, stop, *rates)

    def _iterate_spans(self, first: int, words: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of the spans from position `first` up to a number of words."""
        size = self._engine.span_words
        return ((start, min(start + size, words)) for start in range(first, words, size))

    def _prefetch(self, calls: Iterator[Callable[[], tuple[Any, Any]]]) -> Generator[tuple[Any, Any]]:
        return prefetch_calls(calls, threads=self._threads, ahead=self._threads * _SPANS_AHEAD)

    def _progress(self, epoch: int, position: int) -> float:
        """Return the share of the whole training that is done at a position of an epoch."""
        return (epoch + position / self._words) / self._epochs
