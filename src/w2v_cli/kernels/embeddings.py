"""The two matrices that training changes, and their initial values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings
from w2v_cli.kernels.philox import Purpose, draw_words, to_normal, to_unit_interval

_NORMAL_SCALE = 0.01  # the book's
_INPUT, _OUTPUT = 0, 1
ROWS_AT_ONCE = 4096  # rows that are filled, compared or copied together; a multiple of 4: whole draws

Allocate = Callable[[tuple[int, int]], NDArray[np.float32]]
ValuesOf = Callable[[NDArray[np.uint32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Embeddings:
    """The parameters of a model: (V, D) float32 each, C-contiguous, NumPy or CuPy; engines change them in place.

    Attributes:
        input_vectors: the published embeddings.
        output_vectors: used in training only.
    """

    input_vectors: Any
    output_vectors: Any


def _plain_zeros(shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.zeros(shape, dtype=np.float32)


def build_embeddings(
    vocabulary_size: int, model: ModelSettings, seed: int, *, allocate: Allocate = _plain_zeros
) -> Embeddings:
    """Return the initial values of both matrices; takes little more memory than they do.

    `uniform` (word2vec.c): input vectors uniform in ±0.5/D, output vectors zero.
    `normal` (the book): both 0.01·N(0, 1).

    Args:
        vocabulary_size: V.
        model: dim (D) and init.
        seed: of the draws.
        allocate: returns zeros of a shape (V, D), or with longer rows, whose padding stays zero.
    """
    shape = (vocabulary_size, model.dim)
    matrices = Embeddings(allocate(shape), allocate(shape))
    if model.init == "normal":
        _fill(matrices.input_vectors, shape, seed, _INPUT, _normal_values)
        _fill(matrices.output_vectors, shape, seed, _OUTPUT, _normal_values)
    else:
        _fill(matrices.input_vectors, shape, seed, _INPUT, partial(_uniform_values, model.dim))
    return matrices


def _fill(matrix: NDArray[np.float32], shape: tuple[int, int], seed: int, which: int, values_of: ValuesOf) -> None:
    """Fill the first D columns, some rows at a time; each draw of four random words fills four consecutive elements."""
    rows, dim = shape
    for first in range(0, rows, ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, rows)
        quads = np.arange(first * dim // 4, (last * dim + 3) // 4, dtype=np.int64)
        values = values_of(draw_words(seed, 0, quads, Purpose.INITIALISATION, which))
        matrix[first:last, :dim] = values.T.ravel()[: (last - first) * dim].reshape(-1, dim)


def _uniform_values(dim: int, words: NDArray[np.uint32]) -> NDArray[np.float32]:
    return (to_unit_interval(words) - np.float32(0.5)) / np.float32(dim)


def _normal_values(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    return np.float32(_NORMAL_SCALE) * np.concatenate((to_normal(words[:2]), to_normal(words[2:])))
