"""The block algorithm from spans of the corpus to steps, on any number of threads."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v_cli.ahead import run_ahead
from w2v_cli.kernels.contract import BlockEngine
from w2v_cli.learner import Advance, mean_loss
from w2v_cli.scanner import ScannedCorpus
from w2v_cli.schedule import learning_rate_at
from w2v_cli.settings import Config

_T = TypeVar("_T")
_SPANS_AHEAD = 4  # for each thread: enough that none waits, few enough that stopping is quick


class BlockLearner:
    """Trains by the block algorithm.

    threads: those that call the engine side by side: more than one give other bytes each time (no locks: Hogwild).
    """

    def __init__(
        self,
        corpus: ScannedCorpus,
        config: Config,
        engine: BlockEngine,
        held_out: ScannedCorpus | None = None,
        *,
        threads: int,
    ) -> None:
        self._corpus_words = len(corpus.word_ids)
        self._held_out_words = len(held_out.word_ids) if held_out else 0
        self._config = config
        self._engine = engine
        self._threads = threads

    def prepare(self) -> None:
        """Compile the engine, or load what an earlier run compiled."""
        self._engine.prepare()

    def iterate_training(self) -> Generator[Advance]:
        """Train, yielding after each span; no thread is at work when an epoch ends."""
        for epoch in range(self._config.training.epochs):
            yield from self._run(partial(self._train_span, epoch, *span) for span in self._spans(self._corpus_words))

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair."""
        spans = self._spans(self._held_out_words)
        measured = list(self._run(partial(self._engine.measure_span, *span) for span in spans))
        return mean_loss(sum(loss for loss, _ in measured), sum(pairs for _, pairs in measured))

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        return self._engine.read_vectors()

    def _spans(self, words: int) -> Iterator[tuple[int, int]]:
        """Yield the spans of so many words, each as (start, stop)."""
        size = self._engine.span_words
        return ((start, min(start + size, words)) for start in range(0, words, size))

    def _run(self, calls: Iterator[Callable[[], _T]]) -> Generator[_T]:
        ahead = self._threads * _SPANS_AHEAD
        with contextlib.closing(run_ahead(calls, threads=self._threads, ahead=ahead)) as results:
            yield from results

    def _train_span(self, epoch: int, start: int, stop: int) -> Advance:
        rates = (self._rate_at(epoch, position) for position in (start, stop))
        loss_sum, pairs = self._engine.train_span(epoch, start, stop, *rates)
        return Advance(epoch, loss_sum, pairs, self._progress(epoch, stop), ends_epoch=stop == self._corpus_words)

    def _rate_at(self, epoch: int, position: int) -> float:
        decay = self._config.training.decay
        return learning_rate_at(self._progress(epoch, position), self._config.learning_rate, decay)

    def _progress(self, epoch: int, position: int) -> float:
        return (epoch + position / self._corpus_words) / self._config.training.epochs
