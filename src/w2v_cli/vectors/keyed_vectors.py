"""The published vectors: words, float16 or float32 rows, counts and provenance, in one checksummed file."""

import reprlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import DivergedError, UnknownWordError, VectorsError, option
from w2v_cli.humanize import count
from w2v_cli.vectors.packed_words import PackedWords, encode_words
from w2v_cli.vectors.safetensors import Tensor, damaged, open_tensors, save_tensors
from w2v_cli.vectors.spelling import Speller, as_sum

MAX_FLOAT16 = 65504.0
BLOCK_ROWS = 4096  # rows that are rounded, checked or copied together: a few MB
SUGGESTIONS = 3
SUGGESTION_POOL = 30_000  # the most frequent words, compared with an unknown one; a million would take seconds

Matrix = NDArray[np.float16] | NDArray[np.float32]
NumberFormat = Literal["float16", "float32"]
OnDone = Callable[[int, int | None], object]  # called with the amount done and the total, None if not known


def ignore_done(_done: int, _total: int | None) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, eq=False)
class KeyedVectors:
    """Words and their vectors, the content of a vectors file.

    Args:
        vectors: (V, D) float16 or float32, the row of each word.
        words: The V words, the most frequent first.
        counts: (V,) int64, the occurrences of each word in the corpus; None if not known.
        metadata: A JSON object about their origin: `config`, `corpus` {source, fingerprint, words}, `seed`,
            `algorithm`, `backend`, `package_version`, `final_loss` (nats), `evaluation`, …

    Raises:
        VectorsError: There are no vectors, sizes differ, or a word is empty or occurs twice.
    """

    vectors: Matrix
    words: Sequence[str]
    counts: NDArray[np.int64] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise VectorsError if the parts contradict each other."""
        shape = self.vectors.shape
        if len(shape) != 2 or 0 in shape or shape[0] != len(self.words):  # noqa: PLR2004 - a matrix has two axes
            raise VectorsError(f"{count(len(self.words), 'word')} do not fit vectors of shape {shape}")
        if self.counts is not None and (self.counts.shape != shape[:1] or self.counts.min() < 0):
            raise VectorsError(f"counts of shape {self.counts.shape} do not fit {count(shape[0], 'word')}")
        if isinstance(self.words, PackedWords):
            return  # has checked its words itself
        if "" in self.ids_by_word:
            raise VectorsError("a word of the vocabulary is empty")
        if len(self.ids_by_word) != shape[0]:
            twice = next(word for word_id, word in enumerate(self.words) if self.ids_by_word[word] != word_id)
            raise VectorsError(f"the word {reprlib.repr(twice)} occurs twice in the vocabulary")

    @cached_property
    def ids_by_word(self) -> dict[str, int]:
        """The id of each word; not needed by `find` if the words are packed."""
        return dict(zip(self.words, range(len(self.words)), strict=True))

    @cached_property
    def _speller(self) -> Speller:
        """The spelling checker of the most frequent words."""
        return Speller(self.words[:SUGGESTION_POOL])

    def word_id(self, word: str) -> int:
        """Return the id of a word, its row.

        Args:
            word: The word.

        Raises:
            UnknownWordError: The word is not in the vocabulary; the error has suggestions.
        """
        found = self.find(word)
        if found is None:
            raise self._unknown(word)
        return found

    def find(self, word: str) -> int | None:
        """Return the id of `word`, its row; None for an unknown word."""
        return self.words.find(word) if isinstance(self.words, PackedWords) else self.ids_by_word.get(word)

    def starting_with(self, prefix: str, most: int) -> list[str]:
        """Return the first `most` words that begin with `prefix`, in the order of their ids.

        Args:
            prefix: The beginning of the words.
            most: How many words to return at most.
        """
        if isinstance(self.words, PackedWords):
            return self.words.starting_with(prefix, most)
        return list(islice((word for word in self.words if word.startswith(prefix)), most))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) is not None

    def _unknown(self, word: str) -> UnknownWordError:
        """Return the error for an unknown word; it suggests other cases, then a sum of words, then similar words."""
        folded = unicodedata.normalize("NFC", word).casefold()
        cases = [case for case in (word.lower(), folded, word.capitalize(), word.upper()) if case in self]
        sums = [found] if (found := as_sum(word, self.__contains__)) else []
        near = self._speller.near(folded, SUGGESTIONS)
        suggestions = tuple(dict.fromkeys(cases + sums + near))[:SUGGESTIONS]
        hint = " or ".join(map(repr, suggestions))
        advice = f"Did you mean {hint}?" if hint else f"Nothing similar found. {self._explain_absence()}"
        message = f"{word!r} is not in the vocabulary ({count(len(self), 'word')}). {advice}"
        return UnknownWordError(message, word=word, suggestions=suggestions)

    def _explain_absence(self) -> str:
        """Return the likely reason that a word is not in the vocabulary."""
        least: Any = self.metadata
        for key in ("config", "corpus", "min_count"):
            least = least.get(key) if isinstance(least, dict) else None
        fewer = (
            f"fewer than {least} times (min_count)" if isinstance(least, int) and 1 < least < 10**9 else "too rarely"
        )
        return f"It may not occur in the text, or {fewer}."


def save(
    path: Path,
    word_vectors: KeyedVectors,
    *,
    overwrite: bool,
    dtype: NumberFormat = "float16",
    on_done: OnDone = ignore_done,
) -> None:
    """Write a vectors file, completely or not at all; equal vectors give equal bytes.

    Args:
        path: The file to write.
        word_vectors: Its content.
        overwrite: Whether to replace an existing file.
        dtype: The type that numbers are rounded to.
        on_done: Called with the number of rows written and the number of all.

    Raises:
        DivergedError: float16 cannot hold a number.
        ConfigError: `path` exists, and `overwrite` is false.
        StorageError: The disk refuses.
    """
    vectors, counts = word_vectors.vectors, word_vectors.counts
    text, offsets = encode_words(word_vectors.words)
    rows = (
        Tensor("F32", vectors.shape, (block for _, block in iterate_blocks(vectors, on_done)))
        if dtype == "float32"
        else Tensor("F16", vectors.shape, _iterate_float16(word_vectors, on_done))
    )
    tensors = {  # ordered like safetensors' own writer: by falling alignment, then by name
        "vocabulary.offsets": Tensor("I64", offsets.shape, [offsets]),
        "vectors": rows,
        "vocabulary.bytes": Tensor("U8", text.shape, [text]),
    }
    if counts is not None:
        tensors = {"counts": Tensor("I64", counts.shape, [counts])} | tensors
    save_tensors(path, tensors, word_vectors.metadata, overwrite=overwrite)


def load(path: Path) -> KeyedVectors:
    """Return the vectors of a file that `save` wrote, the rows memory-mapped, after every check that exists.

    Args:
        path: The vectors file.

    Raises:
        VectorsError: The file is missing, damaged, crafted, newer than this program or of another kind.
    """
    with open_tensors(path) as (tensors, metadata):
        check_tensors(path, tensors, metadata)
        try:
            words = PackedWords(tensors["vocabulary.bytes"], tensors["vocabulary.offsets"])
            word_vectors = KeyedVectors(tensors["vectors"], words, tensors.get("counts"), metadata)
        except (UnicodeDecodeError, VectorsError) as error:
            raise damaged(path, str(error)) from error
        check_finite(path, word_vectors)
        return word_vectors


def check_finite(path: Path, word_vectors: KeyedVectors) -> None:
    """Raise VectorsError if a number is NaN or infinite, naming the first word that has one."""
    for first, block in iterate_blocks(word_vectors.vectors):
        if not _is_finite(block):
            row = first + int(np.argmin(np.isfinite(block).all(axis=1)))
            raise damaged(path, f"the vector of {reprlib.repr(word_vectors.words[row])} (row {row:,}) is not finite")


def _is_finite(block: Matrix) -> bool:
    """Return whether no number is NaN or infinite; for float16 by the exponent's bits, ten times as fast as NumPy."""
    if block.dtype == np.float16:
        return bool((block.view(np.uint16) & 0x7FFF).max() < 0x7C00)  # noqa: PLR2004  infinity; NaN lies above
    return bool(np.isfinite(block).all())


