"""A span of the corpus trained block by block (Numba).

Nothing is allocated and nothing is locked: threads that train different spans read and write the same matrices
(Hogwild: Niu, Recht, Ré, Wright 2011).
"""

from typing import Any, NamedTuple

import numpy as np

from w2v_cli.jit.njit import njit, njit_part
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block.cbow_numba import train_cbow_block
from w2v_cli.kernels.block.scratch import Model, Scratch
from w2v_cli.kernels.block.skipgram_numba import train_skipgram_block
from w2v_cli.kernels.block.spans_numba import BlockBounds, Draws, KeptWords, Text, draw_shared_negatives, draw_span
from w2v_cli.kernels.block.tiles_numba import Rows, prefetch_rows


class Span(NamedTuple):
    """The corpus positions start … stop of an epoch, and the learning rates at both."""

    epoch: int
    start: int
    stop: int
    first_rate: float
    last_rate: float


@njit(inline="always")
def block_bounds(begin: int, last: int, count: int, window: int) -> BlockBounds:
    """Return the bounds of the block whose first centre is kept word `begin`."""
    end = min(begin + BLOCK_CENTRES, last)
    return BlockBounds(begin, end, max(begin - window, 0), min(end + window, count))


@njit_part()
def choose_outputs(
    model: Model, text: Text, draws: Draws, epoch: int, kept: KeptWords, block: BlockBounds, scratch: Scratch
) -> None:
    """Fill next_ids with a block's centres and negatives, and bring all rows of the block into the cache."""
    for j in range(block.end - block.begin):
        scratch.next_ids[j] = kept.word_ids[block.begin + j]
    draw_shared_negatives(text, draws, epoch, kept.positions[block.begin], scratch.next_ids[BLOCK_CENTRES:])
    prefetch_rows(model.output_vectors, scratch.next_ids)
    prefetch_rows(model.input_vectors, kept.word_ids[min(block.begin + draws.window, block.high) : block.high])


@njit(inline="always")
def train_block(
    model: Model,
    draws: Draws,
    span: Span,
    is_skipgram: bool | None,  # noqa: FBT001  Numba calls by position
    is_classic: bool | None,  # noqa: FBT001
    kept: KeptWords,
    block: BlockBounds,
    scratch: Scratch,
    to_x: Rows,
    to_y: Rows,
) -> Any:
    """Add the gradients of the block whose outputs were chosen to to_x and to_y; return its loss and positive pairs."""
    position = kept.positions[block.begin]
    slope = (span.last_rate - span.first_rate) / (span.stop - span.start)
    rate = np.float32(span.first_rate + slope * (position - span.start))
    share = np.float32(model.negatives / (len(scratch.output_ids) - BLOCK_CENTRES))
    x = Rows(model.input_vectors, kept.word_ids[block.low : block.high], is_fresh=False)
    y = Rows(model.output_vectors, scratch.output_ids, is_fresh=False)
    window, loss, pairs = draws.window, 0.0, 0
    if is_skipgram is not None:
        loss, pairs = train_skipgram_block(kept, block, window, rate, share, scratch, x, y, to_x, to_y)
    if is_classic is not None:
        loss, pairs = train_cbow_block(kept, block, window, is_classic, rate, share, scratch, x, y, to_x, to_y)
    return loss, pairs


@njit()
def train_span(
    model: Model,
    text: Text,
    draws: Draws,
    span: Span,
    is_skipgram: bool | None,  # noqa: FBT001  Numba calls by position
    is_classic: bool | None,  # noqa: FBT001
    kept: KeptWords,
    scratch: Scratch,
) -> Any:
    """Train on the blocks of a span; return the summed loss in nats and the number of positive pairs.

    Skip-gram if is_classic is None; CBOW, with or without its classic gradient, if is_skipgram is None. Numba
    does not compile a branch that a None rules out: half of the compilation is saved.
    """
    count, first, last = draw_span(text, draws, span.epoch, span.start, span.stop, kept)
    loss, pairs = 0.0, 0
    for begin in range(first, last, BLOCK_CENTRES):
        block = block_bounds(begin, last, count, draws.window)
        if begin == first:
            choose_outputs(model, text, draws, span.epoch, kept, block, scratch)
        for k in range(len(scratch.output_ids)):
            scratch.output_ids[k] = scratch.next_ids[k]
        if block.end < last:
            following = block_bounds(block.end, last, count, draws.window)
            choose_outputs(model, text, draws, span.epoch, kept, following, scratch)
        to_x = Rows(model.input_vectors, kept.word_ids[block.low : block.high], is_fresh=False)
        to_y = Rows(model.output_vectors, scratch.output_ids, is_fresh=False)
        block_loss, block_pairs = train_block(
            model, draws, span, is_skipgram, is_classic, kept, block, scratch, to_x, to_y
        )
        loss, pairs = loss + block_loss, pairs + block_pairs
    return loss, pairs
