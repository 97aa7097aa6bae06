"""Rows against outputs: the scores of a block, their errors and loss, and the gradients added to rows (Numba).

Errors hold the learning rate and the sign, so that gradients are added as they are.
"""

from typing import Any

import numpy as np

from w2v_cli.blocks import BLOCK_CENTRES
from w2v_cli.compiled import njit
from w2v_cli.kernels.scratch import Scratch
from w2v_cli.kernels.sigmoid_numba import sigmoid_and_loss
from w2v_cli.kernels.tiles_numba import Rows, add_weighted_rows, set_row_products

_ZERO, _ONE = np.float32(0), np.float32(1)
# Sums may be taken in any order and fused: it changes the last bits of a float32 sum, never its meaning.
_REORDER_SUMS = {"reassoc", "contract", "nsz", "arcp"}


@njit(inline="always")
def train_pairs(
    x: Rows,
    y: Rows,
    rows: int,
    offset: int,
    reach: int,
    rate: float,
    share: float,
    scratch: Scratch,
    to_x: Rows,
    to_y: Rows,
) -> Any:
    """Add the gradients of the pairs and negatives of a block to to_x and to_y; return the loss and the pairs.

    Row i of x, i < rows, stands at place offset + i of the centres, and is a pair with none farther than `reach` from
    there: is_pair says. Each pair counts the negatives, `share` a piece, but for those that equal its centre.
    to_x is written while y is read, then to_y while x is: to_y may be y.
    """
    outputs = len(y.ids)
    for row in range(0, rows, 4):
        first, last = centres_near(offset + row, reach)
        set_row_products(x, y, scratch.scores, row, first, last)
        set_row_products(x, y, scratch.scores, row, BLOCK_CENTRES, outputs)
    loss, pairs = _weigh(scratch, rows, rate, share)
    if _any_equal(scratch.output_ids):
        loss += _forgive_equal_negatives(scratch, rows, rate, share)
    errors = scratch.errors
    for row in range(0, rows, 4):
        first, last = centres_near(offset + row, reach)
        add_weighted_rows(errors, y, first, last, BLOCK_CENTRES, outputs, to_x, row, rows)
    for j in range(0, BLOCK_CENTRES, 4):
        first, last = rows_near(j, offset, reach, rows)
        add_weighted_rows(errors.T, x, first, last, 0, 0, to_y, j, BLOCK_CENTRES)
    for k in range(BLOCK_CENTRES, outputs, 4):
        add_weighted_rows(errors.T, x, 0, rows, 0, 0, to_y, k, outputs)
    return loss, pairs


@njit(inline="always")
def centres_near(place: int, reach: int) -> Any:
    """Return the range of tiles of centres that four rows from `place` on can have in reach."""
    return max(place - reach, 0) // 4 * 4, (min(place + 4 + reach, BLOCK_CENTRES) + 3) // 4 * 4


@njit(inline="always")
def rows_near(centre: int, offset: int, reach: int, rows: int) -> Any:
    """Return the range of rows that four centres from `centre` on can have in reach."""
    return max(centre - reach - offset, 0), min(centre + 4 + reach - offset, rows)


@njit(fastmath=_REORDER_SUMS)
def _weigh(scratch: Scratch, rows: int, rate: float, share: float) -> Any:
    """Fill errors from scores; return the loss and the pairs, all negatives counted."""
    outputs = len(scratch.output_ids)
    _fill_sigmoids(scratch.flat_scores, scratch.flat_sigmoids, scratch.flat_losses, rows * outputs)
    scores, sigmoids, errors = scratch.scores, scratch.sigmoids, scratch.errors
    column_losses, losses, is_pair = scratch.column_losses, scratch.losses, scratch.is_pair
    column_losses[:] = 0
    pairs = _ZERO
    for i in range(rows):
        row_pairs = _ZERO
        for j in range(BLOCK_CENTRES):
            errors[i, j] = rate * is_pair[i, j] * (_ONE - sigmoids[i, j])
            column_losses[j] += is_pair[i, j] * losses[i, j]
            row_pairs += is_pair[i, j]
        weight = share * row_pairs
        for k in range(BLOCK_CENTRES, outputs):
            errors[i, k] = -rate * weight * sigmoids[i, k]
            column_losses[k] += weight * (losses[i, k] + scores[i, k])
        pairs += row_pairs
    errors[rows : rows + 3] = 0  # the rest of the last tile
    return column_losses.sum(), np.int64(pairs)


@njit(fastmath=_REORDER_SUMS)
def _fill_sigmoids(scores: Any, sigmoids: Any, losses: Any, count: int) -> None:
    """Fill sigmoids, and losses with -log of them, from the first scores, which are clipped."""
    for i in range(count):
        sigmoids[i], losses[i], scores[i] = sigmoid_and_loss(scores[i])


@njit()
def _any_equal(output_ids: Any) -> bool:
    """Return whether a negative equals a centre."""
    equal = np.int32(0)
    for j in range(BLOCK_CENTRES):
        for k in range(BLOCK_CENTRES, len(output_ids)):
            equal |= np.int32(output_ids[j] == output_ids[k])
    return bool(equal)


@njit()
def _forgive_equal_negatives(scratch: Scratch, rows: int, rate: float, share: float) -> float:
    """Take the pairs whose centre equals a negative out of that negative's errors; return the change of the loss."""
    change = 0.0
    for j in range(BLOCK_CENTRES):
        for k in range(BLOCK_CENTRES, len(scratch.output_ids)):
            if scratch.output_ids[j] == scratch.output_ids[k]:
                for i in range(rows):
                    weight = share * scratch.is_pair[i, j]
                    scratch.errors[i, k] += rate * weight * scratch.sigmoids[i, k]
                    change -= weight * (scratch.losses[i, k] + scratch.scores[i, k])
    return change
