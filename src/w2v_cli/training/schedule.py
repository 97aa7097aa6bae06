"""The schedule of the learning rate."""

from dataclasses import dataclass
from typing import Self

from w2v_cli.config.schema import Config, Decay

_MIN_SHARE = 1e-4  # of the first rate: word2vec.c


@dataclass(frozen=True)
class Schedule:
    """The learning rate over a whole training, per example.

    Attributes:
        first_rate: the rate at the start.
        decay: `linear` falls in a straight line to 1e-4 of it, as in word2vec.c; `constant` keeps it.
    """

    first_rate: float
    decay: Decay = "linear"

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return the schedule that the config asks for."""
        return cls(config.learning_rate, config.training.decay)

    def at(self, done: float) -> float:
        """Return the learning rate at a point of the training.

        Args:
            done: The share of all epochs' words that is trained, 0 to 1.

        >>> Schedule(0.05).at(0.5), Schedule(0.001, "constant").at(0.5)
        (0.025, 0.001)
        """
        if self.decay == "constant":
            return self.first_rate
        return self.first_rate * max(1 - done, _MIN_SHARE)
