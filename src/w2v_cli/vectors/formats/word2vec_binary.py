"""word2vec's binary file: a line `V D`, then for each word its text, a space, D float32 and usually a newline."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.system.compression import compressed_write
from w2v_cli.vectors.formats.builder import LONGEST_WORD, VectorsBuilder
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.formats.text import check_claim, is_header, is_line_of_numbers, read_header
from w2v_cli.vectors.keyed_vectors import KeyedVectors, iterate_blocks

_BLOCK_BYTES = 4 << 20
_FLOAT32 = np.dtype("<f4")


def write(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write float32 rows, each followed by a newline, as the original word2vec does."""
    rows, dim = word_vectors.vectors.shape
    words = iter(word_vectors.words)
    with compressed_write(path, overwrite=options.overwrite) as file:
        file.write(f"{rows} {dim}\n".encode("ascii"))
        for _, block in iterate_blocks(word_vectors.vectors, options.on_done):
            data = np.ascontiguousarray(block, _FLOAT32)
            file.writelines(
                b"%b %b\n" % (word.encode("utf-8"), row.tobytes()) for row, word in zip(data, words, strict=False)
            )


def read(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a binary file, with or without newlines after the rows."""
    claimed, dim = read_header(stream)
    row_bytes = dim * _FLOAT32.itemsize
    check_claim(stream, claimed, dim, row_bytes + 2)
    builder = VectorsBuilder(stream.name, dim, options, lambda row: f"word {row + 1:,}")
    for part in _iterate_parts(stream, claimed, row_bytes):
        rows = np.frombuffer(b"".join(part.data), _FLOAT32).reshape(len(part.words), dim)
        builder.add(part.words, rows)
    if rest := stream.take(LONGEST_WORD).strip(b"\n"):
        raise VectorsError(
            f"{stream.name}: {len(rest):,} bytes or more follow the {count(claimed, 'word')} of "
            f"{count(dim, 'dimension')} that its header promises, at byte {stream.taken_bytes - len(rest):,}. The file "
            f"is damaged, or has another format."
        )
    return builder.finish({})


class _Part(NamedTuple):
    """Words and the bytes of their vectors."""

    words: list[bytes]
    data: list[bytes]


def _iterate_parts(stream: ByteStream, claimed: int, row_bytes: int) -> Iterator[_Part]:
    """Yield all words, a few MB at a time; raise VectorsError if the file ends early."""
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
    """Return the error for a file that ends within a word or a vector."""
    begin = stream.taken_bytes + place
    what = f"no word of at most {LONGEST_WORD:,} bytes begins here" if is_word else "the next vector is incomplete"
    return VectorsError(
        f"{stream.name}, byte {begin:,}: after {done:,} of the {count(claimed, 'word')} that the header promises, "
        f"{what}. The file is cut off, or has another format."
    )


def _recognises(head: bytes) -> bool:
    """Return whether a header and something other than a line of text begin a file."""
    first, _, rest = head.partition(b"\n")
    return is_header(first) and not is_line_of_numbers(rest)


FORMAT = Format(
    name="word2vec-binary",
    title="word2vec's binary file",
    suffixes=(".bin",),
    dtypes=("float32",),
    write=write,
    read=read,
    recognises=_recognises,
    separators=" \n",
    may_be_compressed=True,
)
