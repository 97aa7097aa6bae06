"""Skip-gram on a block, compiled by Numba: each context word's input vector against the centres and the negatives."""

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
from w2v_cli.kernels.block.tiles_numba import Rows, copy_rows, set_pair_products, set_sums_of_two


@njit(inline="always")
def train_skipgram_block(
    kept: KeptWords,
    block: BlockBounds,
    window: int,
    rate: float,
    share: float,
    scratch: Scratch,
    x: Rows,
    y: Rows,
    to_x: Rows,
    to_y: Rows,
) -> Any:
    """Add the gradients of a block to to_x and to_y; return the loss and the pairs; see skipgram_block_step.

    x: the input vectors of the context words; y: the output vectors of the centres and negatives.
    """
    contexts = block.high - block.low
    copy = Rows(scratch.x, scratch.in_order, is_fresh=True)  # x as it was: to_x may be x
    copy_rows(x, contexts, scratch.x)
    plan_sums(kept, block, window, contexts, 0, 1, scratch)
    pairs = _count_pairs(kept, block, scratch)
    for j in range(BLOCK_CENTRES):
        place, first = scratch.windows[j, 1], scratch.windows[j, 2]
        for n in range(0, scratch.windows[j, 3], 4):
            set_pair_products(y, j, 0, copy, first + n, scratch.pair_scores, j, place + n)
    loss = weigh_pairs(scratch, rate) + train_negatives(copy, contexts, y, rate, share, scratch)
    errors, none = scratch.pair_errors, nothing(scratch, copy)
    add_sums_of_same(to_x, Sums(errors, scratch.contexts[:contexts], 1, -1, y), negatives_of(scratch, y))
    add_sums(to_y, Sums(errors, scratch.windows, 0, 1, copy), none)
    add_sums_of_same(only_negatives(to_y), none, rows_of(scratch, copy))
    return loss, pairs


@njit_part()
def _count_pairs(kept: KeptWords, block: BlockBounds, scratch: Scratch) -> int:
    """Fill pair_weights, row_pairs and negative_counts; return the number of pairs."""
    left = Rows(scratch.reaches_left, kept.left[block.begin :], is_fresh=False)
    right = Rows(scratch.reaches_right, kept.right[block.begin :], is_fresh=False)
    set_sums_of_two(left, right, BLOCK_CENTRES, scratch.pair_weights)
    changes, pairs = scratch.row_pairs, 0
    changes[:] = 0  # from a row to the next: windows begin and end
    for j in range(BLOCK_CENTRES):
        _, _, first, count = scratch.windows[j]
        changes[0, first] += count > 0
        changes[0, first + count] -= count > 0
        pairs += max(count - 1, 0)
    windows = np.float32(0)
    for i in range(block.high - block.low):
        windows += changes[0, i]
        scratch.row_pairs[0, i] = windows
    for j in range(BLOCK_CENTRES):  # a centre is no pair of itself
        scratch.row_pairs[0, block.begin - block.low + j] -= scratch.windows[j, 3] > 0
    count_negatives(scratch, scratch.windows, block.high - block.low)
    return pairs
