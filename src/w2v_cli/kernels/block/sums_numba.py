"""Sums of weighted rows, in registers (Numba)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import has_avx512, njit, njit_part
from w2v_cli.jit.simd import add, load, multiply_add, splat, store, zeros
from w2v_cli.kernels.block.tiles_numba import Rows

# Floats of a sum that are held in registers. A fused multiply-add has a latency of four cycles and two are started in
# each, so that eight registers are the fewest that keep the processor busy.
_LONGEST = 64 + 32 + 16  # 14 registers of 256 bits, which leaves one for the weight, or 7 of 512
_LONG, _SHORT, _SHORTEST = 64, 32, 16
_WIDEST = 64 + 128 if has_avx512() else _LONG  # 12 registers of 512 bits
_LONG_PAIR = 64 + 32  # of each of two sums: 12 registers of 512 bits


class Sums(NamedTuple):
    """Sums of weighted rows, one for each line (row, column, first, count) of `plan`, an int32 array (R, 4).

    Sum i is Σ weights[row + n · down, column + n · right] · rows[first + n] over n < count.
    """

    weights: NDArray[np.float32]
    plan: NDArray[np.int32]
    down: int
    right: int
    rows: Rows


@njit_part()
def add_sums(to: Rows, sums: Sums, more: Sums) -> None:
    """Add sum i of `sums` and sum i of `more` to row i of `to`, for all that both plan.

    No bare number is passed: Numba would compile this function once for each constant.
    """
    columns, column = to.matrix.shape[1], 0
    while column < columns:
        left = columns - column
        if left >= _LONGEST and (left - _LONGEST) % _LONG == 0:  # runs of 64 keep the processor busy as well
            _add_run(to, sums, more, column, zeros(_LONGEST))
            column += _LONGEST
        elif left >= _WIDEST:
            _add_run(to, sums, more, column, zeros(_WIDEST))
            column += _WIDEST
        elif left >= _LONG:
            _add_run(to, sums, more, column, zeros(_LONG))
            column += _LONG
        elif left >= _SHORT:
            _add_run(to, sums, more, column, zeros(_SHORT))
            column += _SHORT
        else:
            _add_run(to, sums, more, column, zeros(_SHORTEST))
            column += _SHORTEST


@njit(inline="always")
def _add_run(to: Rows, sums: Sums, more: Sums, column: int, none: Any) -> None:
    """Add the sums of the columns from `column` on, as many as the length of `none`, a Lanes of zeros.

    The data that the sums of a run share fits the first-level cache; whole rows might not.
    """
    for i in range(min(len(sums.plan), len(more.plan))):
        _add_lanes(to, i, column, _added(more, i, column, _added(sums, i, column, none)))


@njit_part()
def _add_sums_by_two(to: Rows, sums: Sums, more: Sums) -> None:
    """Add sums like `add_sums`, two at a time; all sums of `more` are of the same rows, each read once for both."""
    columns, column = to.matrix.shape[1], 0
    while column < columns:
        left = columns - column
        if left >= _LONGEST and (left - _LONGEST) % _LONG == 0:
            _add_run_by_two(to, sums, more, column, zeros(_LONGEST))
            column += _LONGEST
        elif left >= _LONG_PAIR:
            _add_run_by_two(to, sums, more, column, zeros(_LONG_PAIR))
            column += _LONG_PAIR
        elif left >= _LONG:
            _add_run_by_two(to, sums, more, column, zeros(_LONG))
            column += _LONG
        elif left >= _SHORT:
            _add_run_by_two(to, sums, more, column, zeros(_SHORT))
            column += _SHORT
        else:
            _add_run_by_two(to, sums, more, column, zeros(_SHORTEST))
            column += _SHORTEST


@njit(inline="always")
def _add_run_by_two(to: Rows, sums: Sums, more: Sums, column: int, none: Any) -> None:
    count = min(len(sums.plan), len(more.plan))
    weights, plan, matrix, ids = more.weights, more.plan, more.rows.matrix, more.rows.ids
    for i in range(0, count, 2):
        j = min(i + 1, count - 1)
        s, t = _added(sums, i, column, none), _added(sums, j, column, none)
        for n in range(plan[i, 3]):
            down, right, row = n * more.down, n * more.right, load(matrix, ids[plan[i, 2] + n], column, none)
            s = multiply_add(splat(weights, plan[i, 0] + down, plan[i, 1] + right, none), row, s)
            t = multiply_add(splat(weights, plan[j, 0] + down, plan[j, 1] + right, none), row, t)
        _add_lanes(to, i, column, s)
        if j > i:
            _add_lanes(to, j, column, t)


@njit(inline="always")
def _added(sums: Sums, i: int, column: int, s: Any) -> Any:
    """Return the Lanes s and a run of columns of sum i."""
    weights, matrix, ids = sums.weights, sums.rows.matrix, sums.rows.ids
    at_row, at_column, first = sums.plan[i, 0], sums.plan[i, 1], sums.plan[i, 2]
    for n in range(sums.plan[i, 3]):
        weight = splat(weights, at_row + n * sums.down, at_column + n * sums.right, s)
        s = multiply_add(weight, load(matrix, ids[first + n], column, s), s)
    return s


@njit(inline="always")
def _add_lanes(to: Rows, i: int, column: int, lanes: Any) -> None:
    if to.is_fresh:
        store(to.matrix, to.ids[i], column, lanes)
    else:
        store(to.matrix, to.ids[i], column, add(load(to.matrix, to.ids[i], column, lanes), lanes))


# Two sums take 14 of the 32 registers of AVX-512, but all of a smaller machine's and more.
add_sums_of_same = _add_sums_by_two if has_avx512() else add_sums
