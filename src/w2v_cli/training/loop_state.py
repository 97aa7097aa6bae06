"""What the training loop carries from one advance to the next, in a form that a snapshot can hold."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

Report = dict[str, Any]
_Sum = Annotated[int | float, Field(ge=0, le=1e18)]  # losses, counts and seconds: none is NaN, none can overflow


@dataclass(frozen=True)
class LoopState:
    """The loop at some point of a training; every value is JSON.

    sums: the numbers of the meter, by their names there; seconds: of training until then; lowest_loss, best_epoch: the
    lowest held-out loss and the epoch (from 1) that had it, None and 0 where there is none; reports: those that ended
    an epoch and the last one, field by field; is_over: patience has come to its end.
    """

    sums: dict[str, _Sum]
    seconds: Annotated[float, Field(ge=0, le=1e18)]
    lowest_loss: Annotated[float, Field(ge=0, le=1e18)] | None
    best_epoch: Annotated[int, Field(ge=0)]
    reports: list[Report]
    is_over: bool
