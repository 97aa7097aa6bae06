"""Adam in plain arrays, as in the book's common/optimizer.py: the reference of the compiled one."""

import math
from typing import Any, NamedTuple

from w2v_cli.kernels.embeddings import Embeddings

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-7  # the book's; added to √v, not under the root


class Moments(NamedTuple):
    """Both moments of one matrix, (V, D) each: running means of the gradient and of its square."""

    first: Any
    second: Any


def adam_rate(learning_rate: float, step: int) -> float:
    """Return the learning rate of a step (from 1) with both bias corrections folded in.

    learning_rate · √(1 - β₂ᵗ) / (1 - β₁ᵗ)                 Kingma & Ba 2015, the end of section 2
    """
    beta_1, beta_2 = ADAM_BETAS
    return learning_rate * math.sqrt(1 - beta_2**step) / (1 - beta_1**step)


def adam_step(xp: Any, parameters: Any, first: Any, second: Any, gradient: Any, rate: float) -> None:
    """Take one Adam step in place; every element moves, even if its gradient is zero.

    m ← m + (1 - β₁)(g - m)      v ← v + (1 - β₂)(g² - v)      θ ← θ - rate · m / (√v + ε)
    Kingma & Ba 2015, section 2; `rate` as `adam_rate` returns it.

    Args:
        xp: the array module, NumPy or CuPy.
        parameters: θ, floats of any shape; changed.
        first: m, of the same shape; changed.
        second: v, of the same shape; changed.
        gradient: g, of the same shape.
        rate: the learning rate with its bias corrections.
    """
    dtype = parameters.dtype.type
    beta_1, beta_2 = ADAM_BETAS
    first += dtype(1 - beta_1) * (gradient - first)
    second += dtype(1 - beta_2) * (gradient * gradient - second)
    parameters -= dtype(rate) * first / (xp.sqrt(second) + dtype(ADAM_EPSILON))


def arrays_by_name(embeddings: Embeddings, moments: tuple[Moments, Moments] | None) -> dict[str, Any]:
    """Return all arrays that training changes, by the names that a snapshot gives them.

    Args:
        embeddings: both matrices.
        moments: those of the input and of the output vectors; None for SGD, which has none.
    """
    arrays = {"input_vectors": embeddings.input_vectors, "output_vectors": embeddings.output_vectors}
    for matrix, both in zip(("input", "output"), moments or (), strict=False):
        arrays |= {f"{matrix}_first_moments": both.first, f"{matrix}_second_moments": both.second}
    return arrays
