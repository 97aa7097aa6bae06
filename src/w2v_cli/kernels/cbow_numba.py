"""CBOW on a block, compiled by Numba: the same way as skipgram_numba.py."""

import math
from typing import Any

import numpy as np

from w2v_cli.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block_reference import MAX_SCORE
from w2v_cli.kernels.compiled import njit
from w2v_cli.kernels.loss_numba import take_in, take_in_negatives
from w2v_cli.kernels.scratch import Scratch
from w2v_cli.kernels.spans_numba import BlockBounds, KeptWords
from w2v_cli.kernels.tiles_numba import (
    REORDER_SUMS,
    add_transposed_weighted_rows,
    add_weighted_rows,
    apply_sigmoid,
    set_row_products,
)

_ONE = np.float32(1)
_MAX_SCORE = np.float32(MAX_SCORE)


@njit()
def compute_cbow_block(
    kept: KeptWords,
    block: BlockBounds,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
    rate: float,
    share: float,
    scratch: Scratch,
) -> Any:
    """Fill x_gradient and y_gradient from x, y and the negatives; return the loss and the number of centres.

    The loss is what the products of probabilities cannot hold. See cbow_block_step.
    """
    offset = block.low - block.begin
    _average_windows(kept, scratch, block.begin, offset, block.end - block.begin)
    loss, centres = _weigh_centres(kept, scratch, block.begin, rate, share)
    _spread_over_windows(kept, scratch, block.begin, offset, block.high - block.low, is_classic)
    return loss, centres


@njit(fastmath=REORDER_SUMS)
def _average_windows(kept: KeptWords, scratch: Scratch, begin: int, offset: int, centres: int) -> None:
    """Fill h with the mean of each centre's window, and scores with its σ: column 0 for the centre, then negatives."""
    x, h, y = scratch.x, scratch.h, scratch.y
    for j in range(centres):
        left, right, at = kept.left[begin + j], kept.right[begin + j], j - offset
        h[j, :] = 0
        for i in range(at - left, at + right + 1):
            if i != at:
                for d in range(h.shape[1]):
                    h[j, d] += x[i, d]
        share = _ONE / np.float32(max(left + right, 1))
        score: Any = np.float32(0)
        for d in range(h.shape[1]):
            h[j, d] *= share
            score += h[j, d] * y[j, d]
        scratch.scores[j, 0] = score
    set_row_products(h, y, scratch.scores, 0, BLOCK_CENTRES, BLOCK_CENTRES, len(y))
    apply_sigmoid(scratch.scores, scratch.powers, _MAX_SCORE, BLOCK_CENTRES, len(y))


@njit(fastmath=REORDER_SUMS)
def _weigh_centres(kept: KeptWords, scratch: Scratch, begin: int, rate: float, share: float) -> Any:
    """Fill h_gradient and y_gradient from σ; return what the products cannot hold of the loss, and the centres."""
    scores, errors, h, y = scratch.scores, scratch.errors, scratch.h, scratch.y
    loss, centres = 0.0, 0
    for j in range(BLOCK_CENTRES):
        is_centre = kept.left[begin + j] + kept.right[begin + j] > 0
        weight = -rate * share if is_centre else np.float32(0)
        for k in range(BLOCK_CENTRES, len(y)):
            errors[j, k] = weight * scores[j, k]
        error = rate * (_ONE - scores[j, 0]) if is_centre else np.float32(0)
        for d in range(h.shape[1]):
            scratch.h_gradient[j, d] = error * y[j, d]
            scratch.y_gradient[j, d] = error * h[j, d]
        if is_centre:
            centres += 1
            loss += take_in(scratch.products, 0, scores[j, 0])
            loss += share * take_in_negatives(scratch.products, 1, scores[j])
            for k in range(len(scratch.negatives)):  # a negative that equals the centre counts for nothing
                if kept.word_ids[begin + j] == scratch.negatives[k]:
                    errors[j, BLOCK_CENTRES + k] = 0
                    loss += share * math.log(_ONE - scores[j, BLOCK_CENTRES + k])
    scratch.y_gradient[BLOCK_CENTRES:] = 0
    add_weighted_rows(errors, y, scratch.h_gradient, 0, BLOCK_CENTRES, BLOCK_CENTRES, len(y))
    add_transposed_weighted_rows(errors, h, scratch.y_gradient, 0, BLOCK_CENTRES, BLOCK_CENTRES, len(y))
    return loss, centres


@njit(fastmath=REORDER_SUMS)
def _spread_over_windows(
    kept: KeptWords,
    scratch: Scratch,
    begin: int,
    offset: int,
    contexts: int,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
) -> None:
    """Fill x_gradient: each context word receives the h_gradient, or its share, of every centre that has it."""
    x_gradient, h_gradient = scratch.x_gradient, scratch.h_gradient
    x_gradient[:contexts] = 0
    for j in range(BLOCK_CENTRES):
        left, right, at = kept.left[begin + j], kept.right[begin + j], j - offset
        share = _ONE if is_classic else _ONE / np.float32(max(left + right, 1))
        for i in range(at - left, at + right + 1):
            if i != at:
                for d in range(x_gradient.shape[1]):
                    x_gradient[i, d] += share * h_gradient[j, d]