def iterate_blocks(vectors: Matrix, on_done: OnDone = ignore_done) -> Iterator[tuple[int, Matrix]]:
    """Yield the number of the first row and the rows of each block; call on_done with the rows taken."""
    for first in range(0, len(vectors), BLOCK_ROWS):
        yield first, vectors[first : first + BLOCK_ROWS]
        on_done(min(first + BLOCK_ROWS, len(vectors)), len(vectors))


def _iterate_float16(word_vectors: KeyedVectors, on_done: OnDone) -> Iterator[NDArray[np.float16]]:
    """Yield blocks of rows rounded to float16; raise DivergedError for a number that would become infinite."""
    for first, block in iterate_blocks(word_vectors.vectors, on_done):
        fits = np.abs(block) <= MAX_FLOAT16  # False for NaN
        if not fits.all():
            row = int(np.argmin(fits.all(axis=1)))
            value = block[row][np.argmin(fits[row])]
            word = reprlib.repr(word_vectors.words[first + row])
            raise DivergedError(
                f"training diverged: the vector of {word} (row {first + row:,}) holds {value}, beyond the range of "
                f"float16 ({MAX_FLOAT16:.0f}); lower the learning rate."
            )
        yield block.astype(np.float16)


def check_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> None:
    """Raise VectorsError unless the tensors have the names, types and shapes of those that `save` writes."""
    if metadata.get("kind") == "snapshot":
        raise VectorsError(f"{path} is a training snapshot, for {option('resume')}; pass the vectors file beside it.")
    if "scales" in tensors:
        raise VectorsError(f"{path} holds int8 numbers, which cannot be queried; convert it: `w2v import {path}`.")
    required = {"vectors", "vocabulary.bytes", "vocabulary.offsets"}
    if set(tensors) - {"counts"} != required:
        raise damaged(path, f"its tensors are {reprlib.repr(sorted(tensors))}, expected {sorted(required)}")
    vectors = tensors["vectors"]
    expected = {
        "counts": ("<i8", vectors.shape[:1]),
        "vectors": ("<f4" if vectors.dtype == np.float32 else "<f2", vectors.shape[:2]),
        "vocabulary.bytes": ("|u1", tensors["vocabulary.bytes"].shape[:1]),
        "vocabulary.offsets": ("<i8", (vectors.shape[0] + 1,)),
    }
    for name, tensor in tensors.items():
        found = (tensor.dtype.str, tensor.shape)
        if found != expected[name]:
            raise damaged(
                path, f"its {name} are {found}, expected {expected[name]} for {count(len(vectors), 'vector')}"
            )
