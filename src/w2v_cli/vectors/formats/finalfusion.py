"""finalfusion's file: words, rows of length 1 and the rows' lengths, each in its own chunk.

A header lists the chunks; each has its number, its size in bytes and its content (https://docs.rs/finalfusion).
"""

import math
import mmap
import struct
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.system.files import atomic_write
from w2v_cli.vectors.formats.arrays import Parts, iterate_rows, read_parts
from w2v_cli.vectors.formats.builder import LONGEST_WORD
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, Matrix, OnDone, iterate_blocks
from w2v_cli.vectors.safetensors import map_file

MAGIC = b"FiFu"
_VERSION = 0
_WORDS, _ROWS, _METADATA, _LENGTHS = 1, 2, 5, 6  # numbers of chunks
_MOST_CHUNKS = 16
_FLOAT32 = 10  # the number of a type


def write(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write float32 rows at length 1, as finalfusion takes dot products for similarities, and their lengths."""
    rows, dim = word_vectors.vectors.shape
    lengths = np.concatenate([_lengths(block) for _, block in iterate_blocks(word_vectors.vectors)])
    encoded = [word.encode("utf-8") for word in word_vectors.words]
    with atomic_write(path, overwrite=options.overwrite) as file:
        file.write(MAGIC + struct.pack("<5I", _VERSION, 3, _WORDS, _ROWS, _LENGTHS))
        file.write(struct.pack("<IQQ", _WORDS, 8 + sum(4 + len(word) for word in encoded), rows))
        file.writelines(struct.pack("<I", len(word)) + word for word in encoded)
        _begin_array(file, _ROWS, struct.pack("<QI", rows, dim), rows * dim)
        file.writelines(_iterate_unit(word_vectors.vectors, lengths, options.on_done))
        _begin_array(file, _LENGTHS, struct.pack("<Q", rows), rows)
        file.write(lengths.astype("<f4").tobytes())


def _begin_array(file: BinaryIO, chunk: int, shape: bytes, numbers: int) -> None:
    """Write the head of an array, padded with 1 to 4 zeros so that its numbers begin at a multiple of 4 bytes."""
    file.write(struct.pack("<I", chunk))
    padding = 4 - file.tell() % 4
    file.write(struct.pack("<Q", len(shape) + 4 + padding + 4 * numbers) + shape)
    file.write(struct.pack("<I", _FLOAT32) + b"\0" * padding)


def _lengths(block: Matrix) -> NDArray[np.float32]:
    """Return the Euclidean length of each row (R,)."""
    wide = block.astype(np.float32)
    lengths: NDArray[np.float32] = np.sqrt(np.einsum("rd,rd->r", wide, wide, dtype=np.float64)).astype(np.float32)
    return lengths


def _iterate_unit(vectors: Matrix, lengths: NDArray[np.float32], on_done: OnDone) -> Iterator[bytes]:
    """Yield blocks of rows at length 1; rows of zeros stay zeros."""
    for first, block in iterate_blocks(vectors, on_done):
        divisors = lengths[first : first + len(block), np.newaxis]
        yield (
            np.divide(block, np.where(divisors > 0, divisors, np.float32(1)), dtype=np.float32).astype("<f4").tobytes()
        )


def read(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a file of whole words, each row times its length.

    Raises VectorsError for other chunks (subwords, quantised rows) and for a chunk that promises more than it holds.
    """
    content = map_file(stream.file_path())
    chunks = dict(_iterate_chunks(stream.name, content))
    missing = {_WORDS, _ROWS} - set(chunks)
    others = set(chunks) - {_WORDS, _ROWS, _METADATA, _LENGTHS}
    if missing or others:
        raise _refused(stream.name, f"its chunks are {sorted(chunks)}, expected whole words (1) and plain rows (2)")
    text, offsets = _read_words(stream.name, content, *chunks[_WORDS])
    (rows, dim), begin = _read_array(stream.name, content, "<QI", *chunks[_ROWS])
    matrix = np.frombuffer(content, "<f4", rows * dim, begin).reshape(rows, dim)
    lengths = None
    if _LENGTHS in chunks:
        (number,), begin = _read_array(stream.name, content, "<Q", *chunks[_LENGTHS])
        lengths = np.frombuffer(content, "<f4", number, begin)
    parts = Parts((rows, dim), iterate_rows(matrix), text, offsets, scales=lengths, counts=None, metadata={})
    imported = read_parts(stream.name, parts, options)
    stream.drain()
    return imported


def _refused(name: str, cause: str) -> VectorsError:
    """Return the error for a file that is damaged or not of the kind that is read."""
    return VectorsError(f"{name} is not a finalfusion file that w2v can import, or is damaged: {cause}.")


def _iterate_chunks(name: str, content: mmap.mmap) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the number of each chunk, and where its content begins and ends."""
    version, number = struct.unpack("<2I", content[4:12].ljust(8, b"\0"))
    if version != _VERSION or not 0 < number <= _MOST_CHUNKS:
        raise _refused(name, f"it has version {version} with {count(number, 'chunk')}")
    place = 12 + 4 * number
    for _ in range(number):
        head = content[place : place + 12]
        if len(head) < 12:  # noqa: PLR2004  a chunk's number and size
            raise _refused(name, f"it ends at byte {len(content):,}, before a chunk")
        chunk, size = struct.unpack("<IQ", head)
        if size > len(content) - place - 12:
            raise _refused(
                name, f"the chunk at byte {place:,} claims {count(size, 'byte')} of {len(content) - place - 12:,}"
            )
        yield chunk, (place + 12, place + 12 + size)
        place += 12 + size


def _read_words(name: str, content: mmap.mmap, begin: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the words as UTF-8 back to back, and their offsets (V + 1,)."""
    number = int.from_bytes(content[begin : begin + 8], "little") if end - begin >= 8 else 0  # noqa: PLR2004  its own size
    if not 0 < 4 * number <= end - begin - 8:
        raise _refused(name, f"it claims {count(number, 'word')} in {count(end - begin, 'byte')}")
    words, place = [], begin + 8
    for word_id in range(number):
        size = int.from_bytes(content[place : place + 4], "little")
        if size > min(LONGEST_WORD, end - place - 4):
            raise _refused(name, f"word {word_id + 1:,} claims {count(size, 'byte')}")
        words.append(content[place + 4 : place + 4 + size])
        place += 4 + size
    offsets = np.fromiter(accumulate(map(len, words), initial=0), np.int64, number + 1)
    return np.frombuffer(b"".join(words), np.uint8), offsets


def _read_array(name: str, content: mmap.mmap, shape: str, begin: int, end: int) -> tuple[tuple[int, ...], int]:
    """Return the shape of an array and where its numbers begin; raise VectorsError if shape and bytes disagree."""
    head = struct.calcsize(shape) + 4
    if end - begin < head:
        raise _refused(name, f"its array at byte {begin:,} is cut off")
    sizes = struct.unpack(shape, content[begin : begin + head - 4])
    number_type = int.from_bytes(content[begin + head - 4 : begin + head], "little")
    size = 4 * math.prod(sizes)
    if number_type != _FLOAT32 or min(sizes) < 1 or not 0 <= end - begin - head - size <= 4:  # noqa: PLR2004  padding
        raise _refused(name, f"its array at byte {begin:,} claims shape {sizes}, type {number_type}")
    return sizes, end - size


FORMAT = Format(
    name="finalfusion",
    title="finalfusion's file",
    suffixes=(".fifu", ".finalfusion"),
    dtypes=("float32",),
    write=write,
    read=read,
    recognises=lambda head: head.startswith(MAGIC),
)
