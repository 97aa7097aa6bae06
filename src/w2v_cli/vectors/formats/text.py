"""Vectors as text, a line `word number …` for each word: word2vec's and fastText's files and GloVe's."""

import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError, option
from w2v_cli.humanize import count
from w2v_cli.system.compression import compressed_write
from w2v_cli.vectors.formats.builder import MOST_DIMENSIONS, VectorsBuilder
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, Matrix, OnDone, iterate_blocks

SEPARATORS = " \t\n\v\f\r"  # characters that a word cannot contain: readers split lines at them
_MANY_BYTES = 1 << 20
_SHORTEST_NUMBER = 2  # bytes: a space and a digit


def write_with_header(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write a line `V D`, then a line for each word."""
    rows, dim = word_vectors.vectors.shape
    with compressed_write(path, overwrite=options.overwrite) as file:
        file.write(f"{rows} {dim}\n".encode("ascii"))
        file.writelines(iterate_lines(word_vectors.words, word_vectors.vectors, options.dtype, options.on_done))


def write_without_header(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write a line for each word."""
    with compressed_write(path, overwrite=options.overwrite) as file:
        file.writelines(iterate_lines(word_vectors.words, word_vectors.vectors, options.dtype, options.on_done))


def iterate_lines(words: Sequence[str], vectors: Matrix, dtype: str, on_done: OnDone) -> Iterator[bytes]:
    """Yield blocks of lines `word number …`; each number is the shortest text that gives its value back in `dtype`.

    The texts of float16 numbers come from a table of all 65,536.
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
    """Return the text of every float16, indexed by its bits."""
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return list(map(str, numbers if dtype == "float16" else numbers.astype(np.float32)))


def read_header(stream: ByteStream) -> tuple[int, int]:
    """Take the line `V D` and return both numbers; raise VectorsError for any other line."""
    line = stream.take_line().removeprefix(b"\xef\xbb\xbf")
    numbers = line.split()
    if len(numbers) != 2 or not all(number.isdigit() and len(number) < 20 for number in numbers):  # noqa: PLR2004
        raise VectorsError(
            f"{stream.name}, line 1: expected the numbers of words and of dimensions, found "
            f"{reprlib.repr(line.decode('utf-8', 'backslashreplace'))}; if the file has another format, name it with "
            f"{option('format')}."
        )
    rows, dim = map(int, numbers)
    if not rows or not 0 < dim <= MOST_DIMENSIONS:
        raise VectorsError(
            f"{stream.name}, line 1: a file with {count(rows, 'word')} of {count(dim, 'dimension')} is not possible; "
            f"is it damaged?"
        )
    return rows, dim


def check_claim(stream: ByteStream, rows: int, dim: int, smallest_row: int) -> None:
    """Raise VectorsError if the rest of the file is too short for `rows` rows of at least `smallest_row` bytes."""
    left = stream.bytes_left
    if left is not None and rows * smallest_row - 1 > left:  # the last line may have no line end
        raise VectorsError(
            f"{stream.name}, line 1: the header promises {count(rows, 'word')} of {count(dim, 'dimension')}, at least "
            f"{count(rows * smallest_row, 'byte')}, but {left:,} follow. The file is cut off, or has another format."
        )


def read_with_header(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a text that begins with a line `V D`."""
    rows, dim = read_header(stream)
    check_claim(stream, rows, dim, 2 + dim * _SHORTEST_NUMBER)
    return _read_rows(stream, options, dim, rows)


def read_without_header(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a text without a header; the first line gives the number of dimensions."""
    fields = stream.peek_line().split()
    dim = 0
    while dim < len(fields) - 1 and is_number(fields[-1 - dim]):
        dim += 1
    if not dim:
        raise VectorsError(
            f"{stream.name}, line 1: no numbers follow the word; if the file has another format, name it with "
            f"{option('format')}."
        )
    return _read_rows(stream, options, dim, None)


def is_number(field: bytes) -> bool:
    """Return whether a field is a number, NaN or an infinity."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_rows(stream: ByteStream, options: ImportOptions, dim: int, claimed: int | None) -> Imported:
    """Return the vectors of the lines that follow, `claimed` of them if a header says so."""
    first_line = 1 if claimed is None else 2
    builder = VectorsBuilder(stream.name, dim, options, lambda row: f"line {row + first_line:,}")
    blank_lines = 0  # not yet passed on: those at the end of the file are ignored
    for block in stream.iterate_lines():
        filled = block.replace(b" \n", b"\n")  # fastText ends lines with a space
        content = filled.rstrip(b"\n")
        if not content:
            blank_lines += len(filled)
            continue
        lines = b"\n" * blank_lines + content + b"\n"
        blank_lines = len(filled) - len(content) - 1
        if claimed is not None and builder.rows + lines.count(b"\n") > claimed:
            raise builder.error(claimed, f"the header promises {count(claimed, 'word')}, and here is one more")
        builder.add(*parse_lines(lines, dim, builder))
    if claimed is not None and builder.rows != claimed:
        raise VectorsError(
            f"{stream.name} is cut off: its header promises {count(claimed, 'word')}, it holds {builder.rows:,}."
        )
    return builder.finish({})


def parse_lines(block: bytes, dim: int, builder: VectorsBuilder) -> tuple[list[bytes], NDArray[np.float32]]:
    """Return the words and the numbers (R, D) of whole lines; raise VectorsError for the first invalid one.

    A compiled loop reads large blocks and leaves unusual lines to `_parse_line`; small blocks are read by `_parse_line`
    alone, in less time than Numba takes to load.
    """
    most = len(block) // (1 + dim * _SHORTEST_NUMBER) + 1  # a bound that blank lines do not raise
    rows = min(block.count(b"\n"), most)
    words: list[bytes] = []
    values = np.empty((rows, dim), np.float32)
    place = 0
    while place < len(block):
        if len(block) >= _MANY_BYTES:
            place = _parse_plain(block, place, words, values)
        if place < len(block):
            end = block.index(b"\n", place)
            word, numbers = _parse_line(block[place:end], dim, builder, len(words))
            values[len(words)] = numbers
            words.append(word)
            place = end + 1
    return words, values


def _parse_plain(block: bytes, place: int, words: list[bytes], values: NDArray[np.float32]) -> int:
    """Append the plain lines of a block from `place` on; return where the first other line begins."""
    from w2v_cli.vectors.formats.text_numba import parse_plain_lines  # noqa: PLC0415  Numba is slow to load

    text = np.frombuffer(block, np.uint8)[place:]
    borders = np.empty((len(values) - len(words), 2), np.int64)
    lines, done = parse_plain_lines(text, values[len(words) :], borders)
    words += [block[place + begin : place + end] for begin, end in borders[:lines].tolist()]
    return place + int(done)


def _parse_line(line: bytes, dim: int, builder: VectorsBuilder, row: int) -> tuple[bytes, NDArray[np.float32]]:
    """Return the word and the numbers of a line: the last D fields are the numbers, the word may contain spaces."""
    word, *fields = line.rsplit(b" ", dim)
    if len(fields) != dim:
        cause = f"{count(len(fields), 'number')} after the word, expected {dim:,}" if line else "the line is blank"
        raise builder.error(builder.rows + row, cause)
    numbers = _parse_numbers(fields)
    if numbers is None:
        field = next(field for field in fields if _parse_numbers([field]) is None)
        shown = reprlib.repr(field.decode("utf-8", "backslashreplace"))
        raise builder.error(builder.rows + row, f"{shown} is not a number; expected {dim:,} after the word")
    if (extra := word.rpartition(b" ")[2]) != word and is_number(extra):
        raise builder.error(builder.rows + row, f"more than {count(dim, 'number')} after the word")
    return word, numbers


def _parse_numbers(fields: list[bytes]) -> NDArray[np.float32] | None:
    """Return the numbers that fields hold; None if one is not a number."""
    if any(b"_" in field for field in fields):  # allowed in Python's numbers
        return None
    try:
        numbers = np.fromiter(map(float, fields), np.float64, len(fields))
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # infinity is refused later
        return numbers.astype(np.float32)


def is_header(line: bytes) -> bool:
    r"""Return whether a line holds the numbers of words and of dimensions.

    >>> is_header(b"400000 100\r")
    True
    """
    numbers = line.removeprefix(b"\xef\xbb\xbf").split()
    return len(numbers) == 2 and all(number.isdigit() for number in numbers)  # noqa: PLR2004  V and D


def is_line_of_numbers(text: bytes) -> bool:
    """Return whether `text` begins with a line (or the beginning of one) whose second half is numbers."""
    line, end, _ = text.partition(b"\n")
    fields = line.split() if end else line.split()[:-1]
    numbers = fields[max(1, len(fields) // 2) :]
    return bool(numbers) and all(is_number(field) for field in numbers)


def _has_header_and_text(head: bytes) -> bool:
    """Return whether a header and a line of text begin a file."""
    first, _, rest = head.partition(b"\n")
    return is_header(first) and is_line_of_numbers(rest)


def _has_text_alone(head: bytes) -> bool:
    """Return whether a line of text that is not a header begins a file."""
    return not is_header(head.partition(b"\n")[0]) and is_line_of_numbers(head)


WORD2VEC = Format(
    name="word2vec",
    title="word2vec's text",
    suffixes=(".w2v.txt", ".word2vec.txt", ".word2vec"),
    dtypes=("float32", "float16"),
    write=write_with_header,
    read=read_with_header,
    recognises=_has_header_and_text,
    separators=SEPARATORS,
    may_be_compressed=True,
)
FASTTEXT = Format(
    name="fasttext",
    title="fastText's .vec",
    suffixes=(".vec",),
    dtypes=("float32", "float16"),
    write=write_with_header,
    read=read_with_header,
    separators=SEPARATORS,
    may_be_compressed=True,
)
GLOVE = Format(
    name="glove",
    title="GloVe's text",
    suffixes=(".glove.txt", ".glove"),
    dtypes=("float32", "float16"),
    write=write_without_header,
    read=read_without_header,
    recognises=_has_text_alone,
    separators=SEPARATORS,
    may_be_compressed=True,
)
