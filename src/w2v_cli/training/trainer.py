"""The contract of an algorithm: what the training loop asks of it."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import CorpusError, option

NamedArrays = Mapping[str, NDArray[Any]]  # all that a trainer changes, on the host, by name


@dataclass(frozen=True)
class Position:
    """Where training goes on: in `epoch` (from 0), after `done` of its words or centres, as the trainer counts."""

    epoch: int = 0
    done: int = 0


BEGINNING = Position()


@dataclass(frozen=True)
class RoundDone:
    """A round of shards is combined: its number in the epoch, from 1, of so many; workers: that the cluster has now."""

    number: int
    rounds: int
    workers: int

    @property
    def facts(self) -> dict[str, Any]:
        """What a report says of it."""
        return {"round": self.number, "rounds": self.rounds, "workers": self.workers}


@dataclass(frozen=True)
class StepResult:
    """Some work done in `epoch` (from 0): its summed loss in nats and its positive pairs, scalars of the backend.

    progress: share of the whole training done after it; ends_epoch: no more work of this epoch follows; after: where
    training goes on; is_drained: nothing beyond `after` has been begun, so that the state is that of this point. round:
    on a cluster, the one that this was.
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
    """Return the mean loss on held-out sentences; raise CorpusError where they hold no pair."""
    if pairs == 0:
        raise CorpusError(
            f"no word of the held-out sentences has a neighbour: give {option('validation')} a larger share."
        )
    return loss_sum / pairs


class Trainer(Protocol):
    """An algorithm with its corpus and its embeddings."""

    def prepare(self) -> None:
        """Do what takes time before the first word, such as compiling."""

    def steps(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train from `start` on, yielding after every few milliseconds of work; close the generator to stop.

        Every epoch ends with an advance that is at rest. What does not depend on chance does not depend on `start`
        either: the advances that follow are those of a training that was never interrupted.
        """

    def drain(self) -> None:
        """Begin no work beyond what is begun until an advance is at rest; then training goes on by itself."""

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair, always with the same draws.

        To be called between two advances, the first of which ends an epoch. Raises CorpusError where there is no pair.
        """

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors on the host, (V, D)."""

    def read_state(self) -> NamedArrays:
        """Return all that training changes, always the same names, types and shapes; `input_vectors` is among them.

        To be called at rest. The arrays may be those that training goes on to change: copy what is to stay.
        """

    def restore(self, state: NamedArrays) -> None:
        """Put back what `read_state` returned. To be called after `prepare`, before training or at rest."""
