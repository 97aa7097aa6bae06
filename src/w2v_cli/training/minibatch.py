"""The minibatch algorithm from batches to steps: one thread computes, another builds the batches."""

import contextlib
from collections.abc import Generator
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.embeddings import Embeddings, build_embeddings
from w2v_cli.kernels.minibatch.batches import Batch, BatchBuilder
from w2v_cli.kernels.minibatch.optimizers import Adam, Optimizer, Sgd
from w2v_cli.kernels.protocols import MinibatchEngine
from w2v_cli.system.prefetch import prefetch_calls
from w2v_cli.training.schedule import learning_rate_at
from w2v_cli.training.trainer import BEGINNING, Position, State, StepResult, mean_loss

MOST_THREADS = 2
_LISTS_AHEAD = 64  # of batches, about a megabyte each: they carry training over the start of an epoch


class MinibatchTrainer:
    """Trains by the minibatch algorithm; the result is the same on one thread and on two."""

    def __init__(
        self,
        corpus: EncodedText,
        config: Config,
        engine: MinibatchEngine,
        held_out: EncodedText | None = None,
        *,
        threads: int,
    ) -> None:
        start = build_embeddings(corpus.vocabulary_size, config.model, config.sampling.seed)
        self._embeddings = Embeddings(engine.to_device(start.input_vectors), engine.to_device(start.output_vectors))
        build_optimizer = Adam if config.training.optimizer == "adam" else Sgd
        self._optimizer: Optimizer = build_optimizer(engine, self._embeddings)
        self._builder = BatchBuilder(corpus, config)
        self._held_out = BatchBuilder(held_out, config) if held_out else None
        self._config = config
        self._engine = engine
        self._threads = threads

    def prepare(self) -> None:
        """Do nothing: the first batch compiles what it needs."""

    def iterate_training(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train, yielding after each list of batches; always at rest, since what is done ahead changes no vector."""
        work = self._iterate_batches(start)
        if self._threads > 1:
            work = _build_ahead(work)
        with contextlib.closing(work):
            for epoch, batches in work:
                yield self._train(epoch, batches)

    def come_to_rest(self) -> None:
        """Do nothing: every advance is at rest."""

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair."""
        if self._held_out is None:
            raise ValueError("no sentences are held out")
        self._optimizer.settle()
        loss_sum, pairs = 0.0, 0
        for batch in (batch for batches in self._held_out.iterate_epoch(0) for batch in batches):
            loss_sum = loss_sum + self._engine.gradients(self._embeddings, batch).loss_sum
            pairs += len(batch.targets)
        return mean_loss(float(loss_sum), pairs)

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D)."""
        self._optimizer.settle()
        vectors: NDArray[np.float32] = self._engine.to_host(self._embeddings.input_vectors)
        return vectors

    def read_state(self) -> State:
        """Return the matrices, the optimiser's moments and the number of its steps."""
        self._optimizer.settle()
        arrays = {name: self._engine.to_host(array) for name, array in self._arrays().items()}
        return arrays | {"steps": np.array([self._optimizer.steps], np.int64)}

    def restore(self, state: State) -> None:
        """Put back what `read_state` returned."""
        self._optimizer.settle()
        for name, array in self._arrays().items():
            array[...] = self._engine.to_device(state[name])
        self._optimizer.steps = int(state["steps"][0])

    def _arrays(self) -> dict[str, Any]:
        """Return all that training changes, by name, as the backend's own arrays."""
        matrices = {
            "input_vectors": self._embeddings.input_vectors,
            "output_vectors": self._embeddings.output_vectors,
        }
        return matrices | self._optimizer.moments()

    def _iterate_batches(self, start: Position) -> Generator[tuple[int, list[Batch]]]:
        """Yield (epoch, some batches) and, when an epoch is over, (epoch, no batches)."""
        for epoch in range(start.epoch, self._config.training.epochs):
            first_centre = start.done if epoch == start.epoch else 0
            for batches in self._builder.iterate_epoch(epoch, first_centre):
                yield epoch, batches
            yield epoch, []

    def _train(self, epoch: int, batches: list[Batch]) -> StepResult:
        training = self._config.training
        if not batches:
            return StepResult(epoch, 0.0, 0, (epoch + 1) / training.epochs, Position(epoch + 1), ends_epoch=True)
        loss_sum = 0.0
        for batch in batches:
            rate = learning_rate_at(batch.progress, self._config.learning_rate, training.decay)
            loss_sum = loss_sum + self._optimizer.step(batch, rate)
        last = batches[-1]
        pairs = sum(len(batch.targets) for batch in batches)
        return StepResult(epoch, loss_sum, pairs, last.progress, Position(epoch, last.centres_done))


def _build_ahead(work: Generator[tuple[int, list[Batch]]]) -> Generator[tuple[int, list[Batch]]]:
    """Yield the same while a thread builds ahead."""
    with contextlib.closing(prefetch_calls(repeat(partial(next, work, None)), threads=1, ahead=_LISTS_AHEAD)) as built:
        for item in built:
            if item is None:
                return
            yield item
