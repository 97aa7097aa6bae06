"""Adam with dense moments, compiled: the steps that a row owes are taken when the row is next read.

Adam moves every row at every step, even if the gradient is zero. Done at once, this streams six matrices
through memory for each batch. Done row by row, all owed steps together, the steps and their order are the same, and so
are the bytes, several times faster (docs/adr/0003).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import njit
from w2v_cli.kernels.minibatch.adam import ADAM_BETAS, ADAM_EPSILON
from w2v_cli.kernels.windows import NO_WORD

_MOST_OWED = 256  # steps; then every row takes the steps it owes, so that few rates are remembered
_FIRST_SHARE, _SECOND_SHARE = (np.float32(1 - beta) for beta in ADAM_BETAS)
_EPSILON = np.float32(ADAM_EPSILON)


@dataclass
class LazyMoments:
    """Adam's state for one matrix: moments and gradient (V, D) float32, the gradient zero between steps.

    Attributes:
        rates: of the latest steps, `steps` in number.
        steps_done: (V,) int64, how many of them each row has taken.
    """

    first: NDArray[np.float32]
    second: NDArray[np.float32]
    gradient: NDArray[np.float32]
    steps_done: NDArray[np.int64]
    rates: NDArray[np.float32]
    steps: int = 0

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What the compiled functions need, in their order."""
        return self.first, self.second, self.steps_done, self.rates[: self.steps]

    @property
    def is_full(self) -> bool:
        """Whether no further rate can be remembered."""
        return self.steps == len(self.rates)

    def add_rate(self, rate: float) -> None:
        """Begin a step: from now on every row owes it."""
        self.rates[self.steps] = rate
        self.steps += 1

    def clear_rates(self) -> None:
        """Forget the rates of steps that all rows have taken."""
        self.steps = 0
        self.steps_done[:] = 0


def build_moments(matrix: NDArray[np.float32]) -> LazyMoments:
    """Return the state before the first step."""
    first, second, gradient = (np.zeros_like(matrix) for _ in range(3))
    return LazyMoments(
        first, second, gradient, np.zeros(len(matrix), np.int64), np.zeros(_MOST_OWED, dtype=matrix.dtype)
    )


@njit()
def take_owed_steps(parameters: Any, first: Any, second: Any, steps_done: Any, rates: Any, rows: Any) -> None:
    """Take the steps that the `rows` (R,) owe, with a gradient of zero; see adam.adam_step."""
    for row in rows:
        if row != NO_WORD:
            for step in range(steps_done[row], len(rates)):
                rate = rates[step]
                for d in range(parameters.shape[1]):
                    m = first[row, d] - _FIRST_SHARE * first[row, d]
                    v = second[row, d] - _SECOND_SHARE * second[row, d]
                    first[row, d], second[row, d] = m, v
                    parameters[row, d] -= rate * m / (np.sqrt(v) + _EPSILON)
            steps_done[row] = len(rates)


@njit()
def take_step(parameters: Any, gradient: Any, first: Any, second: Any, steps_done: Any, rates: Any, rows: Any) -> None:
    """Take the latest step on the `rows` (R,), which owe no other, and clear their gradients."""
    rate = rates[-1]
    for row in rows:
        if row != NO_WORD and steps_done[row] < len(rates):
            steps_done[row] = len(rates)
            for d in range(parameters.shape[1]):
                g = gradient[row, d]
                m = first[row, d] + _FIRST_SHARE * (g - first[row, d])
                v = second[row, d] + _SECOND_SHARE * (g * g - second[row, d])
                first[row, d], second[row, d], gradient[row, d] = m, v, 0
                parameters[row, d] -= rate * m / (np.sqrt(v) + _EPSILON)
