"""The two matrices that training changes, and their first values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.randomness import Purpose, draw_words, to_normal, to_unit_interval
from w2v_cli.settings import ModelSettings

_NORMAL_SCALE = 0.01  # the book's
_INPUT, _OUTPUT = 0, 1


@dataclass(frozen=True)
class Embeddings:
    """The parameters: input_vectors, the published ones, and output_vectors, used in training only.

    Both (V, D) float32, C-contiguous, NumPy or CuPy; kernels change them in place.
    """

    input_vectors: Any
    output_vectors: Any


def build_embeddings(vocabulary_size: int, config: ModelSettings, seed: int) -> Embeddings:
    """Return the first values of both matrices.

    `uniform` (word2vec.c): input vectors uniform in ±0.5/D, output vectors zero.
    `normal` (the book): both 0.01·N(0, 1).
    """
    shape = (vocabulary_size, config.dim)
    if config.init == "normal":
        return Embeddings(_normal_matrix(shape, seed, _INPUT), _normal_matrix(shape, seed, _OUTPUT))
    return Embeddings(_uniform_matrix(shape, seed, _INPUT), np.zeros(shape, dtype=np.float32))


def _uniform_matrix(shape: tuple[int, int], seed: int, matrix: int) -> NDArray[np.float32]:
    values = to_unit_interval(_matrix_words(shape, seed, matrix)).T.ravel()[: shape[0] * shape[1]]
    return ((values - np.float32(0.5)) / np.float32(shape[1])).reshape(shape)


def _normal_matrix(shape: tuple[int, int], seed: int, matrix: int) -> NDArray[np.float32]:
    words = _matrix_words(shape, seed, matrix)
    values = np.concatenate((to_normal(words[:2]), to_normal(words[2:]))).T.ravel()[: shape[0] * shape[1]]
    return (np.float32(_NORMAL_SCALE) * values).reshape(shape)


def _matrix_words(shape: tuple[int, int], seed: int, matrix: int) -> NDArray[np.uint32]:
    """Return four random words for every four consecutive elements of a matrix, (4, ⌈V·D / 4⌉)."""
    quads = np.arange((shape[0] * shape[1] + 3) // 4, dtype=np.int64)
    return draw_words(seed, 0, quads, Purpose.INITIALISATION, matrix)
