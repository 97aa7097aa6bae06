"""The common end of every import: rows are checked, rounded and collected on disk, not in memory."""

import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError, option
from w2v_cli.system.disk_array import DiskArray
from w2v_cli.vectors.formats.format import Imported, ImportOptions
from w2v_cli.vectors.keyed_vectors import MAX_FLOAT16, KeyedVectors, NumberFormat
from w2v_cli.vectors.packed_words import PackedWords, RepeatedWordError

LONGEST_WORD = 1 << 20  # bytes
MOST_DIMENSIONS = 1 << 20
_TYPES: dict[NumberFormat, type[np.generic]] = {"float16": np.float16, "float32": np.float32}
_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


class VectorsBuilder:
    """Collects words and rows in the order of the file; raises VectorsError, with the place, for invalid ones.

    Args:
        name: the file as messages call it.
        place: describes where in the file the row of a number (from 0) is, such as `line 12`.
    """

    def __init__(self, name: str, dim: int, options: ImportOptions, place: Callable[[int], str]) -> None:
        self._name = name
        self._options = options
        self._place = place
        self._dim = dim
        self._text = DiskArray(np.uint8, options.path)
        self._lengths = DiskArray(np.int64, options.path)
        self._rows = DiskArray(_TYPES[options.dtype], options.path)
        self._largest_error = 0.0

    @property
    def rows(self) -> int:
        """The number of rows so far."""
        return self._lengths.size

    def add(self, words: Sequence[bytes], rows: NDArray[np.float32]) -> None:
        """Add R words, as UTF-8, and their vectors (R, D)."""
        self._check_words(words)
        rounded = self._round(rows)
        if self._options.unescape:
            words = [unescape(word.decode("utf-8")).encode("utf-8") for word in words]
        self._text.write(np.frombuffer(b"".join(words), np.uint8))
        self._rows.write(np.ascontiguousarray(rounded).reshape(-1))
        self._lengths.write(np.fromiter(map(len, words), np.int64, len(words)))

    def finish(self, metadata: Mapping[str, Any], counts: NDArray[np.int64] | None = None) -> Imported:
        """Return the vectors of all rows; raise VectorsError if there are none, or if a word occurs twice."""
        if not self.rows:
            raise VectorsError(f"{self._name} holds no vectors.")
        lengths = self._lengths.read()
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        try:
            words = PackedWords(self._text.read(), offsets)
        except RepeatedWordError as error:
            first, second = error.word_ids
            cause = f"the word {reprlib.repr(error.word)} occurs twice, first in {self._place(first)}"
            raise self.error(second, cause) from error
        vectors: Any = self._rows.read().reshape(self.rows, self._dim)
        return Imported(KeyedVectors(vectors, words, counts, metadata), self._largest_error)

    def error(self, row: int, cause: str) -> VectorsError:
        """Return the error for a fault in a row."""
        return VectorsError(f"{self._name}, {self._place(row)}: {cause}.")

    def _check_words(self, words: Sequence[bytes]) -> None:
        """Raise VectorsError for a word that is empty, too long or not UTF-8."""
        try:
            b"\n".join(words).decode("utf-8")
        except UnicodeDecodeError:
            for place, word in enumerate(words):
                self._check_encoding(self.rows + place, word)
        if min(map(len, words)) == 0:
            raise self.error(self.rows + words.index(b""), "the word is empty")
        if max(map(len, words)) > LONGEST_WORD:
            place = next(place for place, word in enumerate(words) if len(word) > LONGEST_WORD)
            raise self.error(self.rows + place, f"the word has more than {LONGEST_WORD:,} bytes")

    def _check_encoding(self, row: int, word: bytes) -> None:
        """Raise VectorsError for a word that is not UTF-8."""
        try:
            word.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = reprlib.repr(word.decode("utf-8", "backslashreplace"))
            raise self.error(row, f"the word {shown} is not UTF-8 (at its byte {error.start + 1})") from error

    def _round(self, rows: NDArray[np.float32]) -> NDArray[Any]:
        """Return rows in the type to keep; raise VectorsError for a number that is not finite or out of its range."""
        is_finite = np.isfinite(rows)
        if not is_finite.all():
            raise self._bad_number(rows, is_finite, "not a finite float32")
        if self._options.dtype == "float32":
            return rows
        fits = np.abs(rows) <= MAX_FLOAT16
        if not fits.all():
            raise self._bad_number(
                rows, fits, f"beyond the range of float16 ({MAX_FLOAT16:.0f}); add {option('dtype', 'float32')}"
            )
        rounded = rows.astype(np.float16)
        self._largest_error = max(self._largest_error, float(np.abs(rows - rounded).max()))
        return rounded

    def _bad_number(self, rows: NDArray[np.float32], is_good: NDArray[np.bool_], cause: str) -> VectorsError:
        """Return the error for the first number that is not good."""
        row = int(np.argmin(is_good.all(axis=1)))
        column = int(np.argmin(is_good[row]))
        return self.error(self.rows + row, f"number {column + 1} of its vector is {rows[row, column]}, {cause}")


def escape(word: str, separators: str) -> str:
    r"""Return `word` with each of `separators` (ASCII) as \xHH and each backslash doubled; `unescape` inverts it.

    >>> print(escape("new york", " "), escape("C:\\", " "))
    new\x20york C:\\
    """
    for character in ("\\", *separators):
        word = word.replace(character, "\\\\" if character == "\\" else f"\\x{ord(character):02x}")
    return word


def unescape(word: str) -> str:
    r"""Return the word that `escape` was given; a backslash that begins no escape stays.

    >>> unescape("new\\x20york")
    'new york'
    """
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", word)
