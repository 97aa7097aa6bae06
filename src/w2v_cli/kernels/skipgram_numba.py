"""Skip-gram on a block, compiled by Numba: each context word's input vector against the centres and the negatives."""

from typing import Any

from w2v_cli.compiled import njit
from w2v_cli.kernels.pairs_numba import train_pairs
from w2v_cli.kernels.scratch import Scratch
from w2v_cli.kernels.spans_numba import BlockBounds, KeptWords
from w2v_cli.kernels.tiles_numba import Rows


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
    offset, contexts, is_pair = block.low - block.begin, block.high - block.low, scratch.is_pair
    is_pair[:] = 0
    for j in range(block.end - block.begin):
        at = j - offset
        for i in range(at - kept.left[block.begin + j], at + kept.right[block.begin + j] + 1):
            is_pair[i, j] = 1
        is_pair[at, j] = 0
    copy = Rows(scratch.x, scratch.in_order, is_fresh=True)  # x as it was: to_x may be x
    for i in range(contexts):
        for d in range(scratch.x.shape[1]):
            scratch.x[i, d] = x.matrix[x.ids[i], d]
    return train_pairs(copy, y, contexts, offset, window, rate, share, scratch, to_x, to_y)
