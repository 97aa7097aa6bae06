"""Vectors as named arrays, the words packed: what a `.npz` and a `.safetensors` hold, each in its own container.

`vectors` (V, D) float32, float16 or int8; `scales` (V,) float32 for int8; `vocabulary.bytes` (bytes,) uint8: the words
as UTF-8 back to back; `vocabulary.offsets` (V + 1,) int64: where each begins and the last one ends; `counts` (V,) int64
if there are any.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.vectors.formats.builder import Imported, ImportOptions, VectorsBuilder
from w2v_cli.vectors.formats.quantising import iterate_quantised, row_scales, widen
from w2v_cli.vectors.keyed_vectors import BLOCK_ROWS, KeyedVectors, OnDone, iterate_blocks
from w2v_cli.vectors.packed_words import encode_words

TYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2"), "int8": np.dtype("i1")}


@dataclass(frozen=True)
class Part:
    """An array under a name: its type, its shape, and its data in blocks of rows."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    blocks: Iterable[NDArray[Any]]


@dataclass(frozen=True)
class Parts:
    """The arrays of a file that was read; `rows` yields the numbers of `vectors` in blocks, as they lie there."""

    shape: tuple[int, int]
    rows: Iterator[NDArray[Any]]
    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    scales: NDArray[np.float32] | None
    counts: NDArray[np.int64] | None
    metadata: Mapping[str, Any]


def iterate_parts(word_vectors: KeyedVectors, dtype: str, on_done: OnDone) -> Iterator[tuple[str, Part]]:
    """Yield name and array, those first that others need; on_done hears of the rows."""
    vectors = word_vectors.vectors
    text, offsets = encode_words(word_vectors.words)
    yield "vocabulary.offsets", Part(offsets.dtype, offsets.shape, [offsets])
    yield "vocabulary.bytes", Part(text.dtype, text.shape, [text])
    if word_vectors.counts is not None:
        yield "counts", Part(np.dtype("<i8"), word_vectors.counts.shape, [word_vectors.counts])
    if dtype == "int8":
        scales = row_scales(vectors)
        yield "scales", Part(TYPES["float32"], scales.shape, [scales])
        yield "vectors", Part(TYPES["int8"], vectors.shape, iterate_quantised(vectors, scales, on_done))
    else:
        wanted = TYPES[dtype]
        rows = (np.ascontiguousarray(block, wanted) for _, block in iterate_blocks(vectors, on_done))
        yield "vectors", Part(wanted, vectors.shape, rows)


def block_rows(dim: int) -> int:
    """Return how many rows are read together: a few MB."""
    return max(1, min(BLOCK_ROWS, (8 << 20) // (4 * dim)))


def iterate_rows(matrix: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the rows of a matrix, some MB together."""
    together = block_rows(matrix.shape[1])
    for first in range(0, len(matrix), together):
        yield matrix[first : first + together]


def collect_whole(label: str, whole: KeyedVectors, wanted: ImportOptions) -> Imported:
    """Return vectors that another reader has checked, as they are wanted."""
    text, offsets = encode_words(whole.words)
    rows, dim = whole.vectors.shape
    parts = Parts((rows, dim), iterate_rows(whole.vectors), text, offsets, None, whole.counts, whole.metadata)
    return collect(label, parts, wanted)


def collect(label: str, parts: Parts, wanted: ImportOptions) -> Imported:
    """Return the vectors of the arrays; raise VectorsError where they contradict each other."""
    rows, dim = parts.shape
    offsets = parts.offsets
    if (
        offsets.shape != (rows + 1,)
        or offsets[0] != 0
        or offsets[-1] != len(parts.text)
        or (np.diff(offsets) < 0).any()
    ):
        raise VectorsError(
            f"{label}: its vocabulary.offsets do not rise from 0 to the {count(len(parts.text), 'byte')} of its words "
            f"in {count(rows + 1, 'step')}."
        )
    for name, array in (("scales", parts.scales), ("counts", parts.counts)):
        if array is not None and array.shape != (rows,):
            raise VectorsError(f"{label}: its {name} are {array.shape}, not one for each of the {count(rows, 'word')}.")
    if parts.counts is not None and parts.counts.min() < 0:
        raise VectorsError(f"{label}: a count is negative.")
    collector = VectorsBuilder(label, dim, wanted, lambda row: f"row {row:,}")
    for block in parts.rows:
        first, last = collector.rows, collector.rows + len(block)
        text = parts.text[offsets[first] : offsets[last]].tobytes()
        borders = (offsets[first : last + 1] - offsets[first]).tolist()
        words = [text[begin:end] for begin, end in pairwise(borders)]
        numbers = block.astype(np.float32) if parts.scales is None else widen(block, parts.scales[first:last])
        collector.add(words, numbers)
        wanted.on_done(last, rows)
    return collector.finish(parts.metadata, parts.counts)
