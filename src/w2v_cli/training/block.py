"""The block algorithm from spans of the corpus to steps, on any number of threads."""

import contextlib
import dataclasses
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.protocols import BlockEngine
from w2v_cli.system.prefetch import prefetch_calls
from w2v_cli.training.schedule import learning_rate_at
from w2v_cli.training.trainer import BEGINNING, Position, State, StepResult, mean_loss

_T = TypeVar("_T")
_SPANS_AHEAD = 4  # for each thread: enough that none waits, few enough that stopping is quick


class BlockTrainer:
    """Trains by the block algorithm.

    threads: those that call the engine side by side: more than one give other bytes each time (no locks: Hogwild).
    """

    def __init__(
        self,
        corpus: EncodedText,
        config: Config,
        engine: BlockEngine,
        held_out: EncodedText | None = None,
        *,
        threads: int,
    ) -> None:
        self._corpus_words = len(corpus.word_ids)
        self._held_out_words = len(held_out.word_ids) if held_out else 0
        self._config = config
        self._engine = engine
        self._threads = threads
        self._is_coming_to_rest = False
        self._begun = 0  # corpus words of this epoch that are trained or being trained

    def prepare(self) -> None:
        """Compile the engine, or load what an earlier run compiled."""
        self._engine.prepare()

    def iterate_training(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train, yielding after each span; no thread is at work when an epoch ends."""
        for epoch in range(start.epoch, self._config.training.epochs):
            self._begun = start.done if epoch == start.epoch else 0
            while self._begun < self._corpus_words:
                self._is_coming_to_rest = False
                for advance in self._run(self._begin_spans(epoch)):
                    yield dataclasses.replace(advance, is_at_rest=self._is_at_rest(advance))

    def come_to_rest(self) -> None:
        """Begin no further span until those that are begun are done."""
        self._is_coming_to_rest = True

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair."""
        spans = self._spans(0, self._held_out_words)
        measured = list(self._run(partial(self._engine.measure_span, *span) for span in spans))
        return mean_loss(float(sum(loss for loss, _ in measured)), int(sum(pairs for _, pairs in measured)))

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        return self._engine.read_vectors()

    def read_state(self) -> State:
        """Return both matrices."""
        return self._engine.read_state()

    def restore(self, state: State) -> None:
        """Put back what `read_state` returned."""
        self._engine.restore(state)

    def _begin_spans(self, epoch: int) -> Iterator[Callable[[], StepResult]]:
        """Yield the calls that train what is left of an epoch, until it is to come to rest."""
        for start, stop in self._spans(self._begun, self._corpus_words):
            if self._is_coming_to_rest:
                return
            self._begun = stop
            yield partial(self._train_span, epoch, start, stop)

    def _is_at_rest(self, advance: StepResult) -> bool:
        return advance.ends_epoch or advance.after.done == self._begun

    def _spans(self, first: int, words: int) -> Iterator[tuple[int, int]]:
        """Yield the spans from the first on of so many words, each as (start, stop)."""
        size = self._engine.span_words
        return ((start, min(start + size, words)) for start in range(first, words, size))

    def _run(self, calls: Iterator[Callable[[], _T]]) -> Generator[_T]:
        ahead = self._threads * _SPANS_AHEAD
        with contextlib.closing(prefetch_calls(calls, threads=self._threads, ahead=ahead)) as results:
            yield from results

    def _train_span(self, epoch: int, start: int, stop: int) -> StepResult:
        rates = (self._rate_at(epoch, position) for position in (start, stop))
        loss_sum, pairs = self._engine.train_span(epoch, start, stop, *rates)
        is_last = stop == self._corpus_words
        after = Position(epoch + 1) if is_last else Position(epoch, stop)
        return StepResult(epoch, loss_sum, pairs, self._progress(epoch, stop), after, ends_epoch=is_last)

    def _rate_at(self, epoch: int, position: int) -> float:
        decay = self._config.training.decay
        return learning_rate_at(self._progress(epoch, position), self._config.learning_rate, decay)

    def _progress(self, epoch: int, position: int) -> float:
        return (epoch + position / self._corpus_words) / self._config.training.epochs
