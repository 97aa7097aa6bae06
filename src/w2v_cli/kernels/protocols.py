"""The protocols of an engine: what a backend of each algorithm must do.

An engine holds both matrices, and computes the equations of `block/reference.py` or `minibatch/reference.py` for the
objective in the config. To write one: implement every method here, let `load.py` choose it, and add it to the table of
tests/kernels/test_block_engines.py or conftest.py, whose tests ask every engine for the numbers of the reference.

All engines of one algorithm make the same draws: a draw depends on seed, epoch and corpus position alone (`philox.py`).
With one thread their results differ by rounding only. What threads or a GPU add in any order may differ more.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels.minibatch.batches import Batch


class Backend(StrEnum):
    """The code that computes; resolved once, and reported in the log and in the vectors file."""

    NUMPY = "numpy"
    NUMBA = "numba"
    CUPY = "cupy"


class MinibatchEngine(Protocol):
    """A backend of the minibatch algorithm. It holds both matrices and the state of the optimiser.

    One thread calls it. Losses are scalars of the backend: asking for the value of one that lies on a device waits.
    """

    def step(self, batch: Batch, learning_rate: float) -> Any:
        """Take one step down the gradient of a batch; all gradients are those of the matrices before the step.

        A word that occurs several times in the batch receives the sum of its gradients.

        SGD: θ ← θ - learning_rate · Σ gradients; the rate is per example, not per batch.
        Adam (Kingma & Ba 2015; the book's common/optimizer.py): on the mean gradient over the batch's centres. Its
        moments are dense: a row moves on even when its gradient is zero. β₁ 0.9, β₂ 0.999, ε 1e-7 added to √v; the bias
        corrections are folded into the rate, see `adam.adam_rate`. A backend may put the steps of rows that no gradient
        touches off until they are read.

        Args:
            batch: the examples, NumPy arrays.
            learning_rate: of this step.

        Returns:
            The summed loss of the batch before the step, in nats.
        """

    def loss(self, batch: Batch) -> Any:
        """Return the summed loss of a batch in nats, without a step.

        Args:
            batch: The examples, NumPy arrays.
        """

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D); they may be those that the next step changes."""

    def read_state(self) -> Mapping[str, NDArray[Any]]:
        """Return all that the next step depends on, arrays of the host by the names that a snapshot keeps.

        `input_vectors` and `output_vectors`, (V, D); with Adam `input_first_moments`, `input_second_moments`,
        `output_first_moments` and `output_second_moments`, (V, D); `steps`, (1,) int64, how many Adam has taken.
        """

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `read_state` of an engine of the same settings returned."""


class BlockEngine(Protocol):
    """A backend of the block algorithm. It holds the text and both matrices.

    It trains a span, a range of corpus positions, at a time, block by block: consecutive kept words are the centres of
    a block, and share its negatives (`blocks.py`). Spans may be trained by several threads at a time unless the engine
    says otherwise. Losses and numbers of pairs are scalars of the backend: asking for the value of one that lies on a
    device waits for it.
    """

    @property
    def span_words(self) -> int:
        """The corpus words of a span; all spans of an epoch but the last have as many."""

    @property
    def blocks_in_flight(self) -> int | None:
        """How many blocks a device trains at a time; None on a CPU."""

    @property
    def is_compiled(self) -> bool:
        """Whether an earlier run cached compiled code; else `prepare` compiles for some twenty seconds."""

    def prepare(self) -> None:
        """Compile, or load what an earlier run compiled. Without this call the first span does it."""

    def train_span(self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float) -> tuple[Any, Any]:
        """Train on a span.

        Args:
            epoch: from 0.
            start: the first corpus position.
            stop: the corpus position after the last one, at most `span_words` after `start`.
            first_rate: the learning rate at `start`, per pair; between the two it changes linearly with the position.
            last_rate: the learning rate at `stop`.

        Returns:
            The summed loss in nats, and the number of positive pairs (centres, for CBOW).
        """

    def measure_span(self, start: int, stop: int) -> tuple[Any, Any]:
        """Measure the loss on a span of the held-out sentences, always with the draws of epoch 0; change nothing.

        Spans must not be trained at the same time.

        Args:
            start: the first position in the held-out sentences.
            stop: the position after the last one.

        Returns:
            The summed loss in nats, and the number of positive pairs (centres, for CBOW).

        Raises:
            ValueError: no sentences are held out.
        """

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D); they may be those that the next span changes."""

    def read_state(self) -> Mapping[str, NDArray[np.float32]]:
        """Return both matrices on the host, `input_vectors` and `output_vectors`, (V, D) float32; views if possible."""

    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Put back what `read_state` of an engine of the same settings returned."""
