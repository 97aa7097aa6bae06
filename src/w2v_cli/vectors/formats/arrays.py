"""Vectors as named arrays with the words packed: the content of a `.npz` and of a `.safetensors`.

`vectors` (V, D) float32, float16 or int8; `scales` (V,) float32 for int8; `vocabulary.bytes` (bytes,) uint8: the words
as UTF-8 back to back; `vocabulary.offsets` (V + 1,) int64: the first byte of each word, and the end of the last;
`counts` (V,) int64 if known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.vectors.formats.builder import VectorsBuilder
from w2v_cli.vectors.formats.format import ExportOptions, Imported, ImportOptions
from w2v_cli.vectors.keyed_vectors import BLOCK_ROWS, KeyedVectors, Matrix, OnDone, ignore_done, iterate_blocks
from w2v_cli.vectors.packed_words import encode_words

TYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2"), "int8": np.dtype("i1")}
_LARGEST_INT8 = 127  # -128 is not used, so that a number and its negative are treated alike
_BLOCK_BYTES = 8 << 20  # of float32 rows that are read together


@dataclass(frozen=True)
class Part:
    """A named array to write: its type, its shape, and its data in blocks of rows."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    blocks: Iterable[NDArray[Any]]


@dataclass(frozen=True)
class Parts:
    """The arrays of a file that is read; `rows` yields `vectors` in blocks, in the type of the file."""

    shape: tuple[int, int]
    rows: Iterator[NDArray[Any]]
    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    scales: NDArray[np.float32] | None
    counts: NDArray[np.int64] | None
    metadata: Mapping[str, Any]


def iterate_parts(word_vectors: KeyedVectors, options: ExportOptions) -> Iterator[tuple[str, Part]]:
    """Yield the name and the data of each array; `vectors`, the largest one, comes last."""
    vectors = word_vectors.vectors
    text, offsets = encode_words(word_vectors.words)
    yield "vocabulary.offsets", Part(offsets.dtype, offsets.shape, [offsets])
    yield "vocabulary.bytes", Part(text.dtype, text.shape, [text])
    if word_vectors.counts is not None:
        yield "counts", Part(np.dtype("<i8"), word_vectors.counts.shape, [word_vectors.counts])
    dtype = TYPES[options.dtype]
    if options.dtype == "int8":
        scales = row_scales(vectors)
        yield "scales", Part(TYPES["float32"], scales.shape, [scales])
        yield "vectors", Part(dtype, vectors.shape, iterate_quantised(vectors, scales, options.on_done))
    else:
        rows = (np.ascontiguousarray(block, dtype) for _, block in iterate_blocks(vectors, options.on_done))
        yield "vectors", Part(dtype, vectors.shape, rows)


def block_rows(dim: int) -> int:
    """Return the number of rows to read together: a few MB."""
    return max(1, min(BLOCK_ROWS, _BLOCK_BYTES // (4 * dim)))


def iterate_rows(matrix: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the rows of a matrix, a few MB at a time."""
    size = block_rows(matrix.shape[1])
    for first in range(0, len(matrix), size):
        yield matrix[first : first + size]


def read_parts(name: str, parts: Parts, options: ImportOptions) -> Imported:
    """Return the vectors that the arrays describe; raise VectorsError if they contradict each other."""
    _check_parts(name, parts)
    rows, dim = parts.shape
    builder = VectorsBuilder(name, dim, options, lambda row: f"row {row:,}")
    for block in parts.rows:
        first, last = builder.rows, builder.rows + len(block)
        begin, end = parts.offsets[first], parts.offsets[last]
        text = parts.text[begin:end].tobytes()
        borders = (parts.offsets[first : last + 1] - begin).tolist()
        words = [text[start:stop] for start, stop in pairwise(borders)]
        numbers = block.astype(np.float32) if parts.scales is None else dequantise(block, parts.scales[first:last])
        builder.add(words, numbers)
        options.on_done(last, rows)
    return builder.finish(parts.metadata, parts.counts)


def _check_parts(name: str, parts: Parts) -> None:
    """Raise VectorsError unless words, scales and counts fit the number of rows."""
    rows, offsets, size = parts.shape[0], parts.offsets, len(parts.text)
    if offsets.shape != (rows + 1,) or offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) < 0).any():
        raise VectorsError(
            f"{name}: its vocabulary.offsets do not rise from 0 to the {count(size, 'byte')} of its words in "
            f"{count(rows + 1, 'step')}."
        )
    for array_name, array in (("scales", parts.scales), ("counts", parts.counts)):
        if array is not None and array.shape != (rows,):
            raise VectorsError(
                f"{name}: its {array_name} have shape {array.shape}, expected one for each of {count(rows, 'word')}."
            )
    if parts.counts is not None and parts.counts.min() < 0:
        raise VectorsError(f"{name}: a count is negative.")


def row_scales(vectors: Matrix) -> NDArray[np.float32]:
    """Return the scale s = max |v| / 127 of each row (V,); 0 for a row of zeros."""
    largest = [np.abs(block.astype(np.float32)).max(axis=1) for _, block in iterate_blocks(vectors)]
    return (np.concatenate(largest) / np.float32(_LARGEST_INT8)).astype(np.float32)


def iterate_quantised(
    vectors: Matrix, scales: NDArray[np.float32], on_done: OnDone = ignore_done
) -> Iterator[NDArray[np.int8]]:
    """Yield blocks of rows as int8, q = round(v / s); then |q · s - v| ≤ s / 2."""
    for first, block in iterate_blocks(vectors, on_done):
        divisors = scales[first : first + len(block), np.newaxis]
        ratios = np.divide(block, divisors, out=np.zeros(block.shape, np.float32), where=divisors > 0)
        yield np.clip(np.rint(ratios), -_LARGEST_INT8, _LARGEST_INT8).astype(np.int8)


def dequantise(rows: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return q · s (R, D) of int8 rows (R, D) and their scales (R,); infinity beyond the range of float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        products: NDArray[np.float32] = rows * scales[:, np.newaxis]
    return products
