"""What the training loop carries from one advance to the next, in a form that a snapshot can hold."""

from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]


@dataclass(frozen=True)
class LoopState:
    """The loop at some point of a training; every value is JSON.

    sums: the numbers of the meter, by their names there; seconds: of training until then; lowest_loss, best_epoch: the
    lowest held-out loss and the epoch (from 1) that had it, None and 0 where there is none; reports: those that ended
    an epoch and the last one, field by field; is_over: patience has come to its end.
    """

    sums: dict[str, int | float]
    seconds: float
    lowest_loss: float | None
    best_epoch: int
    reports: list[Report]
    is_over: bool
