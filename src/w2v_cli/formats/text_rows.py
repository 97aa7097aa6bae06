"""Rows of text: a word, and its numbers with a space before each. What word2vec, fastText and GloVe have in common."""

import reprlib
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.formats.collector import MOST_DIMENSIONS, Collector, Imported, Wanted
from w2v_cli.formats.stream import ByteStream
from w2v_cli.vectors import Matrix, iterate_blocks

SEPARATORS = " \t\n\v\f\r"  # that a word may not contain: what readers split lines at
_OF_NUMBERS = b"0123456789+-.eE "
_SHORTEST_NUMBER = 2  # bytes: a space and a digit


def iterate_lines(words: Sequence[str], vectors: Matrix, dtype: str) -> Iterator[bytes]:
    """Yield blocks of lines `word number …`: each number is the shortest text that gives its value back in `dtype`.

    Those of float16 vectors are looked up, for there are 65,536 of them.
    """
    texts = _float16_texts(dtype) if vectors.dtype == np.float16 or dtype == "float16" else None
    all_words = iter(words)
    for _, block in iterate_blocks(vectors):
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
            f"{stream.label}, line 1: it claims {rows:,} words of {dim:,} dimensions: there are none such."
        )
    return rows, dim


def check_claim(stream: ByteStream, rows: int, dim: int, smallest_row: int) -> None:
    """Raise VectorsError where the rest of the file cannot hold so many rows of at least `smallest_row` bytes."""
    left = stream.bytes_left
    if left is not None and rows * smallest_row - 1 > left:  # the last line may lack its end
        raise VectorsError(
            f"{stream.label}, line 1: it claims {rows:,} words of {dim:,} dimensions, which take "
            f"{rows * smallest_row:,} bytes at least; {left:,} follow. It was cut off, or is another format."
        )


def read_with_header(stream: ByteStream, wanted: Wanted) -> Imported:
    """Return the vectors of a text that begins with `V D`."""
    rows, dim = read_header(stream)
    check_claim(stream, rows, dim, 2 + dim * _SHORTEST_NUMBER)
    return _read_rows(stream, wanted, dim, rows)


def read_without_header(stream: ByteStream, wanted: Wanted) -> Imported:
    """Return the vectors of a text that begins with the first word; that line says how many numbers there are."""
    head = stream.peek(1 << 16)
    fields = head.partition(b"\n")[0].split()
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


def _read_rows(stream: ByteStream, wanted: Wanted, dim: int, claimed: int | None) -> Imported:
    first_line = 1 if claimed is None else 2
    collector = Collector(stream.label, dim, wanted, lambda row: f"line {row + first_line:,}")
    for block in stream.iterate_lines():
        lines = block.replace(b" \n", b"\n")[:-1].split(b"\n")  # fastText ends lines with a space
        if not lines[-1] and not stream.peek(1):
            lines = _without_blank_end(lines)
        if claimed is not None and collector.rows + len(lines) > claimed:
            raise collector.error(claimed, f"the header claims {claimed:,} words, and here is another")
        if lines:
            collector.add(*_parse(lines, dim, collector))
    if claimed is not None and collector.rows != claimed:
        raise VectorsError(
            f"{stream.label} is cut off: its header claims {claimed:,} words, {collector.rows:,} are there."
        )
    return collector.finish({})


def _without_blank_end(lines: list[bytes]) -> list[bytes]:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def _parse(lines: list[bytes], dim: int, collector: Collector) -> tuple[list[bytes], NDArray[np.float32]]:
    """Return the words and the numbers (R, D) of lines; raise VectorsError for the first that is wrong."""
    words, rest = [], []
    for line in lines:
        if line.count(b" ") != dim:
            break
        word, _, numbers = line.partition(b" ")
        words.append(word)
        rest.append(numbers)
    else:
        values = _parse_numbers(b" ".join(rest))
        if values is not None and len(values) == len(lines) * dim:
            return words, values.reshape(len(lines), dim)
    parsed = [_parse_line(line, dim, collector, row) for row, line in enumerate(lines)]
    return [word for word, _ in parsed], np.stack([numbers for _, numbers in parsed])


def _parse_line(line: bytes, dim: int, collector: Collector, row: int) -> tuple[bytes, NDArray[np.float32]]:
    """Return the word and the numbers of a line: those are its last fields, and the word all before, spaces as well."""
    word, *fields = line.rstrip(b" ").rsplit(b" ", dim)
    if len(fields) != dim:
        raise collector.error(
            collector.rows + row, f"{len(fields):,} numbers follow its word, not {dim:,}" if line else "it is blank"
        )
    for field in fields:
        if not is_number(field) or b"_" in field:
            shown = reprlib.repr(field.decode("utf-8", "backslashreplace"))
            raise collector.error(collector.rows + row, f"{shown} is no number, and {dim:,} are to follow its word")
    if (extra := word.rpartition(b" ")[2]) != word and is_number(extra):
        raise collector.error(collector.rows + row, f"more than {dim:,} numbers follow its word")
    with np.errstate(over="ignore"):  # infinity is refused later on
        return word, np.array(fields, np.float64).astype(np.float32)


def _parse_numbers(text: bytes) -> NDArray[np.float32] | None:
    """Return the numbers of a text, one space between; None where it holds something else.

    NumPy would let numbers follow each other without a space, and skip any space that is too many.
    """
    if text.translate(None, _OF_NUMBERS) or b"  " in text or text[:1] == b" " or text[-1:] == b" ":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, np.float32, sep=" ")
        except (DeprecationWarning, ValueError):
            return None
