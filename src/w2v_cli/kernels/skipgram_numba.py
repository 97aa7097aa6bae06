"""Skip-gram on a block, compiled by Numba: block_reference.py with products in registers, nothing allocated.

Errors hold the learning rate, so that gradients are added to the matrices as they are.
"""

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
def compute_skipgram_block(
    kept: KeptWords, block: BlockBounds, window: int, rate: float, share: float, scratch: Scratch
) -> Any:
    """Fill x_gradient and y_gradient from x, y and the negatives; return the loss and the number of pairs.

    The loss is what the products of probabilities cannot hold. See skipgram_block_step.
    """
    offset, contexts = block.low - block.begin, block.high - block.low
    _score_contexts(scratch, offset, contexts, window)
    loss, pairs = _weigh_contexts(kept, scratch, block.begin, offset, contexts, rate, share)
    if _any_equal(kept.word_ids[block.begin : block.end], scratch.negatives):
        loss += _forgive_equal_negatives(kept, scratch, block.begin, offset, contexts, rate, share)
    _add_context_gradients(scratch, offset, contexts, window)
    return loss, pairs


@njit()
def _score_contexts(scratch: Scratch, offset: int, contexts: int, window: int) -> None:
    """Fill scores with σ of each context and each output that it can have; context 0 is `offset` from centre 0."""
    first_negative, outputs = len(scratch.h), len(scratch.y)
    for row in range(0, contexts, 4):
        first, last = _centres_near(offset + row, window)
        set_row_products(scratch.x, scratch.y, scratch.scores, row, row + 4, first, last)
        set_row_products(scratch.x, scratch.y, scratch.scores, row, row + 4, first_negative, outputs)
    apply_sigmoid(scratch.scores, scratch.powers, _MAX_SCORE, contexts, outputs)


@njit(inline="always")
def _centres_near(at: int, window: int) -> Any:
    """Return the range of tiles of centres that four contexts from `at` on can have in reach."""
    return max(at - window, 0) // 4 * 4, (min(at + 4 + window, BLOCK_CENTRES) + 3) // 4 * 4


@njit(fastmath=REORDER_SUMS)
def _weigh_contexts(
    kept: KeptWords, scratch: Scratch, begin: int, offset: int, contexts: int, rate: float, share: float
) -> Any:
    """Fill errors from σ; return what the products of probabilities cannot hold of the loss, and the pairs."""
    scores, errors, products = scratch.scores, scratch.errors, scratch.products
    lowest, highest = scratch.lowest, scratch.highest
    loss, pairs = 0.0, 0
    for j in range(BLOCK_CENTRES):
        lowest[j], highest[j] = j - kept.left[begin + j], j + kept.right[begin + j]
    for i in range(contexts):
        at = offset + i
        row_pairs = 0
        probability: Any = 1.0
        for j in range(BLOCK_CENTRES):
            is_pair = (lowest[j] <= at) & (at <= highest[j]) & (at != j)
            score = scores[i, j] if is_pair else _ONE
            errors[i, j] = rate * (_ONE - score)
            probability *= score
            row_pairs += is_pair
        pairs += row_pairs
        loss += take_in(products, 0, probability)
        weight = -rate * share * np.float32(row_pairs)
        for k in range(BLOCK_CENTRES, scores.shape[1]):
            errors[i, k] = weight * scores[i, k]
        if row_pairs > 0:
            loss += share * row_pairs * take_in_negatives(products, row_pairs, scores[i])
    errors[contexts : contexts + 3] = 0  # the rest of the last tile
    return loss, pairs


@njit()
def _any_equal(centres: Any, negatives: Any) -> bool:
    """Return whether a negative equals a centre."""
    for centre in centres:
        for negative in negatives:
            if centre == negative:
                return True
    return False


@njit(fastmath=REORDER_SUMS)
def _forgive_equal_negatives(
    kept: KeptWords, scratch: Scratch, begin: int, offset: int, contexts: int, rate: float, share: float
) -> float:
    """Take the pairs whose centre equals a negative out of that negative's errors; return the change of the loss."""
    change = 0.0
    for j in range(BLOCK_CENTRES):
        for k in range(len(scratch.negatives)):
            if kept.word_ids[begin + j] == scratch.negatives[k]:
                for i in range(contexts):
                    at = offset + i
                    if scratch.lowest[j] <= at <= scratch.highest[j] and at != j:
                        score = scratch.scores[i, BLOCK_CENTRES + k]
                        scratch.errors[i, BLOCK_CENTRES + k] += rate * share * score
                        change += share * math.log(_ONE - score)
    return change


@njit()
def _add_context_gradients(scratch: Scratch, offset: int, contexts: int, window: int) -> None:
    """Fill x_gradient and y_gradient from errors."""
    errors, first_negative, outputs = scratch.errors, len(scratch.h), len(scratch.y)
    scratch.x_gradient[:] = 0
    scratch.y_gradient[:] = 0
    for row in range(0, contexts, 4):
        first, last = _centres_near(offset + row, window)
        add_weighted_rows(errors, scratch.y, scratch.x_gradient, row, row + 4, first, last)
        add_weighted_rows(errors, scratch.y, scratch.x_gradient, row, row + 4, first_negative, outputs)
        add_transposed_weighted_rows(errors, scratch.x, scratch.y_gradient, row, row + 4, first, last)
    add_transposed_weighted_rows(errors, scratch.x, scratch.y_gradient, 0, contexts, first_negative, outputs)
