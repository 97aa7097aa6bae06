"""The contract of a kernel: what every backend of an algorithm computes.

All compute the same equations; `numpy` is the reference that the others are tested against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.batches import Batch


class Backend(StrEnum):
    """Which code runs the kernels; resolved once and reported in the log and in the vectors file."""

    NUMPY = "numpy"
    NUMBA = "numba"
    CUPY = "cupy"


@dataclass(frozen=True)
class RowGradients:
    """The gradient of a matrix in factors: row rows[b, m] receives coefficients[b, m] · vectors[b].

    rows: (B, M) int32; coefficients: (B, M) floats, 0 where there is no row; vectors: (B, D) floats. A row that occurs
    several times receives the sum.
    """

    rows: Any
    coefficients: Any
    vectors: Any


@dataclass(frozen=True)
class Gradients:
    """What a batch says: its summed loss in nats (a scalar of the backend) and the gradient of that sum."""

    loss_sum: Any
    inputs: RowGradients
    outputs: RowGradients


class MinibatchEngine(Protocol):
    """What a backend of the minibatch algorithm does; arrays are the backend's own."""

    backend: Backend

    def to_device(self, array: Any) -> Any:
        """Return the backend's copy of a NumPy array (the array itself where they are the same)."""

    def to_host(self, array: Any) -> Any:
        """Return a NumPy array with the contents of one of the backend's."""

    def gradients(self, embeddings: Embeddings, batch: Batch) -> Gradients:
        """Return loss and gradients of the batch; nothing is changed."""

    def add_rows(self, matrix: Any, gradients: RowGradients, scale: float) -> None:
        """Add scale · gradients to the rows of `matrix` in place; no repeated row is lost."""

    def adam_state(self, matrix: Any) -> Any:
        """Return what Adam keeps for a matrix, before its first step; only the backend knows what is in it."""

    def adam_settle(self, matrix: Any, state: Any, rows: Any) -> None:
        """Make the rows (word ids of any shape, NO_WORD left out; None: all) fit to be read.

        Adam moves every row at every step. A backend may put off the steps of rows that no gradient touches until here.
        """

    def adam_moments(self, state: Any) -> tuple[Any, Any]:
        """Return both moments, (V, D), the backend's own arrays, to be read and changed; all rows are settled.

        Together with the matrix they are all that the next step depends on.
        """

    def adam_step(self, matrix: Any, state: Any, gradients: RowGradients, scale: float, rate: float) -> None:
        """Take one Adam step with the gradient scale · gradients, in place (see optimizers.Adam).

        The rows of `gradients` are settled before.
        """


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
