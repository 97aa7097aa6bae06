"""The state of a training: all that a snapshot keeps of it, by the names of the snapshot format."""

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator

from w2v_cli.training.progress import LossSums, Number, Progress
from w2v_cli.training.trainer import BEGINNING, NamedArrays, Position

INPUT_VECTORS = "input_vectors"  # the names in every trainer
BEST_VECTORS = "best_vectors"  # (V, D), of the epoch with the lowest held-out loss, if that is not the last one
_UNCHECKED = PlainValidator(lambda arrays: arrays)  # snapshot.check_state knows what they should be


@dataclass
class TrainerState:
    """The state of a training: the loop changes it from step to step, and a snapshot keeps a copy.

    The names and their order are those of the snapshot format. A field that is added needs a default, which stands for
    it in older snapshots.

    Attributes:
        position: where training continues.
        sums: the losses behind the reports.
        seconds: of training, until the last snapshot.
        lowest_loss, best_epoch: the lowest held-out loss, nats per positive pair, and its epoch (from 1); None and 0
            without patience.
        reports: all of this run; a snapshot keeps those that end an epoch, and the last one.
        is_over: patience has run out.
        arrays: in a snapshot those of the trainer, and BEST_VECTORS if there are any; during training BEST_VECTORS
            alone, because the trainer has the others.
    """

    position: Position
    sums: LossSums
    seconds: Number
    lowest_loss: Number | None
    best_epoch: Annotated[int, Field(ge=0)]
    reports: Annotated[list[Progress], Field(min_length=1)]
    is_over: bool
    arrays: Annotated[NamedArrays, _UNCHECKED] = field(default_factory=dict)

    @classmethod
    def at_start(cls) -> Self:
        """Return the state before the first step."""
        return cls(BEGINNING, LossSums.zero(), 0.0, None, 0, [], is_over=False)

    @property
    def best_vectors(self) -> NDArray[np.float32] | None:
        """The vectors of `best_epoch`, (V, D); None if the trainer still has them."""
        return self.arrays.get(BEST_VECTORS)

    def as_kept(self, arrays: NamedArrays, seconds: float) -> Self:
        """Return what a snapshot keeps, with the trainer's arrays; this waits for a device, and copies no array.

        Args:
            arrays: The trainer's arrays.
            seconds: Seconds of training so far.
        """
        ends = [report for report in self.reports[:-1] if report.epoch_mean_loss is not None]
        return dataclasses.replace(
            self,
            sums=self.sums.read(),
            seconds=seconds,
            reports=[*ends, *self.reports[-1:]],
            arrays={**arrays, **self.arrays},
        )
