"""The block algorithm from spans of the corpus to steps, on any number of threads."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from w2v_cli.ahead import run_ahead
from w2v_cli.kernels.contract import BlockEngine
from w2v_cli.learner import Advance
from w2v_cli.scanner import ScannedCorpus
from w2v_cli.schedule import learning_rate_at
from w2v_cli.settings import Config

_SPANS_AHEAD = 4  # for each thread: enough that none waits, few enough that stopping is quick


class BlockLearner:
    """Trains by the block algorithm.

    threads: those that call the engine side by side: more than one give other bytes each time (no locks: Hogwild).
    """

    def __init__(self, corpus: ScannedCorpus, config: Config, engine: BlockEngine, *, threads: int) -> None:
        self._corpus_words = len(corpus.word_ids)
        self._config = config
        self._engine = engine
        self._threads = threads

    def iterate_training(self) -> Generator[Advance]:
        """Train, yielding after each span."""
        calls, ahead = self._iterate_calls(), self._threads * _SPANS_AHEAD
        with contextlib.closing(run_ahead(calls, threads=self._threads, ahead=ahead)) as advances:
            yield from advances

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        return self._engine.read_vectors()

    def _iterate_calls(self) -> Iterator[Callable[[], Advance]]:
        for epoch in range(self._config.training.epochs):
            for start in range(0, self._corpus_words, self._engine.span_words):
                stop = min(start + self._engine.span_words, self._corpus_words)
                yield partial(self._train_span, epoch, start, stop)

    def _train_span(self, epoch: int, start: int, stop: int) -> Advance:
        rates = (self._rate_at(epoch, position) for position in (start, stop))
        loss_sum, pairs = self._engine.train_span(epoch, start, stop, *rates)
        return Advance(epoch, loss_sum, pairs, self._progress(epoch, stop), ends_epoch=stop == self._corpus_words)

    def _rate_at(self, epoch: int, position: int) -> float:
        decay = self._config.training.decay
        return learning_rate_at(self._progress(epoch, position), self._config.learning_rate, decay)

    def _progress(self, epoch: int, position: int) -> float:
        return (epoch + position / self._corpus_words) / self._config.training.epochs
