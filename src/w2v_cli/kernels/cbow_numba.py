"""CBOW on a block, compiled by Numba: the mean of each centre's window against the centre and the negatives."""

from typing import Any

import numpy as np

from w2v_cli.blocks import BLOCK_CENTRES
from w2v_cli.compiled import njit
from w2v_cli.kernels.pairs_numba import centres_near, rows_near, train_pairs
from w2v_cli.kernels.scratch import Scratch
from w2v_cli.kernels.spans_numba import BlockBounds, KeptWords
from w2v_cli.kernels.tiles_numba import Rows, add_weighted_rows

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
    offset, contexts = block.low - block.begin, block.high - block.low
    means, spread = scratch.means, scratch.spread
    h = Rows(scratch.h, scratch.in_order, is_fresh=True)
    h_gradient = Rows(scratch.h_gradient, scratch.in_order, is_fresh=True)
    _weigh_windows(kept, block, is_classic, means, spread)
    for j in range(0, BLOCK_CENTRES, 4):
        first, last = rows_near(j, offset, window, contexts)
        add_weighted_rows(means.T, x, first, last, 0, 0, h, j, BLOCK_CENTRES)
    scratch.is_pair[:] = 0
    for j in range(block.end - block.begin):
        scratch.is_pair[j, j] = kept.left[block.begin + j] + kept.right[block.begin + j] > 0
    loss, centres = train_pairs(h, y, BLOCK_CENTRES, 0, 0, rate, share, scratch, h_gradient, to_y)
    for row in range(0, contexts, 4):
        first, last = centres_near(offset + row, window)
        add_weighted_rows(spread, h_gradient, first, last, 0, 0, to_x, row, contexts)
    return loss, centres


@njit()
def _weigh_windows(
    kept: KeptWords,
    block: BlockBounds,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
    means: Any,
    spread: Any,
) -> None:
    """Fill means[i, j] with the share of context i in the mean of window j, and spread with that of the gradient."""
    means[:] = 0
    spread[:] = 0
    for j in range(block.end - block.begin):
        at = block.begin + j - block.low
        left, right = kept.left[block.begin + j], kept.right[block.begin + j]
        share = _ONE / np.float32(max(left + right, 1))
        for i in range(at - left, at + right + 1):
            means[i, j] = share
            spread[i, j] = _ONE if is_classic else share
        means[at, j] = spread[at, j] = _ZERO
