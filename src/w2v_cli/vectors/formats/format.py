"""The contract of a format: what it can hold, how its files are recognised, and what writes and reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, NumberFormat, OnDone, ignore_done

NumberType = Literal["float32", "float16", "int8"]


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export: the type of the numbers in the file, and whether to replace an existing file.

    Attributes:
        on_done: called with the number of rows written so far and the number of all rows.
    """

    dtype: NumberType
    overwrite: bool
    on_done: OnDone = ignore_done


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import: the vectors file to write, the type of its numbers, whether to resolve escapes in words.

    Attributes:
        on_done: called with the number of rows read so far, by formats that are not read from the first byte to the
            last.
    """

    path: Path
    dtype: NumberFormat
    unescape: bool
    on_done: OnDone = ignore_done


@dataclass(frozen=True)
class Imported:
    """Vectors read from a file, and the largest change of a number by rounding."""

    word_vectors: KeyedVectors
    largest_rounding_error: float


def never(_head: bytes) -> bool:
    """Recognise no file: for a format that another one reads too, or that is a folder."""
    return False


def only_path(path: Path) -> list[Path]:
    """Return the one file of an export to `path`."""
    return [path]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: as in `--format`.
        title: as in messages.
        suffixes: ends of file names that select the format.
        dtypes: types of number that it can be written with, the default first.
        write: writes vectors to a path, completely or not at all.
        read: reads a stream; raises VectorsError, with the place, for a damaged file.
        recognises: whether a file that begins with these bytes (up to 64 KiB) has this format.
        separators: ASCII characters that a word cannot contain.
        files: the files that an export to a path writes.
        may_be_compressed: whether compressed files are read and written; a format whose parts are looked up cannot be.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    dtypes: tuple[NumberType, ...]
    write: Callable[[Path, KeyedVectors, ExportOptions], None]
    read: Callable[[ByteStream, ImportOptions], Imported]
    recognises: Callable[[bytes], bool] = never
    separators: str = ""
    files: Callable[[Path], list[Path]] = only_path
    may_be_compressed: bool = False
