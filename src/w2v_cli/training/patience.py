"""When to stop for want of progress, and the vectors to keep then."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.training.trainer import Trainer


@dataclass
class EarlyStopping:
    """Keeps the vectors of the lowest held-out loss where there is a patience that can come to its end.

    epoch: from 1, the one that made them, 0 while there is none; vectors: (V, D), None where the trainer has them.
    """

    patience: int | None
    lowest: float = math.inf
    epoch: int = 0
    vectors: NDArray[np.float32] | None = None

    def is_enough(self, epoch: int, validation_loss: float | None, trainer: Trainer, *, is_last: bool) -> bool:
        """Take in the end of an epoch; return whether the held-out loss has not been lower for `patience` epochs."""
        if self.patience is None or validation_loss is None:
            return False
        if validation_loss < self.lowest:
            self.lowest, self.epoch = validation_loss, epoch
            self.vectors = None if is_last else trainer.read_vectors().copy()
        return epoch - self.epoch >= self.patience

    def vectors_and_epoch(self, trainer: Trainer, last_epoch: int) -> tuple[NDArray[np.float32], int]:
        """Return the vectors to keep and the epoch (from 1) that made them."""
        if self.vectors is None:
            return trainer.read_vectors(), last_epoch
        return self.vectors, self.epoch
