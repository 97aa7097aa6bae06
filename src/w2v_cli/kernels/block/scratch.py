"""The matrices and buffers of the compiled block algorithm: allocated once, aligned; the loop allocates nothing."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES
from w2v_cli.kernels.objectives import objective_of

_LINE_BYTES = 64  # a line of the cache, and the widest vector register
_ROW_FLOATS = 16  # a row is padded to whole lines
_TILE = 4


class Model(NamedTuple):
    """The model to train: both matrices, (V, D) with D a multiple of 16, and the setting of the step.

    Attributes:
        negatives: K, which the block's shared negatives stand for.
    """

    input_vectors: NDArray[np.float32]
    output_vectors: NDArray[np.float32]
    negatives: int


class Scratch(NamedTuple):
    """The buffers of one thread; for plans see sums_numba.Sums.

    Attributes:
        output_ids: (B + N,), the words of the centres, then of the negatives.
        next_ids: output_ids of the next block.
        x: (P, D), context words, P at least B + 2·window + 3 (skip-gram).
        h, h_gradient: (B, D), means of windows (CBOW).
        means, spread: (T, B), the weights of each window's places, T at least 2·window + 4, a multiple of 16 (CBOW).
        reaches_left, reaches_right: (window + 1, T), the weights of a window of each reach (skip-gram).
        pair_weights, pair_scores, pair_errors: of the positive pairs, (B, T) by centre and place (skip-gram), or (1, B)
            by centre (CBOW).
        row_pairs: (1, P), how many pairs a row has.
        negatives: (D, N), their vectors as columns.
        is_a_centre: (N,), whether a negative equals a centre.
        negative_counts, negative_scores, negative_errors: (P, N).
        flat_…: the same memory in one row.
        in_order: 0, 1, 2, …
        windows: (B, 4), the plan of the context rows of each centre, its own included, with their places in means or
            pair_errors.
        contexts: (P, 4), the plan of the centres that can have a context in their window.
        pairs: (B, 4), the plan of each centre's own pair (CBOW).
        to_negatives: (P, 4), the plan of all negatives for each row.
        of_negatives: (N, 4), the plan of all rows for each negative.
        empty: a plan without sums.
    """

    output_ids: NDArray[np.int32]
    next_ids: NDArray[np.int32]
    x: NDArray[np.float32]
    h: NDArray[np.float32]
    h_gradient: NDArray[np.float32]
    means: NDArray[np.float32]
    spread: NDArray[np.float32]
    reaches_left: NDArray[np.float32]
    reaches_right: NDArray[np.float32]
    pair_weights: NDArray[np.float32]
    pair_scores: NDArray[np.float32]
    pair_errors: NDArray[np.float32]
    row_pairs: NDArray[np.float32]
    negatives: NDArray[np.float32]
    is_a_centre: NDArray[np.int32]
    negative_counts: NDArray[np.float32]
    negative_scores: NDArray[np.float32]
    negative_errors: NDArray[np.float32]
    flat_pair_weights: NDArray[np.float32]
    flat_pair_scores: NDArray[np.float32]
    flat_pair_errors: NDArray[np.float32]
    flat_negative_counts: NDArray[np.float32]
    flat_negative_scores: NDArray[np.float32]
    flat_negative_errors: NDArray[np.float32]
    in_order: NDArray[np.int32]
    windows: NDArray[np.int32]
    contexts: NDArray[np.int32]
    pairs: NDArray[np.int32]
    to_negatives: NDArray[np.int32]
    of_negatives: NDArray[np.int32]
    empty: NDArray[np.int32]


def build_scratch(model: ModelSettings, negatives: int) -> Scratch:
    """Return the scratch for a model and N = `negatives`."""
    dim, margin = padded_dim(model.dim), 2 * model.window + _TILE
    places = _up_to(margin, _ROW_FLOATS)
    rows, outputs = _up_to(BLOCK_CENTRES + margin, _TILE), BLOCK_CENTRES + negatives
    reaches_left, reaches_right = (zeros((model.window + 1, places)) for _ in range(2))
    for reach in range(model.window + 1):
        reaches_left[reach, model.window - reach : model.window] = 1
        reaches_right[reach, model.window + 1 : model.window + 1 + reach] = 1
    pairs = objective_of(model).pair_shape(places)
    pair_weights, pair_scores, pair_errors = (zeros(pairs) for _ in range(3))
    negative_counts, negative_scores, negative_errors = (zeros((rows, negatives)) for _ in range(3))
    return Scratch(
        output_ids=zeros((outputs,), np.int32),
        next_ids=zeros((outputs,), np.int32),
        x=zeros((rows, dim)),
        h=zeros((BLOCK_CENTRES, dim)),
        h_gradient=zeros((BLOCK_CENTRES, dim)),
        means=zeros((places, BLOCK_CENTRES)),
        spread=zeros((places, BLOCK_CENTRES)),
        reaches_left=reaches_left,
        reaches_right=reaches_right,
        pair_weights=pair_weights,
        pair_scores=pair_scores,
        pair_errors=pair_errors,
        row_pairs=zeros((1, rows)),
        negatives=zeros((dim, negatives)),
        is_a_centre=zeros((negatives,), np.int32),
        negative_counts=negative_counts,
        negative_scores=negative_scores,
        negative_errors=negative_errors,
        flat_pair_weights=pair_weights.reshape(-1),
        flat_pair_scores=pair_scores.reshape(-1),
        flat_pair_errors=pair_errors.reshape(-1),
        flat_negative_counts=negative_counts.reshape(-1),
        flat_negative_scores=negative_scores.reshape(-1),
        flat_negative_errors=negative_errors.reshape(-1),
        in_order=np.arange(max(rows, outputs), dtype=np.int32),
        windows=_plan(BLOCK_CENTRES),
        contexts=_plan(rows),
        pairs=_plan(BLOCK_CENTRES, column=1, first=1, count=1),
        to_negatives=_plan(rows, row=1, begin=BLOCK_CENTRES, count=negatives),
        of_negatives=_plan(negatives, column=1),
        empty=_plan(max(rows, outputs)),
    )


def _plan(
    sums: int, *, row: int = 0, column: int = 0, first: int = 0, begin: int = 0, count: int = 0
) -> NDArray[np.int32]:
    """Return a plan whose sum i is (row · i, column · i, begin + first · i, count)."""
    i = np.arange(sums, dtype=np.int32)
    return np.stack((row * i, column * i, begin + first * i, np.full_like(i, count)), axis=1)


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
