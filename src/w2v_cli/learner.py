"""The contract of an algorithm: what the training loop asks of it."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import CorpusError


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


def mean_loss(loss_sum: float, pairs: int) -> float:
    """Return the mean loss on held-out sentences; raise CorpusError where they hold no pair."""
    if pairs == 0:
        raise CorpusError("no word of the held-out sentences has a neighbour: give --validation a larger share.")
    return loss_sum / pairs


class Learner(Protocol):
    """An algorithm with its corpus and its embeddings."""

    def prepare(self) -> None:
        """Do what takes time before the first word, such as compiling."""

    def iterate_training(self) -> Generator[Advance]:
        """Train, yielding after every few milliseconds of work; close the generator to stop in between."""

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair, always with the same draws.

        To be called between two advances, the first of which ends an epoch. Raises CorpusError where there is no pair.
        """

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D)."""
