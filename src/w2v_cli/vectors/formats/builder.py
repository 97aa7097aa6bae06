"""Rows as a reader finds them → checked words and vectors, in files without a name: memory does not bound them."""

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.system.disk_array import DiskArray
from w2v_cli.vectors.formats.escaping import unescape
from w2v_cli.vectors.keyed_vectors import MAX_FLOAT16, KeyedVectors, NumberFormat, OnDone, ignore_done
from w2v_cli.vectors.packed_words import PackedWords, RepeatedWordError

LONGEST_WORD = 1 << 20  # bytes
MOST_DIMENSIONS = 1 << 20
_TYPES: dict[NumberFormat, type[np.generic]] = {"float16": np.float16, "float32": np.float32}


@dataclass(frozen=True)
class ImportOptions:
    """What an import is to make: the file it ends in, numbers of which type, words with escapes resolved or not.

    on_done: hears of rows that come from a file whose parts are looked up, not read from its beginning to its end.
    """

    path: Path
    dtype: NumberFormat
    unescape: bool
    on_done: OnDone = ignore_done


@dataclass(frozen=True)
class Imported:
    """Vectors that were read, and by how much rounding has changed a number at the most."""

    word_vectors: KeyedVectors
    largest_rounding_error: float


class VectorsBuilder:
    """Takes words and rows in the order of the file; raises VectorsError, with the place, for what none may be.

    place: says where the row of a number, from 0, stands in the file: `line 12`.
    """

    def __init__(self, label: str, dim: int, wanted: ImportOptions, place: Callable[[int], str]) -> None:
        self._label = label
        self._wanted = wanted
        self._place = place
        self._dim = dim
        self._text = DiskArray(np.uint8, wanted.path)
        self._lengths = DiskArray(np.int64, wanted.path)
        self._rows = DiskArray(_TYPES[wanted.dtype], wanted.path)
        self._largest_error = 0.0

    @property
    def rows(self) -> int:
        """How many rows there are so far."""
        return self._lengths.size

    def add(self, words: Sequence[bytes], rows: NDArray[np.float32]) -> None:
        """Add R words, as UTF-8, and their vectors (R, D)."""
        self._check_words(words)
        rounded = self._round(rows)
        if self._wanted.unescape:
            words = [unescape(word.decode("utf-8")).encode("utf-8") for word in words]
        self._text.write(np.frombuffer(b"".join(words), np.uint8))
        self._rows.write(np.ascontiguousarray(rounded).reshape(-1))
        self._lengths.write(np.fromiter(map(len, words), np.int64, len(words)))

    def finish(self, metadata: Mapping[str, Any], counts: NDArray[np.int64] | None = None) -> Imported:
        """Return all rows as vectors; raise VectorsError where there are none, or a word comes twice."""
        if not self.rows:
            raise VectorsError(f"{self._label} holds no vectors.")
        lengths = self._lengths.read()
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        try:
            words = PackedWords(self._text.read(), offsets)
        except RepeatedWordError as error:
            first, second = error.word_ids
            cause = f"the word {reprlib.repr(error.word)} comes twice, first in {self._place(first)}"
            raise self.error(second, cause) from error
        vectors: Any = self._rows.read().reshape(self.rows, self._dim)
        return Imported(KeyedVectors(vectors, words, counts, metadata), self._largest_error)

    def error(self, row: int, cause: str) -> VectorsError:
        """Return the error for what is wrong in a row."""
        return VectorsError(f"{self._label}, {self._place(row)}: {cause}.")

    def _check_words(self, words: Sequence[bytes]) -> None:
        try:
            b"\n".join(words).decode("utf-8")
        except UnicodeDecodeError:
            for place, word in enumerate(words):
                self._check_encoding(self.rows + place, word)
        if min(map(len, words)) == 0:
            raise self.error(self.rows + words.index(b""), "its word is empty")
        if max(map(len, words)) > LONGEST_WORD:
            place = next(place for place, word in enumerate(words) if len(word) > LONGEST_WORD)
            raise self.error(self.rows + place, f"its word has more than {LONGEST_WORD:,} bytes")

    def _check_encoding(self, row: int, word: bytes) -> None:
        try:
            word.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = reprlib.repr(word.decode("utf-8", "backslashreplace"))
            raise self.error(row, f"its word {shown} is no UTF-8 (byte {error.start + 1} of it)") from error

    def _round(self, rows: NDArray[np.float32]) -> NDArray[Any]:
        """Return rows as they are to be kept; raise VectorsError for what is not finite, or too large for that."""
        is_finite = np.isfinite(rows)
        if not is_finite.all():
            raise self._bad_number(rows, is_finite, "no number of float32 is like that")
        if self._wanted.dtype == "float32":
            return rows
        fits = np.abs(rows) <= MAX_FLOAT16
        if not fits.all():
            raise self._bad_number(rows, fits, f"float16 ends at {MAX_FLOAT16:.0f}: --dtype float32 keeps it")
        rounded = rows.astype(np.float16)
        self._largest_error = max(self._largest_error, float(np.abs(rows - rounded).max()))
        return rounded

    def _bad_number(self, rows: NDArray[np.float32], is_good: NDArray[np.bool_], cause: str) -> VectorsError:
        row = int(np.argmin(is_good.all(axis=1)))
        column = int(np.argmin(is_good[row]))
        return self.error(self.rows + row, f"number {column + 1} of its vector is {rows[row, column]}, {cause}")
