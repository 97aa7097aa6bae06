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

    x, x_gradient: (P, D), context words, P a multiple of 4, at least B + 2·window; y, y_gradient: (B + N, D),
    centres, then negatives; h, h_gradient: (B, D), means of windows; scores, powers, errors: (P, B + N); negatives:
    (N,); lowest, highest: (B,), the ends of each centre's window; products: at least 2·window + 1, see loss_numba.py.
    """

    x: NDArray[np.float32]
    x_gradient: NDArray[np.float32]
    y: NDArray[np.float32]
    y_gradient: NDArray[np.float32]
    h: NDArray[np.float32]
    h_gradient: NDArray[np.float32]
    scores: NDArray[np.float32]
    powers: NDArray[np.int32]
    errors: NDArray[np.float32]
    negatives: NDArray[np.int32]
    lowest: NDArray[np.int32]
    highest: NDArray[np.int32]
    products: NDArray[np.float64]


def build_scratch(dim: int, window: int, negatives: int) -> Scratch:
    """Return the scratch for rows of `dim` floats and N = `negatives`."""
    rows = _up_to(BLOCK_CENTRES + 2 * window, _TILE)
    outputs = BLOCK_CENTRES + negatives
    return Scratch(
        x=zeros((rows, dim)),
        x_gradient=zeros((rows, dim)),
        y=zeros((outputs, dim)),
        y_gradient=zeros((outputs, dim)),
        h=zeros((BLOCK_CENTRES, dim)),
        h_gradient=zeros((BLOCK_CENTRES, dim)),
        scores=zeros((rows, outputs)),
        powers=zeros((rows, outputs), np.int32),
        errors=zeros((rows, outputs)),
        negatives=np.zeros(negatives, np.int32),
        lowest=np.zeros(BLOCK_CENTRES, np.int32),
        highest=np.zeros(BLOCK_CENTRES, np.int32),
        products=zeros((_up_to(2 * window + 1, _LINE_BYTES // 8),), np.float64),
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
