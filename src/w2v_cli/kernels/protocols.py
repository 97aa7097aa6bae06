"""The contract of a kernel: what every backend of an algorithm computes.

All compute the same equations; `numpy` is the reference that the others are tested against.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels.minibatch.batches import Batch


class Backend(StrEnum):
    """Which code runs the kernels; resolved once and reported in the log and in the vectors file."""

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
        """Return the summed loss of a batch in nats, without a step."""

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
    """What a backend of the block algorithm does; it holds the corpus and the matrices.

    Sums and numbers of pairs are the backend's scalars; asking for the value of one that lies on a device waits for it.
    """

    @property
    def span_words(self) -> int:
        """How many corpus words it takes at a time."""

    @property
    def blocks_in_flight(self) -> int | None:
        """How many blocks a device works on at a time; None where threads do."""

    @property
    def is_compiled(self) -> bool:
        """Whether it can begin at once; else the first span takes some twenty seconds more."""

    def prepare(self) -> None:
        """Compile, or load what an earlier run compiled; else the first span does it."""

    def train_span(self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float) -> tuple[Any, Any]:
        """Train on the corpus positions start … stop; return the summed loss in nats and the positive pairs.

        The learning rate goes evenly from first_rate to last_rate.
        """

    def measure_span(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return the same of positions of the held-out sentences; nothing is changed, the draws are always the same.

        Not while spans are trained.
        """

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""

    def read_state(self) -> Mapping[str, NDArray[np.float32]]:
        """Return both matrices, `input_vectors` and `output_vectors`, (V, D), as views where that can be."""

    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Put back what `read_state` returned."""
