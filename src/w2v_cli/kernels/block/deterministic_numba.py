"""Spans trained side by side with the same bytes on any number of threads (Numba).

A round takes the next block of every span. All are computed from one state of the matrices, then applied in the order
of the spans, rows shared out so that no two threads write one. Threads take tasks by chance, which does not affect the
result.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.atomics import get, get_and_add, yield_thread
from w2v_cli.jit.njit import njit, njit_part
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block.scratch import Model, Scratch
from w2v_cli.kernels.block.spans_numba import Draws, KeptWords, Text, draw_span
from w2v_cli.kernels.block.tiles_numba import Rows
from w2v_cli.kernels.block.train_numba import Span, block_bounds, choose_outputs, train_block

PARTS = 4  # among which the rows are shared out: as many threads can apply a round
_PATIENCE = 200  # looks at a counter before a thread yields its core
_NEXT_TASK, _DONE = 0, 8  # in `counters`, apart by a line of the cache


class Rounds(NamedTuple):
    """The data shared by the threads that train S spans.

    Attributes:
        starts, stops: (S,), corpus positions.
        first_rates, last_rates: (S,).
        bounds: (S, 3), what draw_span returned.
        word_ids, positions, left, right, chances: KeptWords of each span.
        x_gradient, y_gradient, output_ids: of each span's block, its gradients and the words of its outputs.
        losses, pairs: (S,).
        counters: (16,), zero at the start.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    first_rates: NDArray[np.float64]
    last_rates: NDArray[np.float64]
    bounds: NDArray[np.int64]
    word_ids: NDArray[np.int32]
    positions: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    chances: NDArray[np.uint32]
    x_gradient: NDArray[np.float32]
    y_gradient: NDArray[np.float32]
    output_ids: NDArray[np.int32]
    losses: NDArray[np.float64]
    pairs: NDArray[np.int64]
    counters: NDArray[np.int64]


@njit()
def join_rounds(
    model: Model,
    text: Text,
    draws: Draws,
    epoch: int,
    spans: int,
    is_skipgram: bool | None,  # noqa: FBT001  Numba calls by position
    is_classic: bool | None,  # noqa: FBT001
    rounds: Rounds,
    scratch: Scratch,
) -> None:
    """Run tasks until the first `spans` spans are trained; to be called by every thread, each with its own scratch.

    Tasks are numbered: `spans` to draw the spans, then for each round `spans` to compute blocks and PARTS to apply
    them. A thread takes the next number, and waits until the tasks of the phase before are done.
    """
    per_round = spans + PARTS
    while True:
        task = get_and_add(rounds.counters, _NEXT_TASK, 1)
        if task < spans:
            _draw(text, draws, epoch, rounds, task)
        else:
            number, of_round = (task - spans) // per_round, (task - spans) % per_round
            round_begin = task - of_round
            _wait(rounds.counters, round_begin)
            if not _is_any_left(rounds, spans, number):
                get_and_add(rounds.counters, _DONE, 1)  # a thread that is a round ahead waits for it
                return
            if of_round < spans:
                _compute(model, text, draws, epoch, is_skipgram, is_classic, rounds, scratch, of_round, number)
            else:
                _wait(rounds.counters, round_begin + spans)
                _apply(model, draws.window, rounds, spans, number, of_round - spans)
        get_and_add(rounds.counters, _DONE, 1)


@njit_part()
def _wait(counters: Any, tasks: int) -> None:
    """Wait until that many tasks are done."""
    looks = 0
    while get(counters, _DONE) < tasks:
        looks += 1
        if looks > _PATIENCE:
            yield_thread()


@njit_part()
def _is_any_left(rounds: Rounds, spans: int, number: int) -> bool:
    """Return whether any span has a block in this round."""
    for i in range(spans):  # noqa: SIM110  Numba knows no generators
        if rounds.bounds[i, 1] + number * BLOCK_CENTRES < rounds.bounds[i, 2]:
            return True
    return False


@njit(inline="always")
def _kept_words(rounds: Rounds, i: int) -> KeptWords:
    return KeptWords(rounds.word_ids[i], rounds.positions[i], rounds.left[i], rounds.right[i], rounds.chances[i])


@njit_part()
def _draw(text: Text, draws: Draws, epoch: int, rounds: Rounds, i: int) -> None:
    """Draw span i, and begin its sums."""
    bounds = draw_span(text, draws, epoch, rounds.starts[i], rounds.stops[i], _kept_words(rounds, i))
    rounds.bounds[i, 0], rounds.bounds[i, 1], rounds.bounds[i, 2] = bounds
    rounds.losses[i], rounds.pairs[i] = 0, 0


@njit_part()
def _compute(
    model: Model,
    text: Text,
    draws: Draws,
    epoch: int,
    is_skipgram: bool | None,  # noqa: FBT001  Numba calls by position
    is_classic: bool | None,  # noqa: FBT001
    rounds: Rounds,
    scratch: Scratch,
    i: int,
    number: int,
) -> None:
    """Fill the gradients of the block that span i has in round `number`."""
    count, first, last = rounds.bounds[i]
    begin = first + number * BLOCK_CENTRES
    if begin >= last:
        return
    span = Span(epoch, rounds.starts[i], rounds.stops[i], rounds.first_rates[i], rounds.last_rates[i])
    kept, block = _kept_words(rounds, i), block_bounds(begin, last, count, draws.window)
    choose_outputs(model, text, draws, epoch, kept, block, scratch)
    for k in range(len(scratch.output_ids)):
        scratch.output_ids[k] = rounds.output_ids[i, k] = scratch.next_ids[k]
    to_x, to_y = (
        Rows(rounds.x_gradient[i], scratch.in_order, is_fresh=True),
        Rows(rounds.y_gradient[i], scratch.in_order, is_fresh=True),
    )
    loss, pairs = train_block(model, draws, span, is_skipgram, is_classic, kept, block, scratch, to_x, to_y)
    rounds.losses[i] += loss
    rounds.pairs[i] += pairs


@njit_part()
def _apply(model: Model, window: int, rounds: Rounds, spans: int, number: int, part: int) -> None:
    """Add the gradients of a round's blocks to the rows of one part, in the order of the spans."""
    for i in range(spans):
        count, first, last = rounds.bounds[i]
        begin = first + number * BLOCK_CENTRES
        if begin < last:
            block = block_bounds(begin, last, count, window)
            contexts = rounds.word_ids[i][block.low : block.high]
            _add_to_own_rows(model.input_vectors, contexts, rounds.x_gradient[i], part)
            _add_to_own_rows(model.output_vectors, rounds.output_ids[i], rounds.y_gradient[i], part)


@njit_part()
def _add_to_own_rows(matrix: Any, word_ids: Any, steps: Any, part: int) -> None:
    """Add the steps to those rows of the words that belong to a part."""
    for i in range(len(word_ids)):
        row = word_ids[i]
        if row % PARTS == part:
            for d in range(matrix.shape[1]):
                matrix[row, d] += steps[i, d]
