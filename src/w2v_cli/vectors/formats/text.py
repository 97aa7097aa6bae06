"""Rows of text: a word, and its numbers with a space before each. What word2vec, fastText and GloVe have in common."""

import reprlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.vectors.formats.builder import MOST_DIMENSIONS, Imported, ImportOptions, VectorsBuilder
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import Matrix, OnDone, iterate_blocks

SEPARATORS = " \t\n\v\f\r"  # that a word may not contain: what readers split lines at
_MANY_BYTES = 1 << 20
_SHORTEST_NUMBER = 2  # bytes: a space and a digit


def iterate_lines(words: Sequence[str], vectors: Matrix, dtype: str, on_done: OnDone) -> Iterator[bytes]:
    """Yield blocks of lines `word number …`: each number is the shortest text that gives its value back in `dtype`.

    Those of float16 vectors are looked up, for there are 65,536 of them.
    """
    texts = _float16_texts(dtype) if vectors.dtype == np.float16 or dtype == "float16" else None
    all_words = iter(words)
    for _, block in iterate_blocks(vectors, on_done):
        if texts is None:
            numbers: Iterator[Sequence[str]] = (list(map(str, row)) for row in block)
        else:
            patterns = np.ascontiguousarray(block, np.float16).view(np.uint16)
            numbers = ([texts[pattern] for pattern in row] for row in patterns.tolist())
        lines = [f"{word} {' '.join(row)}\n" for row, word in zip(numbers, all_words, strict=False)]
        yield "".join(lines).encode("utf-8")


def _float16_texts(dtype: str) -> list[str]:
    """Return the text of each float16, by its bits."""
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return list(map(str, numbers if dtype == "float16" else numbers.astype(np.float32)))


def read_header(stream: ByteStream) -> tuple[int, int]:
    """Take the line `V D` and return both numbers; raise VectorsError where it is no such line."""
    line = stream.take_line().removeprefix(b"\xef\xbb\xbf")
    numbers = line.split()
    if len(numbers) != 2 or not all(number.isdigit() and len(number) < 20 for number in numbers):  # noqa: PLR2004
        raise VectorsError(
            f"{stream.label}, line 1: {reprlib.repr(line.decode('utf-8', 'backslashreplace'))} is not the number of "
            f"words and that of dimensions, which this format begins with; --format names another."
        )
    rows, dim = map(int, numbers)
    if not rows or not 0 < dim <= MOST_DIMENSIONS:
        raise VectorsError(
            f"{stream.label}, line 1: it claims {count(rows, 'word')} of {count(dim, 'dimension')}: there are none "
            f"such."
        )
    return rows, dim


def check_claim(stream: ByteStream, rows: int, dim: int, smallest_row: int) -> None:
    """Raise VectorsError where the rest of the file cannot hold so many rows of at least `smallest_row` bytes."""
    left = stream.bytes_left
    if left is not None and rows * smallest_row - 1 > left:  # the last line may lack its end
        raise VectorsError(
            f"{stream.label}, line 1: it claims {count(rows, 'word')} of {count(dim, 'dimension')}, which take "
            f"{count(rows * smallest_row, 'byte')} at least; {left:,} follow. It was cut off, or is another format."
        )


def read_with_header(stream: ByteStream, wanted: ImportOptions) -> Imported:
    """Return the vectors of a text that begins with `V D`."""
    rows, dim = read_header(stream)
    check_claim(stream, rows, dim, 2 + dim * _SHORTEST_NUMBER)
    return _read_rows(stream, wanted, dim, rows)


def read_without_header(stream: ByteStream, wanted: ImportOptions) -> Imported:
    """Return the vectors of a text that begins with the first word; that line says how many numbers there are."""
    fields = stream.peek_line().split()
    dim = 0
    while dim < len(fields) - 1 and is_number(fields[-1 - dim]):
        dim += 1
    if not dim:
        raise VectorsError(
            f"{stream.label}, line 1: there are no numbers behind a word; --format names another format."
        )
    return _read_rows(stream, wanted, dim, None)


