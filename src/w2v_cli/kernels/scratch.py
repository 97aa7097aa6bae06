"""What the block algorithm works on and in: arrays made once, aligned, so that nothing is allocated in the loop."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.blocks import BLOCK_CENTRES

_LINE_BYTES = 64  # a line of the cache, and the widest vector register
_ROW_FLOATS = 16  # a row is padded to whole lines
_TILE = 4


class Model(NamedTuple):
    """What is trained: both matrices, (V, D) with D a multiple of 16, and the settings of the step.

    negatives: K, which the block's shared negatives stand for.
    """

    input_vectors: NDArray[np.float32]
    output_vectors: NDArray[np.float32]
    negatives: int


class Scratch(NamedTuple):
    """What one thread works in.

    x: (P, D), context words, P a multiple of 4, at least B + 2·window; output_ids: (B + N,), the words of the centres,
    then of the negatives; next_ids: those of the next block; h, h_gradient: (B, D), means of windows; means, spread:
    (P, B), weights of the windows, see cbow_numba.py; is_pair: (P, B), 1 or 0; scores, sigmoids, losses, errors:
    (P, B + N), and the same memory in one row; column_losses: (B + N,); in_order: 0, 1, 2, …
    """

    x: NDArray[np.float32]
    output_ids: NDArray[np.int32]
    next_ids: NDArray[np.int32]
    h: NDArray[np.float32]
    h_gradient: NDArray[np.float32]
    means: NDArray[np.float32]
    spread: NDArray[np.float32]
    is_pair: NDArray[np.float32]
    scores: NDArray[np.float32]
    sigmoids: NDArray[np.float32]
    losses: NDArray[np.float32]
    errors: NDArray[np.float32]
    flat_scores: NDArray[np.float32]
    flat_sigmoids: NDArray[np.float32]
    flat_losses: NDArray[np.float32]
    column_losses: NDArray[np.float32]
    in_order: NDArray[np.int32]


def build_scratch(dim: int, window: int, negatives: int) -> Scratch:
    """Return the scratch for rows of `dim` floats and N = `negatives`."""
    rows = _up_to(BLOCK_CENTRES + 2 * window, _TILE)
    outputs = BLOCK_CENTRES + negatives
    scores, sigmoids, losses = (zeros((rows, outputs)) for _ in range(3))
    return Scratch(
        x=zeros((rows, dim)),
        output_ids=zeros((outputs,), np.int32),
        next_ids=zeros((outputs,), np.int32),
        h=zeros((BLOCK_CENTRES, dim)),
        h_gradient=zeros((BLOCK_CENTRES, dim)),
        means=zeros((rows, BLOCK_CENTRES)),
        spread=zeros((rows, BLOCK_CENTRES)),
        is_pair=zeros((rows, BLOCK_CENTRES)),
        scores=scores,
        sigmoids=sigmoids,
        losses=losses,
        errors=zeros((rows, outputs)),
        flat_scores=scores.reshape(-1),
        flat_sigmoids=sigmoids.reshape(-1),
        flat_losses=losses.reshape(-1),
        column_losses=zeros((outputs,)),
        in_order=np.arange(max(rows, outputs), dtype=np.int32),
    )


def padded_dim(dim: int) -> int:
    """Return the length of a row that is a whole number of cache lines.

    >>> padded_dim(100)
    112
    """
    return _up_to(dim, _ROW_FLOATS)


def _up_to(size: int, unit: int) -> int:
    """Return the smallest multiple of `unit` that is not below `size`."""
    return (size + unit - 1) // unit * unit


def zeros(shape: tuple[int, ...], dtype: type[np.generic] = np.float32) -> NDArray[Any]:
    """Return zeros that begin at a line of the cache."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(size + _LINE_BYTES, np.uint8)
    first = -raw.ctypes.data % _LINE_BYTES
    return raw[first : first + size].view(dtype).reshape(shape)
