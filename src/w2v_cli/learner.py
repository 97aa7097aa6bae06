"""The contract of an algorithm: what the training loop asks of it."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Advance:
    """Some work done in `epoch` (from 0): its summed loss in nats, a scalar of the backend, and its positive pairs.

    progress: share of the whole training done after it; ends_epoch: no more work of this epoch follows.
    """

    epoch: int
    loss_sum: Any
    pairs: int
    progress: float
    ends_epoch: bool = False


class Learner(Protocol):
    """An algorithm with its corpus and its embeddings."""

    def iterate_training(self) -> Generator[Advance]:
        """Train, yielding after every few milliseconds of work; close the generator to stop in between."""

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D)."""
