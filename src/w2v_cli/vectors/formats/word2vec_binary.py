"""word2vec's binary file: a line `V D`, then for each word its name, a space, D float32, and mostly a newline."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.system.packing import packed_write
from w2v_cli.vectors.formats.builder import LONGEST_WORD, Imported, ImportOptions, VectorsBuilder
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.formats.text import check_claim, read_header
from w2v_cli.vectors.keyed_vectors import KeyedVectors, OnDone, iterate_blocks

SEPARATORS = " \n"  # that a word may not contain
_BLOCK_BYTES = 4 << 20
_FLOAT32 = np.dtype("<f4")


def write(
    path: Path,
    word_vectors: KeyedVectors,
    *,
    dtype: str,  # noqa: ARG001  it has one type
    overwrite: bool,
    on_done: OnDone,
) -> None:
    """Write `word_vectors` as float32, whole or not at all, with the newlines of the original word2vec."""
    rows, dim = word_vectors.vectors.shape
    words = iter(word_vectors.words)
    with packed_write(path, overwrite=overwrite) as file:
        file.write(f"{rows} {dim}\n".encode("ascii"))
        for _, block in iterate_blocks(word_vectors.vectors, on_done):
            data = np.ascontiguousarray(block, _FLOAT32)
            file.writelines(
                b"%b %b\n" % (word.encode("utf-8"), row.tobytes()) for row, word in zip(data, words, strict=False)
            )


def read(stream: ByteStream, wanted: ImportOptions) -> Imported:
    """Return the vectors of a binary file, with newlines behind the vectors or without."""
    claimed, dim = read_header(stream)
    row_bytes = dim * _FLOAT32.itemsize
    check_claim(stream, claimed, dim, row_bytes + 2)
    collector = VectorsBuilder(stream.label, dim, wanted, lambda row: f"word {row + 1:,}")
    for part in _iterate_parts(stream, claimed, row_bytes):
        rows = np.frombuffer(b"".join(part.data), _FLOAT32).reshape(len(part.words), dim)
        collector.add(part.words, rows)
    if rest := stream.take(LONGEST_WORD).strip(b"\n"):
        raise VectorsError(
            f"{stream.label}: its header claims {count(claimed, 'word')} of {count(dim, 'dimension')}, and "
            f"{len(rest):,} bytes or more follow them at byte {stream.taken_bytes - len(rest):,}. It is damaged, or "
            f"another format."
        )
    return collector.finish({})


class _Part(NamedTuple):
    """Words and the bytes of their vectors."""

    words: list[bytes]
    data: list[bytes]


def _iterate_parts(stream: ByteStream, claimed: int, row_bytes: int) -> Iterator[_Part]:
    """Yield all words, some MB at a time; raise VectorsError where the file ends before."""
    done = 0
    while done < claimed:
        block = stream.peek(_BLOCK_BYTES + LONGEST_WORD + row_bytes)
        part, place = _Part([], []), 0
        while place < _BLOCK_BYTES and done + len(part.words) < claimed:
            while block[place : place + 1] == b"\n":
                place += 1
            space = block.find(b" ", place, place + LONGEST_WORD + 1)
            end = space + 1 + row_bytes
            if space < 0 or end > len(block):
                if part.words:
                    break
                raise _cut_off(stream, claimed, done, place, is_word=space < 0)
            part.words.append(block[place:space])
            part.data.append(block[space + 1 : end])
            place = end
        stream.take(place)
        done += len(part.words)
        yield part


def _cut_off(stream: ByteStream, claimed: int, done: int, place: int, *, is_word: bool) -> VectorsError:
    begin = stream.taken_bytes + place
    what = f"no word of at most {LONGEST_WORD:,} bytes begins there" if is_word else "its vector is not all there"
    return VectorsError(
        f"{stream.label}, byte {begin:,}: {done:,} of the {count(claimed, 'word')} that its header claims have been "
        f"read, and {what}. It was cut off, or is another format."
    )
