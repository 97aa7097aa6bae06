"""A span trained with the same bytes on any number of threads: rounds of blocks from one state of the matrices (Numba).

The blocks of a round are computed side by side and applied in their order, each row by one thread alone.
"""

from typing import Any

import numpy as np
from numba import prange

from w2v_cli.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block_numba import Span, block_bounds, compute_block
from w2v_cli.kernels.compiled import njit
from w2v_cli.kernels.loss_numba import remaining_loss
from w2v_cli.kernels.scratch import Model, Scratch
from w2v_cli.kernels.spans_numba import Draws, KeptWords, Text, draw_span


@njit(inline="always")
def _slot(stack: Scratch, i: int) -> Scratch:
    """Return the scratch of block i of the round out of a stack of scratches."""
    return Scratch(
        stack.x[i],
        stack.x_gradient[i],
        stack.y[i],
        stack.y_gradient[i],
        stack.h[i],
        stack.h_gradient[i],
        stack.scores[i],
        stack.powers[i],
        stack.errors[i],
        stack.negatives[i],
        stack.lowest[i],
        stack.highest[i],
        stack.products[i],
    )


@njit(parallel=True)
def train_span_in_rounds(
    model: Model,
    text: Text,
    draws: Draws,
    span: Span,
    is_classic: bool | None,  # noqa: FBT001  Numba calls by position
    kept: KeptWords,
    stack: Scratch,
    parts: int,
) -> Any:
    """Train on the blocks of a span, len(stack.x) at a time; return the summed loss in nats and the positive pairs.

    stack: a Scratch whose arrays have one axis more, in front; parts: among how many threads the rows are shared out.
    """
    count, first, last = draw_span(text, draws, span.epoch, span.start, span.stop, kept)
    size = len(stack.x)
    losses, pairs = np.zeros(size), np.zeros(size, np.int64)
    stack.products[:] = 1
    for round_first in range(first, last, size * BLOCK_CENTRES):
        blocks = min(size, (last - round_first + BLOCK_CENTRES - 1) // BLOCK_CENTRES)
        for i in prange(blocks):
            block = block_bounds(round_first + i * BLOCK_CENTRES, last, count, draws.window)
            loss, count_pairs = compute_block(model, text, draws, span, is_classic, kept, block, _slot(stack, i))
            losses[i] += loss
            pairs[i] += count_pairs
        for part in prange(parts):
            for i in range(blocks):
                block = block_bounds(round_first + i * BLOCK_CENTRES, last, count, draws.window)
                contexts, centres = kept.word_ids[block.low : block.high], kept.word_ids[block.begin : block.end]
                _add_to_own_rows(model.input_vectors, contexts, stack.x_gradient[i], 0, part, parts)
                _add_to_own_rows(model.output_vectors, centres, stack.y_gradient[i], 0, part, parts)
                _add_to_own_rows(
                    model.output_vectors, stack.negatives[i], stack.y_gradient[i], BLOCK_CENTRES, part, parts
                )
    share = np.float32(model.negatives / stack.negatives.shape[1])
    total = 0.0
    for i in range(size):
        total += losses[i] + remaining_loss(stack.products[i], share)
    return total, pairs.sum()


@njit()
def _add_to_own_rows(matrix: Any, word_ids: Any, steps: Any, first: int, part: int, parts: int) -> None:
    """Add steps[first:] to those rows of the words that belong to this part."""
    for i in range(len(word_ids)):
        row = word_ids[i]
        if row % parts == part:
            for d in range(matrix.shape[1]):
                matrix[row, d] += steps[first + i, d]
