"""Rows of a matrix, and products of rows, in registers (Numba).

D, the length of a row, is a multiple of 16.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.memory import prefetch
from w2v_cli.jit.njit import njit, njit_part
from w2v_cli.jit.simd import SQUARE, add, load, multiply_add, splat, store, store_totals, store_transposed, zeros

_LINE = 16  # floats in a line of the cache
_TWO_SQUARES, _THREE_SQUARES = 2 * SQUARE, 3 * SQUARE


class Rows(NamedTuple):
    """Rows of a matrix, (V, D), in the order of `ids`: row i is matrix[ids[i]].

    Attributes:
        is_fresh: sums replace the rows instead of being added to them.
    """

    matrix: Any
    ids: NDArray[np.int32]
    is_fresh: bool


@njit_part()
def prefetch_rows(matrix: Any, ids: Any) -> None:
    """Prefetch rows that are read soon into the cache."""
    for i in range(len(ids)):
        for d in range(0, matrix.shape[1], _LINE):
            prefetch(matrix, ids[i], d)


@njit_part()
def copy_rows(rows: Rows, count: int, out: Any) -> None:
    """Set out[i] = rows[i] for i < count."""
    none = zeros(_LINE)
    for i in range(count):
        for d in range(0, out.shape[1], _LINE):
            store(out, i, d, load(rows.matrix, rows.ids[i], d, none))


@njit_part()
def set_sums_of_two(a: Rows, b: Rows, count: int, out: Any) -> None:
    """Set out[i] = a[i] + b[i] for i < count; out: (P, N), N a multiple of 16."""
    none = zeros(_LINE)
    for i in range(count):
        for d in range(0, out.shape[1], _LINE):
            store(out, i, d, add(load(a.matrix, a.ids[i], d, none), load(b.matrix, b.ids[i], d, none)))


@njit_part()
def fill_rows(values: Any, count: int, out: Any) -> None:
    """Set out[i] = values[0, i], all of it, for i < count; out: (P, N), N a multiple of 8."""
    for i in range(count):
        value = splat(values, 0, i, zeros(SQUARE))
        for k in range(0, out.shape[1], SQUARE):
            store(out, i, k, value)


@njit_part()
def set_pair_products(a: Rows, i: int, a_step: int, b: Rows, j: int, out: Any, row: int, column: int) -> None:
    """Set out[row, column + n] = a[i + n · a_step] · b[j + n] for n < 4."""
    none = zeros(16)
    s0 = s1 = s2 = s3 = none
    x, x0, x1, x2, x3 = a.matrix, a.ids[i], a.ids[i + a_step], a.ids[i + 2 * a_step], a.ids[i + 3 * a_step]
    y, y0, y1, y2, y3 = b.matrix, b.ids[j], b.ids[j + 1], b.ids[j + 2], b.ids[j + 3]
    for d in range(0, x.shape[1], 16):
        s0 = multiply_add(load(x, x0, d, none), load(y, y0, d, none), s0)
        s1 = multiply_add(load(x, x1, d, none), load(y, y1, d, none), s1)
        s2 = multiply_add(load(x, x2, d, none), load(y, y2, d, none), s2)
        s3 = multiply_add(load(x, x3, d, none), load(y, y3, d, none), s3)
    store_totals(out, row, column, s0, s1, s2, s3)


@njit_part()
def transpose_rows(rows: Rows, first: int, out: Any) -> None:
    """Set out[d, n] = rows[first + n][d]; out: (D, N), N a multiple of 8."""
    m, ids, none = rows.matrix, rows.ids, zeros(SQUARE)
    for n in range(0, out.shape[1], SQUARE):
        k = first + n
        for d in range(0, out.shape[0], SQUARE):
            r0, r1 = load(m, ids[k], d, none), load(m, ids[k + 1], d, none)
            r2, r3 = load(m, ids[k + 2], d, none), load(m, ids[k + 3], d, none)
            r4, r5 = load(m, ids[k + 4], d, none), load(m, ids[k + 5], d, none)
            r6, r7 = load(m, ids[k + 6], d, none), load(m, ids[k + 7], d, none)
            store_transposed(out, d, n, r0, r1, r2, r3, r4, r5, r6, r7)


@njit_part()
def set_products(rows: Rows, i: int, columns: Any, out: Any) -> None:
    """Set out[i + n, k] = rows[i + n] · columns[:, k] for n < 4; columns: (D, N), N a multiple of 8."""
    k, count = 0, columns.shape[1]
    while k < count:
        if count - k == _THREE_SQUARES:
            _set_products_24(rows, i, columns, k, out)
            k += _THREE_SQUARES
        elif count - k >= _TWO_SQUARES:
            _set_products(rows, i, columns, k, out, zeros(16))
            k += _TWO_SQUARES
        else:
            _set_products(rows, i, columns, k, out, zeros(8))
            k += SQUARE


@njit(inline="always")
def _set_products(rows: Rows, i: int, columns: Any, k: int, out: Any, none: Any) -> None:
    """Compute the columns from k on, as many as the length of `none`, a Lanes of zeros."""
    s0 = s1 = s2 = s3 = none
    x, i0, i1, i2, i3 = rows.matrix, rows.ids[i], rows.ids[i + 1], rows.ids[i + 2], rows.ids[i + 3]
    for d in range(x.shape[1]):
        y = load(columns, d, k, none)
        s0, s1 = multiply_add(splat(x, i0, d, none), y, s0), multiply_add(splat(x, i1, d, none), y, s1)
        s2, s3 = multiply_add(splat(x, i2, d, none), y, s2), multiply_add(splat(x, i3, d, none), y, s3)
    store(out, i, k, s0)
    store(out, i + 1, k, s1)
    store(out, i + 2, k, s2)
    store(out, i + 3, k, s3)


@njit(inline="always")
def _set_products_24(rows: Rows, i: int, columns: Any, k: int, out: Any) -> None:
    """Compute 24 columns from k; twelve independent 256-bit accumulators hide the FMA latency."""
    wide, narrow = zeros(16), zeros(8)
    s0 = s1 = s2 = s3 = wide
    t0 = t1 = t2 = t3 = narrow
    x, i0, i1, i2, i3 = rows.matrix, rows.ids[i], rows.ids[i + 1], rows.ids[i + 2], rows.ids[i + 3]
    for d in range(x.shape[1]):
        y, z = load(columns, d, k, wide), load(columns, d, k + 16, narrow)
        s0, t0 = multiply_add(splat(x, i0, d, wide), y, s0), multiply_add(splat(x, i0, d, narrow), z, t0)
        s1, t1 = multiply_add(splat(x, i1, d, wide), y, s1), multiply_add(splat(x, i1, d, narrow), z, t1)
        s2, t2 = multiply_add(splat(x, i2, d, wide), y, s2), multiply_add(splat(x, i2, d, narrow), z, t2)
        s3, t3 = multiply_add(splat(x, i3, d, wide), y, s3), multiply_add(splat(x, i3, d, narrow), z, t3)
    store(out, i, k, s0)
    store(out, i, k + 16, t0)
    store(out, i + 1, k, s1)
    store(out, i + 1, k + 16, t1)
    store(out, i + 2, k, s2)
    store(out, i + 2, k + 16, t2)
    store(out, i + 3, k, s3)
    store(out, i + 3, k + 16, t3)
