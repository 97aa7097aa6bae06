"""The protocol between the training loop and a trainer: an algorithm with its corpus and matrices."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import CorpusError, option

NamedArrays = Mapping[str, NDArray[Any]]  # all that a trainer changes, on the host, by name


@dataclass(frozen=True)
class Position:
    """A place in a training.

    Attributes:
        epoch: from 0.
        done: words, centres or rounds done of that epoch; the trainer decides which.
    """

    epoch: int = 0
    done: int = 0


BEGINNING = Position()


@dataclass(frozen=True)
class RoundDone:
    """A round of shards on a cluster.

    Attributes:
        number: its number in the epoch, from 1.
        rounds: rounds of an epoch.
        workers: workers of the cluster.
    """

    number: int
    rounds: int
    workers: int

    @property
    def facts(self) -> dict[str, Any]:
        """The fields of a report."""
        return {"round": self.number, "rounds": self.rounds, "workers": self.workers}


@dataclass(frozen=True)
class StepResult:
    """The result of a step of training, some milliseconds of work.

    Attributes:
        epoch: from 0.
        loss_sum: the summed loss in nats, a scalar of the backend.
        pairs: the positive pairs, a scalar of the backend.
        progress: share of the whole training done after the step, 0 to 1.
        after: the position from which training continues.
        ends_epoch: whether no more work of this epoch follows.
        is_drained: whether no work beyond `after` has begun, so that the matrices are those of this position.
        round: on a cluster, the round that the step was.
    """

    epoch: int
    loss_sum: Any
    pairs: Any
    progress: float
    after: Position
    ends_epoch: bool = False
    is_drained: bool = True
    round: RoundDone | None = None


def mean_loss(loss_sum: float, pairs: int) -> float:
    """Return the mean loss on held-out sentences, nats per positive pair.

    Args:
        loss_sum: The summed loss in nats.
        pairs: The number of positive pairs.

    Raises:
        CorpusError: There is no pair.
    """
    if pairs == 0:
        raise CorpusError(
            f"no word of the held-out sentences has a neighbour: give {option('validation')} a larger share."
        )
    return loss_sum / pairs


class Trainer(Protocol):
    """An algorithm with its corpus and its matrices."""

    def prepare(self) -> None:
        """Do what takes time before the first step, such as compiling."""

    def steps(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train from `start` on, yielding after every few milliseconds of work; close the generator to stop.

        The last step of an epoch is drained. Unless threads or a GPU add in any order, the steps after `start` are
        those of a training that was never interrupted.

        Args:
            start: The position to start at.
        """

    def drain(self) -> None:
        """Begin no further work until a step is drained; after that step training continues."""

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair, always with the same draws.

        Only after a step that ends an epoch. Raises CorpusError if there is no pair.
        """

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D)."""

    def read_state(self) -> NamedArrays:
        """Return all arrays that training changes, always by the same names and shapes; one is `input_vectors`.

        Only when drained. Training may change the arrays later: copy what has to stay.
        """

    def restore(self, state: NamedArrays) -> None:
        """Put back what `read_state` returned; only after `prepare`, before training or when drained.

        Args:
            state: Arrays of a trainer with the same settings.
        """