def is_number(field: bytes) -> bool:
    """Return whether a field is a number, or NaN or infinity."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_rows(stream: ByteStream, wanted: ImportOptions, dim: int, claimed: int | None) -> Imported:
    first_line = 1 if claimed is None else 2
    collector = VectorsBuilder(stream.label, dim, wanted, lambda row: f"line {row + first_line:,}")
    blank_lines = 0  # those at the end of the file are none
    for block in stream.iterate_lines():
        filled = block.replace(b" \n", b"\n")  # fastText ends lines with a space
        content = filled.rstrip(b"\n")
        if not content:
            blank_lines += len(filled)
            continue
        lines = b"\n" * blank_lines + content + b"\n"
        blank_lines = len(filled) - len(content) - 1
        if claimed is not None and collector.rows + lines.count(b"\n") > claimed:
            raise collector.error(claimed, f"the header claims {count(claimed, 'word')}, and here is another")
        collector.add(*parse_lines(lines, dim, collector))
    if claimed is not None and collector.rows != claimed:
        raise VectorsError(
            f"{stream.label} is cut off: its header claims {count(claimed, 'word')}, {collector.rows:,} are there."
        )
    return collector.finish({})


def parse_lines(block: bytes, dim: int, collector: VectorsBuilder) -> tuple[list[bytes], NDArray[np.float32]]:
    """Return the words and the numbers (R, D) of whole lines; raise VectorsError for the first that is wrong.

    Many are read by a compiled loop, which leaves to `_parse_line` what is not plain; a few by that alone, in the time
    that Numba would take to load.
    """
    most = len(block) // (1 + dim * _SHORTEST_NUMBER) + 1  # however many lines are blank
    rows = min(block.count(b"\n"), most)
    words: list[bytes] = []
    values = np.empty((rows, dim), np.float32)
    place = 0
    while place < len(block):
        if len(block) >= _MANY_BYTES:
            place = _parse_plain(block, place, words, values)
        if place < len(block):
            end = block.index(b"\n", place)
            word, numbers = _parse_line(block[place:end], dim, collector, len(words))
            values[len(words)] = numbers
            words.append(word)
            place = end + 1
    return words, values


def _parse_plain(block: bytes, place: int, words: list[bytes], values: NDArray[np.float32]) -> int:
    """Add the plain lines from a place in a block on; return where the first other one begins."""
    from w2v_cli.vectors.formats.text_numba import parse_plain_lines  # noqa: PLC0415  Numba is slow to load

    text = np.frombuffer(block, np.uint8)[place:]
    borders = np.empty((len(values) - len(words), 2), np.int64)
    lines, done = parse_plain_lines(text, values[len(words) :], borders)
    words += [block[place + begin : place + end] for begin, end in borders[:lines].tolist()]
    return place + int(done)


def _parse_line(line: bytes, dim: int, collector: VectorsBuilder, row: int) -> tuple[bytes, NDArray[np.float32]]:
    """Return the word and the numbers of a line: those are its last fields, and the word all before, spaces as well."""
    word, *fields = line.rsplit(b" ", dim)
    if len(fields) != dim:
        cause = f"its word is followed by {count(len(fields), 'number')}, not {dim:,}" if line else "it is blank"
        raise collector.error(collector.rows + row, cause)
    numbers = _parse_numbers(fields)
    if numbers is None:
        field = next(field for field in fields if _parse_numbers([field]) is None)
        shown = reprlib.repr(field.decode("utf-8", "backslashreplace"))
        raise collector.error(collector.rows + row, f"{shown} is no number, and {dim:,} are to follow its word")
    if (extra := word.rpartition(b" ")[2]) != word and is_number(extra):
        raise collector.error(collector.rows + row, f"its word is followed by more than {count(dim, 'number')}")
    return word, numbers


def _parse_numbers(fields: list[bytes]) -> NDArray[np.float32] | None:
    """Return the numbers of fields; None where one is something else."""
    if any(b"_" in field for field in fields):  # Python's own numbers may have it
        return None
    try:
        numbers = np.fromiter(map(float, fields), np.float64, len(fields))
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # infinity is refused later on
        return numbers.astype(np.float32)
