"""Errors and losses from scores, and the shared negatives of a block, for both models (Numba).

Errors hold the learning rate and the sign, so that gradients are added as they are.
"""

from typing import Any

import numpy as np

from w2v_cli.jit.njit import njit, njit_part
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block.scratch import Scratch
from w2v_cli.kernels.block.sigmoid_numba import sigmoid_and_loss
from w2v_cli.kernels.block.spans_numba import BlockBounds, KeptWords
from w2v_cli.kernels.block.sums_numba import Sums
from w2v_cli.kernels.block.tiles_numba import Rows, fill_rows, set_products, transpose_rows

_ZERO, _ONE = np.float32(0), np.float32(1)
# Sums may be taken in any order and fused: it changes the last bits of a float32 sum, never its meaning.
_REORDER_SUMS = {"reassoc", "contract", "nsz", "arcp"}


@njit_part()
def plan_sums(
    kept: KeptWords, block: BlockBounds, window: int, rows: int, centre: int, place: int, scratch: Scratch
) -> None:
    """Fill the plans of a block, see Scratch; rows: those that meet the negatives.

    centre, place: 0 and 1 if the weights of a window are a row, 1 and 0 if they are a column.
    """
    for j in range(BLOCK_CENTRES):
        left, right = kept.left[block.begin + j], kept.right[block.begin + j]
        scratch.windows[j, centre], scratch.windows[j, place] = j, window - left
        scratch.windows[j, 2] = block.begin + j - block.low - left
        scratch.windows[j, 3] = left + right + 1 if left + right > 0 else 0
    for i in range(block.high - block.low):
        at = block.low - block.begin + i  # counted from the first centre
        first, last = max(at - window, 0), min(at + window + 1, BLOCK_CENTRES)
        scratch.contexts[i, centre] = scratch.contexts[i, 2] = first
        scratch.contexts[i, place], scratch.contexts[i, 3] = at - first + window, last - first
    scratch.of_negatives[:, 3] = rows


@njit_part(fastmath=_REORDER_SUMS)
def weigh_pairs(scratch: Scratch, rate: float) -> Any:
    """Fill pair_errors from pair_scores; return the loss of all pairs."""
    scores, weights, errors = scratch.flat_pair_scores, scratch.flat_pair_weights, scratch.flat_pair_errors
    loss_sum = _ZERO
    for i in range(len(scores)):
        sigmoid, loss, _ = sigmoid_and_loss(scores[i])
        errors[i] = rate * weights[i] * (_ONE - sigmoid)
        loss_sum += weights[i] * loss
    return loss_sum


@njit(inline="always")
def train_negatives(x: Rows, count: int, y: Rows, rate: float, share: float, scratch: Scratch) -> Any:
    """Fill negative_errors of the first `count` rows of x against all negatives; return the loss."""
    transpose_rows(y, BLOCK_CENTRES, scratch.negatives)
    for i in range(0, count, 4):
        set_products(x, i, scratch.negatives, scratch.negative_scores)
    return share * _weigh_negatives(scratch, count, rate * share)


@njit_part(fastmath=_REORDER_SUMS)
def _weigh_negatives(scratch: Scratch, count: int, rate: float) -> Any:
    scores, counts, errors = scratch.flat_negative_scores, scratch.flat_negative_counts, scratch.flat_negative_errors
    loss_sum = _ZERO
    for i in range(count * scratch.negative_scores.shape[1]):
        sigmoid, loss, score = sigmoid_and_loss(scores[i])
        errors[i] = -rate * counts[i] * sigmoid
        loss_sum += counts[i] * (loss + score)
    return loss_sum


@njit_part()
def count_negatives(scratch: Scratch, plan: Any, rows: int) -> None:
    """Count every negative once for each pair of a row, see row_pairs, unless it equals the pair's centre.

    plan: of each centre's pairs, where they lie in pair_weights and which rows they are of, see sums_numba.Sums.
    """
    fill_rows(scratch.row_pairs, rows, scratch.negative_counts)
    _find_equal(scratch.output_ids, scratch.is_a_centre)
    for k in range(len(scratch.is_a_centre)):
        if scratch.is_a_centre[k]:
            _mask_accidental_hit(scratch, plan, k)


@njit_part()
def _find_equal(output_ids: Any, is_a_centre: Any) -> None:
    """Set is_a_centre[k] to whether negative k equals a centre."""
    for k in range(len(is_a_centre)):
        negative, is_equal = output_ids[BLOCK_CENTRES + k], np.int32(0)
        for j in range(BLOCK_CENTRES):  # a number that the compiler knows: all are compared at once
            is_equal |= np.int32(output_ids[j] == negative)
        is_a_centre[k] = is_equal


@njit_part()
def _mask_accidental_hit(scratch: Scratch, plan: Any, k: int) -> None:
    """Mask negative k in every pair whose target is the same word (accidental hit)."""
    for j in range(BLOCK_CENTRES):
        if scratch.output_ids[j] == scratch.output_ids[BLOCK_CENTRES + k]:
            row, column, first, count = plan[j]
            for n in range(count):
                scratch.negative_counts[first + n, k] -= scratch.pair_weights[row, column + n]


@njit(inline="always")
def only_negatives(y: Rows) -> Rows:
    """Return the rows of the negatives, of those of the centres and the negatives."""
    return Rows(y.matrix, y.ids[BLOCK_CENTRES:], y.is_fresh)


@njit(inline="always")
def negatives_of(scratch: Scratch, y: Rows) -> Sums:
    """Return the sums, for each row, of its gradients from the negatives."""
    return Sums(scratch.negative_errors, scratch.to_negatives, 0, 1, y)


@njit(inline="always")
def rows_of(scratch: Scratch, x: Rows) -> Sums:
    """Return the sums, for each negative, of its gradients from the rows."""
    return Sums(scratch.negative_errors, scratch.of_negatives, 1, 0, x)


@njit(inline="always")
def nothing(scratch: Scratch, rows: Rows) -> Sums:
    """Return empty sums."""
    return Sums(scratch.negative_errors, scratch.empty, 0, 0, rows)
