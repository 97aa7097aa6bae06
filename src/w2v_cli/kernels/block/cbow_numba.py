"""CBOW on a block, compiled by Numba: the mean of each centre's window against the centre and the negatives."""

from typing import Any

import numpy as np

from w2v_cli.jit.njit import njit, njit_part
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block.pairs_numba import (
    count_negatives,
    negatives_of,
    nothing,
    only_negatives,
    plan_sums,
    rows_of,
    train_negatives,
    weigh_pairs,
)
from w2v_cli.kernels.block.scratch import Scratch
from w2v_cli.kernels.block.spans_numba import BlockBounds, KeptWords
from w2v_cli.kernels.block.sums_numba import Sums, add_sums, add_sums_of_same
from w2v_cli.kernels.block.tiles_numba import Rows, set_pair_products

_ZERO, _ONE = np.float32(0), np.float32(1)


@njit(inline="always")
def train_cbow_block(
    kept: KeptWords,
    block: BlockBounds,
    window: int,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
    rate: float,
    share: float,
    scratch: Scratch,
    x: Rows,
    y: Rows,
    to_x: Rows,
    to_y: Rows,
) -> Any:
    """Add the gradients of a block to to_x and to_y; return the loss and the centres; see cbow_block_step.

    x: the input vectors of the context words; y: the output vectors of the centres and negatives.
    """
    contexts = block.high - block.low
    h = Rows(scratch.h, scratch.in_order, is_fresh=True)
    h_gradient = Rows(scratch.h_gradient, scratch.in_order, is_fresh=True)
    plan_sums(kept, block, window, BLOCK_CENTRES, 1, 0, scratch)
    centres = _weigh_windows(kept, block, window, is_classic, scratch)
    none = nothing(scratch, x)
    add_sums(h, Sums(scratch.means, scratch.windows, 1, 0, x), none)
    for j in range(0, BLOCK_CENTRES, 4):
        set_pair_products(h, j, 1, y, j, scratch.pair_scores, 0, j)
    loss = weigh_pairs(scratch, rate) + train_negatives(h, BLOCK_CENTRES, y, rate, share, scratch)
    errors = scratch.pair_errors
    add_sums_of_same(h_gradient, Sums(errors, scratch.pairs, 0, 0, y), negatives_of(scratch, y))
    add_sums(to_y, Sums(errors, scratch.pairs, 0, 0, h), none)
    add_sums_of_same(only_negatives(to_y), none, rows_of(scratch, h))
    add_sums(to_x, Sums(scratch.spread, scratch.contexts[:contexts], -1, 1, h_gradient), none)
    return loss, centres


@njit_part()
def _weigh_windows(
    kept: KeptWords,
    block: BlockBounds,
    window: int,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
    scratch: Scratch,
) -> int:
    """Fill means and spread with what each context counts in a mean and receives of its gradient, and the counts.

    Return how many centres have a window. The inner loops are over all centres, a number that the compiler knows: it
    vectorises them whole, which it does not with the few places of a window.
    """
    left, right = kept.left[block.begin :], kept.right[block.begin :]
    centres = 0
    for j in range(BLOCK_CENTRES):
        has_window = left[j] + right[j] > 0
        scratch.pair_weights[0, j] = scratch.row_pairs[0, j] = has_window
        centres += has_window
    for place in range(2 * window + 1):
        before, after = window - place, place - window  # the centre's own place is out of reach: one of them is 0
        for j in range(BLOCK_CENTRES):
            is_in_reach = (before > 0 and left[j] >= before) or (after > 0 and right[j] >= after)
            share = _ONE / np.float32(max(left[j] + right[j], 1))
            scratch.means[place, j] = share if is_in_reach else _ZERO
            scratch.spread[place, j] = (_ONE if is_classic else share) if is_in_reach else _ZERO
    count_negatives(scratch, scratch.pairs, BLOCK_CENTRES)
    return centres
