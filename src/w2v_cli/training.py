"""The loop: batches → kernel → optimiser → schedule → reports."""

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v_cli.batches import Batch, BatchBuilder
from w2v_cli.errors import CorpusError, DivergedError
from w2v_cli.kernels.contract import MinibatchEngine
from w2v_cli.model import Embeddings, build_embeddings
from w2v_cli.optimizers import Adam, Optimizer, Sgd
from w2v_cli.scanner import ScannedCorpus
from w2v_cli.schedule import learning_rate_at
from w2v_cli.settings import Config

_PREFETCHED = 64  # lists of batches, about a megabyte each: they carry training over the start of an epoch
_REPORTS_PER_EPOCH = 20
MOST_THREADS = 2  # one computes, one builds the batches
_T = TypeVar("_T")


@dataclass(frozen=True)
class Progress:
    """How far training is; sent some twenty times an epoch and at its end, where `epoch_mean_loss` is set.

    epoch: from 1; progress: share of all epochs done, 0 to 1; words_per_second: corpus words, those that subsampling
    drops included, wall clock; mean_loss: nats per positive pair, negatives included, since the last report;
    epoch_mean_loss: the same over the whole epoch.
    """

    epoch: int
    epochs: int
    progress: float
    words_per_second: float
    seconds_left: float
    learning_rate: float
    mean_loss: float
    epoch_mean_loss: float | None


@dataclass(frozen=True)
class Trained:
    """What training leaves: the input vectors on the host, (V, D) float32, and every report, in order."""

    input_vectors: NDArray[np.float32]
    reports: tuple[Progress, ...]
    seconds: float

    @property
    def epoch_losses(self) -> list[float]:
        """The mean loss of each epoch, nats per positive pair."""
        return [report.epoch_mean_loss for report in self.reports if report.epoch_mean_loss is not None]


def train(
    corpus: ScannedCorpus,
    config: Config,
    engine: MinibatchEngine,
    on_progress: Callable[[Progress], None],
    *,
    threads: int = MOST_THREADS,
) -> Trained:
    """Train embeddings on the corpus by the minibatch algorithm and return them; the result is the same on any threads.

    Raises DivergedError where the loss is no longer a finite number, CorpusError where no word has a context.
    """
    start = build_embeddings(len(corpus.vocabulary), config.model, config.sampling.seed)
    embeddings = Embeddings(engine.to_device(start.input_vectors), engine.to_device(start.output_vectors))
    build_optimizer = Adam if config.training.optimizer == "adam" else Sgd
    optimizer: Optimizer = build_optimizer(engine, embeddings)
    meter = _Meter(config, corpus_words=len(corpus.word_ids))
    reports = []
    work = _iterate_batches(BatchBuilder(corpus, config), config.training.epochs)
    with contextlib.closing(prefetch(work, _PREFETCHED) if threads > 1 else work) as prepared:
        for epoch, batches in prepared:
            for batch in batches:
                rate = learning_rate_at(batch.progress, config.learning_rate, config.training.decay)
                loss_sum = optimizer.step(batch, rate)
                meter.add(loss_sum, pairs=len(batch.targets), progress=batch.progress)
            if not batches or meter.is_due():
                reports.append(meter.report(epoch, ends_epoch=not batches))
                on_progress(reports[-1])
    optimizer.settle()
    return Trained(engine.to_host(embeddings.input_vectors), tuple(reports), meter.seconds)


def _iterate_batches(builder: BatchBuilder, epochs: int) -> Generator[tuple[int, list[Batch]]]:
    """Yield (epoch, some batches) and, when an epoch is over, (epoch, no batches)."""
    for epoch in range(epochs):
        for batches in builder.iterate_epoch(epoch):
            yield epoch, batches
        yield epoch, []


def prefetch(items: Iterator[_T], count: int) -> Generator[_T]:
    """Yield the items in order while a thread works up to `count` of them ahead; its exceptions arrive here.

    Close the generator to stop the thread. No item may be None.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="w2v-batches") as thread:
        ahead = deque(thread.submit(next, items, None) for _ in range(count))
        try:
            while (item := ahead.popleft().result()) is not None:
                ahead.append(thread.submit(next, items, None))
                yield item
        finally:
            thread.shutdown(cancel_futures=True)


@dataclass
class _Meter:
    """Sums the losses between reports and over the epoch; losses stay on the device until a report asks for them."""

    config: Config
    corpus_words: int
    _started: float = field(default_factory=time.perf_counter)
    _progress: float = 0.0
    _next_report: float = 0.0
    _recent_loss: float = 0.0
    _recent_pairs: int = 0
    _epoch_loss: float = 0.0
    _epoch_pairs: int = 0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def add(self, loss_sum: float, *, pairs: int, progress: float) -> None:
        self._recent_loss = self._recent_loss + loss_sum
        self._recent_pairs += pairs
        self._progress = progress

    def is_due(self) -> bool:
        return self._progress >= self._next_report

    def report(self, epoch: int, *, ends_epoch: bool) -> Progress:
        """Return a report of everything since the last one; raise DivergedError where the loss is not finite."""
        loss, pairs = float(self._recent_loss), self._recent_pairs
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss is no longer a finite number in epoch {epoch + 1} at learning rate "
                f"{self.config.learning_rate:g}: nothing was written; try a lower --learning-rate or a smaller "
                f"training.batch_size ({self.config.training.batch_size})."
            )
        self._epoch_loss += loss
        self._epoch_pairs += pairs
        if self._epoch_pairs == 0:
            raise CorpusError(
                "no word of the corpus has a neighbour in its sentence, so there is nothing to learn from: "
                "--set corpus.sentences=stream lets windows run across lines, --subsample 0 keeps every word."
            )
        progress, seconds = self._progress, self.seconds
        epochs = self.config.training.epochs
        result = Progress(
            epoch=epoch + 1,
            epochs=epochs,
            progress=progress,
            words_per_second=progress * epochs * self.corpus_words / seconds,
            seconds_left=seconds * (1 - progress) / progress,
            learning_rate=learning_rate_at(progress, self.config.learning_rate, self.config.training.decay),
            mean_loss=loss / max(pairs, 1),
            epoch_mean_loss=self._epoch_loss / self._epoch_pairs if ends_epoch else None,
        )
        self._recent_loss, self._recent_pairs = 0.0, 0
        self._next_report = progress + 1 / (_REPORTS_PER_EPOCH * epochs)
        if ends_epoch:
            self._epoch_loss, self._epoch_pairs = 0.0, 0
        return result
