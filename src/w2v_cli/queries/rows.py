"""The rows of vectors as float32, block by block, and their products with a few vectors or with many."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from w2v_cli.vectors.keyed_vectors import Matrix

BLOCK_BYTES = 1 << 20  # float32 rows of one block: they stay in the second-level cache
BLOCK_ROWS = 4096  # bounds the scores of a block where rows are short
BLOCK_SCORES = 1 << 20  # bounds them where queries are many
FEW_QUERIES = 4  # up to here a plain loop costs no more than BLAS

FloatArray = NDArray[np.float32]
WordIds = NDArray[np.int64]


def iterate_blocks(vectors: Matrix, *, rows: range | None = None, queries: int = 1) -> Iterator[tuple[int, FloatArray]]:
    """Yield the first row's number and the rows (R, D) of each block as float32; the next block overwrites them.

    rows: which of them, all unless they are named. A block is short where its scores for so many `queries` would not
    stay in the cache.
    """
    wanted = range(len(vectors)) if rows is None else rows
    size = max(1, min(BLOCK_ROWS, BLOCK_BYTES // (4 * vectors.shape[1]), BLOCK_SCORES // max(1, queries)))
    buffer = np.empty((size, vectors.shape[1]), np.float32)
    for first in wanted[::size]:
        part = vectors[first : min(first + size, wanted.stop)]
        block = buffer[: len(part)]
        _widen(part, block)
        yield first, block


def read_rows(vectors: Matrix, word_ids: WordIds | slice) -> FloatArray:
    """Return the rows of `word_ids`, of whatever shape, as float32 (…, D)."""
    return vectors[word_ids].astype(np.float32)


def read_unit_rows(vectors: Matrix, word_ids: WordIds | slice) -> FloatArray:
    """Return the rows of `word_ids`, of whatever shape, as float32 (…, D) of length 1; zeros stay zeros."""
    return unit(read_rows(vectors, word_ids))


def unit(rows: FloatArray) -> FloatArray:
    """Return `rows` (…, D) at length 1; a row of zeros stays as it is."""
    return rows / _lengths(rows)[..., np.newaxis]


def products(queries: FloatArray, block: FloatArray) -> FloatArray:
    """Return the dot products (Q, R) of `queries` (Q, D) and the rows of `block` (R, D).

    BLAS treats the rows at the edge of a block in another order than the rest, so that equal rows differ in the last
    bit; for a few queries each row goes through the same loop, and equal rows tie.
    """
    if len(queries) > FEW_QUERIES:
        return queries @ block.T
    return np.stack([np.einsum("rd,d->r", block, query) for query in queries])


def cosines(unit_queries: FloatArray, block: FloatArray) -> FloatArray:
    """Return the cosines (Q, R) of queries of length 1 (or 0) and the rows of `block`.

    Those of many queries may lie beyond [-1, 1] by a rounding: passing over all of them again would cost a third more.
    """
    if len(unit_queries) > FEW_QUERIES:
        return unit_queries @ unit(block).T
    found = products(unit_queries, block)
    found /= _lengths(block)
    return np.clip(found, -1, 1, out=found)


def _lengths(rows: FloatArray) -> FloatArray:
    """Return the Euclidean length of each row (…,), 1 for a row of zeros: it is divided by."""
    lengths: FloatArray = np.sqrt(np.einsum("...d,...d->...", rows, rows))
    lengths[lengths == 0] = 1
    return lengths


def _widen(rows: Matrix, out: FloatArray) -> None:
    """Copy finite `rows` to float32 `out`, exactly; float16 by whole-array bit moves, 4 times as fast as NumPy's cast.

    A float16's sign, exponent and mantissa, 13 bits further up, are a float32 with the exponent 127 - 15 too low.
    """
    if rows.dtype != np.float16:
        out[...] = rows
        return
    bits = out.view(np.int32)
    bits[...] = rows.view(np.dtype(np.int16).newbyteorder(rows.dtype.byteorder))  # the sign fills the upper half
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, ~0x70001FFF, out=bits)  # one sign bit stays of the four
    np.multiply(out, np.float32(2.0**112), out=out)
