"""The learning rate as a pure function of the share of training done."""

from typing import Literal

_MIN_SHARE = 1e-4  # of the starting rate: word2vec.c


def learning_rate_at(progress: float, start: float, decay: Literal["linear", "constant"]) -> float:
    """Return the learning rate when `progress` (0 to 1) of all epochs' words are done; it never falls under start·1e-4.

    >>> learning_rate_at(0.5, 0.05, "linear"), learning_rate_at(0.5, 0.001, "constant")
    (0.025, 0.001)
    """
    if decay == "constant":
        return start
    return start * max(1 - progress, _MIN_SHARE)
