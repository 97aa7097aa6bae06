"""Rows as int8 with a scale each: a quarter of float32."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from w2v_cli.vectors.keyed_vectors import Matrix, OnDone, ignore_done, iterate_blocks

_MOST = 127  # -128 is not used, so that a number and its negative are treated alike


def row_scales(vectors: Matrix) -> NDArray[np.float32]:
    """Return the scale (V,) of each row: s = max |v| / 127; 0 for a row of zeros."""
    largest = [np.abs(block.astype(np.float32)).max(axis=1) for _, block in iterate_blocks(vectors)]
    return (np.concatenate(largest) / np.float32(_MOST)).astype(np.float32)


def iterate_quantised(
    vectors: Matrix, scales: NDArray[np.float32], on_done: OnDone = ignore_done
) -> Iterator[NDArray[np.int8]]:
    """Yield the rows as int8, block by block: q = round(v / s), so that q · s is off by s / 2 at the most."""
    for first, block in iterate_blocks(vectors, on_done):
        divisors = scales[first : first + len(block), np.newaxis]
        ratios = np.divide(block, divisors, out=np.zeros(block.shape, np.float32), where=divisors > 0)
        yield np.clip(np.rint(ratios), -_MOST, _MOST).astype(np.int8)


def widen(rows: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return q · s of int8 rows (R, D) and their scales (R,); infinity where it is beyond float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        widened: NDArray[np.float32] = rows * scales[:, np.newaxis]
    return widened
