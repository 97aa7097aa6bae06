"""Rows as float32 in blocks that fit into the cache, and their products and cosines with queries."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from w2v_cli.vectors import BLOCK_ROWS, Matrix

BLOCK_BYTES = 1 << 20  # of float32 rows: a block stays in the second-level cache
BLOCK_SCORES = 1 << 20  # limits them if there are many queries
FEW_QUERIES = 4  # up to this many, a plain loop is as fast as BLAS

FloatArray = NDArray[np.float32]
WordIds = NDArray[np.int64]


def iterate_float32(
    vectors: Matrix, *, rows: range | None = None, queries: int = 1
) -> Iterator[tuple[int, FloatArray]]:
    """Read rows as float32, block by block.

    Args:
        vectors: (V, D) float16 or float32.
        rows: The range of rows; None means all.
        queries: The number of queries: blocks are shorter for many, so that their scores stay in the cache.

    Yields:
        The number of the first row and the rows (R, D) of each block; the next block overwrites them.
    """
    chosen = range(len(vectors)) if rows is None else rows
    size = max(1, min(BLOCK_ROWS, BLOCK_BYTES // (4 * vectors.shape[1]), BLOCK_SCORES // max(1, queries)))
    buffer = np.empty((size, vectors.shape[1]), np.float32)
    for first in chosen[::size]:
        part = vectors[first : min(first + size, chosen.stop)]
        block = buffer[: len(part)]
        _widen(part, block)
        yield first, block


def read_rows(vectors: Matrix, word_ids: WordIds | slice) -> FloatArray:
    """Return the rows of `word_ids` (…) as float32 (…, D).

    Args:
        vectors: (V, D) float16 or float32.
        word_ids: Ids of any shape, or a slice.
    """
    return vectors[word_ids].astype(np.float32)


def read_unit_rows(vectors: Matrix, word_ids: WordIds | slice) -> FloatArray:
    """Return the rows of `word_ids` (…) as float32 (…, D) at length 1; rows of zeros stay zeros.

    Args:
        vectors: (V, D) float16 or float32.
        word_ids: Ids of any shape, or a slice.
    """
    return unit(read_rows(vectors, word_ids))


def unit(rows: FloatArray) -> FloatArray:
    """Return `rows` (…, D) at length 1; rows of zeros stay zeros."""
    return rows / _lengths(rows)[..., np.newaxis]


def products(queries: FloatArray, block: FloatArray) -> FloatArray:
    """Return the dot products (Q, R) of `queries` (Q, D) and the rows of `block` (R, D).

    BLAS sums the rows at the edge of a block in another order than the rest, so that equal rows can differ in the last
    bit. For a few queries every row goes through the same loop, and equal rows tie.
    """
    if len(queries) > FEW_QUERIES:
        return queries @ block.T
    return np.stack([np.einsum("rd,d->r", block, query) for query in queries])


def cosines(unit_queries: FloatArray, block: FloatArray) -> FloatArray:
    """Return the cosines (Q, R) of queries (Q, D) of length 1 (or 0) and the rows of `block` (R, D).

    Rounding can move those of many queries slightly beyond [-1, 1]; clipping them would take a third more time.
    """
    if len(unit_queries) > FEW_QUERIES:
        return unit_queries @ unit(block).T
    found = products(unit_queries, block)
    found /= _lengths(block)
    return np.clip(found, -1, 1, out=found)


def _lengths(rows: FloatArray) -> FloatArray:
    """Return the Euclidean length of each row (…,) as a divisor: 1 for a row of zeros."""
    lengths: FloatArray = np.sqrt(np.einsum("...d,...d->...", rows, rows))
    lengths[lengths == 0] = 1
    return lengths


def _widen(rows: Matrix, out: FloatArray) -> None:
    """Copy finite `rows` to float32 `out`, exactly; float16 by shifting bits, 4 times as fast as NumPy's cast.

    The sign, exponent and mantissa of a float16, shifted left by 13 bits, are a float32 whose exponent is 127 - 15 too
    low.
    """
    if rows.dtype != np.float16:
        out[...] = rows
        return
    bits = out.view(np.int32)
    bits[...] = rows.view(np.dtype(np.int16).newbyteorder(rows.dtype.byteorder))  # sign extension fills the upper half
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, ~0x70001FFF, out=bits)  # keeps one of the four sign bits
    np.multiply(out, np.float32(2.0**112), out=out)
