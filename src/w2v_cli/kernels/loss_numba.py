"""The loss as products of probabilities: one logarithm for many of them (Numba)."""

import math
from typing import Any

import numpy as np

from w2v_cli.blocks import BLOCK_CENTRES
from w2v_cli.kernels.compiled import njit
from w2v_cli.kernels.tiles_numba import REORDER_SUMS

_ONE = np.float32(1)
_SMALL_PRODUCT = 1e-150  # BLOCK_CENTRES factors as small as exp(-MAX_SCORE) later it is still a normal float64


@njit(inline="always")
def take_in(products: Any, i: int, probability: float) -> float:
    """Multiply products[i] by a probability; where it gets small, begin it anew and return -log of it, else 0."""
    products[i] *= probability
    if products[i] > _SMALL_PRODUCT:
        return 0.0
    logarithm = math.log(products[i])
    products[i] = 1.0
    return -logarithm


@njit(fastmath=REORDER_SUMS)
def take_in_negatives(products: Any, i: int, scores: Any) -> float:
    """Take in 1 - σ of all negatives in a row of scores, eight at a time."""
    loss = 0.0
    for first in range(BLOCK_CENTRES, len(scores), 8):
        probability = 1.0
        for k in range(first, min(first + 8, len(scores))):
            probability *= _ONE - scores[k]
        loss += take_in(products, i, probability)
    return loss


@njit()
def remaining_loss(products: Any, share: float) -> float:
    """Return the loss that the products hold: [0] of pairs, [n] of negatives in rows of n pairs."""
    loss = -math.log(products[0])
    for row_pairs in range(1, len(products)):
        loss -= share * row_pairs * math.log(products[row_pairs])
    return loss
