"""A span of the corpus trained block by block (Numba).

Nothing is allocated and nothing is locked: threads that train different spans read and write the same matrices
(Hogwild: Niu, Recht, Ré, Wright 2011).
"""

from typing import Any, NamedTuple

import numpy as np

from w2v_cli.blocks import BLOCK_CENTRES
from w2v_cli.kernels.cbow_numba import compute_cbow_block
from w2v_cli.kernels.compiled import njit
from w2v_cli.kernels.loss_numba import remaining_loss
from w2v_cli.kernels.scratch import Model, Scratch
from w2v_cli.kernels.skipgram_numba import compute_skipgram_block
from w2v_cli.kernels.spans_numba import BlockBounds, Draws, KeptWords, Text, draw_shared_negatives, draw_span


class Span(NamedTuple):
    """The corpus positions start … stop of an epoch, and the learning rates at both."""

    epoch: int
    start: int
    stop: int
    first_rate: float
    last_rate: float


@njit()
def _read_rows(matrix: Any, word_ids: Any, out: Any, first: int) -> None:
    """Copy the rows of the words to out[first:]."""
    for i in range(len(word_ids)):
        row = word_ids[i]
        for d in range(matrix.shape[1]):
            out[first + i, d] = matrix[row, d]


@njit()
def _add_to_rows(matrix: Any, word_ids: Any, steps: Any, first: int) -> None:
    """Add steps[first:] to the rows of the words; a word that occurs several times receives the sum."""
    for i in range(len(word_ids)):
        row = word_ids[i]
        for d in range(matrix.shape[1]):
            matrix[row, d] += steps[first + i, d]


@njit()
def compute_block(
    model: Model,
    text: Text,
    draws: Draws,
    span: Span,
    is_skipgram: bool | None,  # noqa: FBT001  Numba calls by position
    is_classic: bool | None,  # noqa: FBT001
    kept: KeptWords,
    block: BlockBounds,
    scratch: Scratch,
) -> Any:
    """Draw a block's negatives, read its rows, fill its gradients; return the loss and positive pairs (train_span)."""
    position = kept.positions[block.begin]
    slope = (span.last_rate - span.first_rate) / (span.stop - span.start)
    rate = np.float32(span.first_rate + slope * (position - span.start))
    share = np.float32(model.negatives / len(scratch.negatives))
    draw_shared_negatives(text, draws, span.epoch, position, scratch.negatives)
    _read_rows(model.input_vectors, kept.word_ids[block.low : block.high], scratch.x, 0)
    _read_rows(model.output_vectors, kept.word_ids[block.begin : block.end], scratch.y, 0)
    _read_rows(model.output_vectors, scratch.negatives, scratch.y, BLOCK_CENTRES)
    loss, pairs = 0.0, 0
    if is_skipgram is not None:
        loss, pairs = compute_skipgram_block(kept, block, draws.window, rate, share, scratch)
    if is_classic is not None:
        loss, pairs = compute_cbow_block(kept, block, is_classic, rate, share, scratch)
    return loss, pairs


@njit(inline="always")
def block_bounds(begin: int, last: int, count: int, window: int) -> BlockBounds:
    """Return the bounds of the block whose first centre is kept word `begin`."""
    end = min(begin + BLOCK_CENTRES, last)
    return BlockBounds(begin, end, max(begin - window, 0), min(end + window, count))


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

    Skip-gram where is_classic is None; CBOW, with or without its classic gradient, where is_skipgram is None. Numba
    does not compile a branch that a None rules out: half of the compilation is saved.
    """
    count, first, last = draw_span(text, draws, span.epoch, span.start, span.stop, kept)
    loss, pairs = 0.0, 0
    scratch.products[:] = 1
    for begin in range(first, last, BLOCK_CENTRES):
        block = block_bounds(begin, last, count, draws.window)
        block_loss, block_pairs = compute_block(model, text, draws, span, is_skipgram, is_classic, kept, block, scratch)
        loss, pairs = loss + block_loss, pairs + block_pairs
        _add_to_rows(model.input_vectors, kept.word_ids[block.low : block.high], scratch.x_gradient, 0)
        _add_to_rows(model.output_vectors, kept.word_ids[block.begin : block.end], scratch.y_gradient, 0)
        _add_to_rows(model.output_vectors, scratch.negatives, scratch.y_gradient, BLOCK_CENTRES)
    return loss + remaining_loss(scratch.products, np.float32(model.negatives / len(scratch.negatives))), pairs
