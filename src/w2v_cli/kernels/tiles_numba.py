"""Small dense products in registers: 4 × 4 tiles over rows of floats (Numba).

D, the length of a row, is a multiple of 16.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.compiled import njit
from w2v_cli.kernels.lanes_numba import (
    LANES,
    RUNS,
    add,
    load,
    multiply_add,
    prefetch,
    splat,
    store,
    store_totals,
    zeros,
)

_LINE = 16  # floats in a line of the cache
_WIDEST, _WIDE = RUNS[0], RUNS[1]


class Rows(NamedTuple):
    """Rows of a matrix, (V, D), in the order of `ids`: row i is matrix[ids[i]].

    is_fresh: what is added replaces what is there, which counts for nothing.
    """

    matrix: Any
    ids: NDArray[np.int32]
    is_fresh: bool


@njit()
def prefetch_rows(matrix: Any, ids: Any) -> None:
    """Bring rows into the cache, for whoever reads them soon."""
    for i in range(len(ids)):
        for d in range(0, matrix.shape[1], _LINE):
            prefetch(matrix, ids[i], d)


@njit()
def set_row_products(a: Rows, b: Rows, out: Any, tile: int, first: int, last: int) -> None:
    """Set out[i, j] = a[i] · b[j] for the four rows i from `tile` on and rows j in first … last, multiples of 4."""
    none = zeros(LANES)
    x, i0, i1, i2, i3 = a.matrix, a.ids[tile], a.ids[tile + 1], a.ids[tile + 2], a.ids[tile + 3]
    for j in range(first, last, 4):
        y, j0, j1, j2, j3 = b.matrix, b.ids[j], b.ids[j + 1], b.ids[j + 2], b.ids[j + 3]
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = none
        s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = none
        for d in range(0, x.shape[1], LANES):
            a0, a1, a2, a3 = load(x, i0, d, none), load(x, i1, d, none), load(x, i2, d, none), load(x, i3, d, none)
            b0, b1, b2, b3 = load(y, j0, d, none), load(y, j1, d, none), load(y, j2, d, none), load(y, j3, d, none)
            s00, s01 = multiply_add(a0, b0, s00), multiply_add(a0, b1, s01)
            s02, s03 = multiply_add(a0, b2, s02), multiply_add(a0, b3, s03)
            s10, s11 = multiply_add(a1, b0, s10), multiply_add(a1, b1, s11)
            s12, s13 = multiply_add(a1, b2, s12), multiply_add(a1, b3, s13)
            s20, s21 = multiply_add(a2, b0, s20), multiply_add(a2, b1, s21)
            s22, s23 = multiply_add(a2, b2, s22), multiply_add(a2, b3, s23)
            s30, s31 = multiply_add(a3, b0, s30), multiply_add(a3, b1, s31)
            s32, s33 = multiply_add(a3, b2, s32), multiply_add(a3, b3, s33)
        store_totals(out, tile, j, s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33)


@njit()
def add_weighted_rows(
    weights: Any, rows: Rows, first: int, last: int, more: int, end: int, to: Rows, tile: int, count: int
) -> None:
    """Add Σ_j weights[i, j] · rows[j] to row i of `to`, for j in first … last and in more … end.

    i: up to four from `tile` on, below `count`; weights has all four. A row that occurs several times receives all.
    """
    column = 0
    while column + _WIDEST <= rows.matrix.shape[1]:
        _add_run(weights, rows, first, last, more, end, to, tile, count, column, zeros(_WIDEST))
        column += _WIDEST
    if column + _WIDE <= rows.matrix.shape[1]:
        _add_run(weights, rows, first, last, more, end, to, tile, count, column, zeros(_WIDE))
        column += _WIDE
    if column < rows.matrix.shape[1]:
        _add_run(weights, rows, first, last, more, end, to, tile, count, column, zeros(LANES))


@njit()
def _add_run(
    weights: Any,
    rows: Rows,
    first: int,
    last: int,
    more: int,
    end: int,
    to: Rows,
    tile: int,
    count: int,
    column: int,
    none: Any,
) -> None:
    """Do it for the columns from `column` on, as many as `none`, a Lanes of zeros, is long."""
    s0 = s1 = s2 = s3 = none
    for begin, stop in ((first, last), (more, end)):
        for j in range(begin, stop):
            row = load(rows.matrix, rows.ids[j], column, none)
            s0 = multiply_add(splat(weights, tile, j, none), row, s0)
            s1 = multiply_add(splat(weights, tile + 1, j, none), row, s1)
            s2 = multiply_add(splat(weights, tile + 2, j, none), row, s2)
            s3 = multiply_add(splat(weights, tile + 3, j, none), row, s3)
    _add_to_row(to, tile, column, s0)
    if tile + 1 < count:
        _add_to_row(to, tile + 1, column, s1)
    if tile + 2 < count:
        _add_to_row(to, tile + 2, column, s2)
    if tile + 3 < count:
        _add_to_row(to, tile + 3, column, s3)


@njit(inline="always")
def _add_to_row(to: Rows, i: int, column: int, lanes: Any) -> None:
    if to.is_fresh:
        store(to.matrix, to.ids[i], column, lanes)
    else:
        store(to.matrix, to.ids[i], column, add(load(to.matrix, to.ids[i], column, lanes), lanes))
