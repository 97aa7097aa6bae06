"""The published vectors: words, float16 or float32 rows, counts and provenance in one checksummed, mapped file."""

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

from w2v_cli.errors import DivergedError, UnknownWordError, VectorsError
from w2v_cli.humanize import count
from w2v_cli.vectors.packed_words import PackedWords, encode_words
from w2v_cli.vectors.safetensors import Tensor, damaged, open_tensors, save_tensors
from w2v_cli.vectors.spelling import Speller, as_sum

MAX_FLOAT16 = 65504.0
BLOCK_ROWS = 4096  # rows that are rounded or checked at a time
SUGGESTIONS = 3
SUGGESTION_POOL = 30_000  # most frequent words that an unknown one is compared with; a million would take seconds

Matrix = NDArray[np.float16] | NDArray[np.float32]
NumberFormat = Literal["float16", "float32"]
OnDone = Callable[[int, int | None], object]  # so much is done, of so much; None where nobody knows the whole


def ignore_done(_done: int, _total: int | None) -> None:
    """Hear how much is done, and do nothing."""


@dataclass(frozen=True, eq=False)
class KeyedVectors:
    """Words and their vectors: `vectors` (V, D) float16 or float32, V `words`, `counts` (V,) int64 or None.

    `metadata` is an open JSON object that says how they came about: `config`, `corpus` {source, fingerprint, words},
    `seed`, `algorithm`, `backend`, `package_version`, `final_loss` (nats), `evaluation`, …
    Raises VectorsError where there is nothing, where sizes differ and where a word comes twice.
    """

    vectors: Matrix
    words: Sequence[str]
    counts: NDArray[np.int64] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse parts that contradict each other."""
        shape = self.vectors.shape
        if len(shape) != 2 or 0 in shape or shape[0] != len(self.words):  # noqa: PLR2004 - a matrix has two axes
            raise VectorsError(f"{count(len(self.words), 'word')} cannot name vectors of shape {shape}")
        if self.counts is not None and (self.counts.shape != shape[:1] or self.counts.min() < 0):
            raise VectorsError(f"counts of shape {self.counts.shape} are not those of {count(shape[0], 'word')}")
        if isinstance(self.words, PackedWords):
            return  # it has seen to that itself
        if "" in self.ids_by_word:
            raise VectorsError("a word of the vocabulary is empty")
        if len(self.ids_by_word) != shape[0]:
            twice = next(word for word_id, word in enumerate(self.words) if self.ids_by_word[word] != word_id)
            raise VectorsError(f"the word {reprlib.repr(twice)} comes twice in the vocabulary")

    @cached_property
    def ids_by_word(self) -> dict[str, int]:
        """The word id of each word; `find` needs no such table where the words lie packed in a file."""
        return dict(zip(self.words, range(len(self.words)), strict=True))

    @cached_property
    def _speller(self) -> Speller:
        """What knows the spelling of the most frequent words."""
        return Speller(self.words[:SUGGESTION_POOL])

    def word_id(self, word: str) -> int:
        """Return the row of `word`; raise UnknownWordError with words near in spelling where there is none."""
        found = self.find(word)
        if found is None:
            raise self._unknown(word)
        return found

    def find(self, word: str) -> int | None:
        """Return the row of `word`, None where there is none."""
        return self.words.find(word) if isinstance(self.words, PackedWords) else self.ids_by_word.get(word)

    def starting_with(self, prefix: str, most: int) -> list[str]:
        """Return the first `most` words that begin with `prefix`, by rising id."""
        if isinstance(self.words, PackedWords):
            return self.words.starting_with(prefix, most)
        return list(islice((word for word in self.words if word.startswith(prefix)), most))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) is not None

    def _unknown(self, word: str) -> UnknownWordError:
        """Return the error for `word`: first among the suggestions are its other cases and the sum that it may be."""
        folded = unicodedata.normalize("NFC", word).casefold()
        cases = [case for case in (word.lower(), folded, word.capitalize(), word.upper()) if case in self]
        sums = [found] if (found := as_sum(word, self.__contains__)) else []
        near = self._speller.near(folded, SUGGESTIONS)
        suggestions = tuple(dict.fromkeys(cases + sums + near))[:SUGGESTIONS]
        hint = " or ".join(map(repr, suggestions))
        advice = f"Did you mean {hint}?" if hint else "No word is spelt like it: ask for a more frequent one."
        message = f"{word!r} is not in the vocabulary ({count(len(self), 'word')}). {advice}"
        return UnknownWordError(message, word=word, suggestions=suggestions)


def save(
    path: Path,
    word_vectors: KeyedVectors,
    *,
    overwrite: bool,
    dtype: NumberFormat = "float16",
    on_done: OnDone = ignore_done,
) -> None:
    """Write `word_vectors` to `path`, rounded to `dtype`, whole or not at all; equal vectors give equal bytes.

    on_done: hears of the rows. Raises DivergedError for a value that float16 cannot hold, ConfigError for an existing
    `path` without `overwrite`, StorageError where the disk refuses.
    """
    vectors, counts = word_vectors.vectors, word_vectors.counts
    text, offsets = encode_words(word_vectors.words)
    rows = (
        Tensor("F32", vectors.shape, (block for _, block in iterate_blocks(vectors, on_done)))
        if dtype == "float32"
        else Tensor("F16", vectors.shape, _iterate_float16(word_vectors, on_done))
    )
    tensors = {  # in the order of safetensors' own writer: by falling alignment, then by name
        "vocabulary.offsets": Tensor("I64", offsets.shape, [offsets]),
        "vectors": rows,
        "vocabulary.bytes": Tensor("U8", text.shape, [text]),
    }
    if counts is not None:
        tensors = {"counts": Tensor("I64", counts.shape, [counts])} | tensors
    save_tensors(path, tensors, word_vectors.metadata, overwrite=overwrite)


def load(path: Path) -> KeyedVectors:
    """Return the vectors of a file that `save` wrote, the rows memory-mapped, after every check there is.

    Raises VectorsError for a file that is missing, damaged, crafted, newer than this program or of another kind.
    """
    with open_tensors(path) as (tensors, metadata):
        return read_tensors(path, tensors, metadata)


def read_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> KeyedVectors:
    """Return the vectors that the tensors of a file are; raise VectorsError, with the file's name, for what is none."""
    if metadata.get("kind") == "snapshot":
        raise VectorsError(f"{path} is the snapshot of a training, for --resume: name the vectors that lie beside it.")
    _check_tensors(path, tensors)
    try:
        words = PackedWords(tensors["vocabulary.bytes"], tensors["vocabulary.offsets"])
        word_vectors = KeyedVectors(tensors["vectors"], words, tensors.get("counts"), metadata)
    except (UnicodeDecodeError, VectorsError) as error:
        raise damaged(path, str(error)) from error
    check_finite(path, word_vectors)
    return word_vectors


def check_finite(path: Path, word_vectors: KeyedVectors) -> None:
    """Raise VectorsError where a value is NaN or infinite, naming the first word that has one."""
    for first, block in iterate_blocks(word_vectors.vectors):
        if not _is_finite(block):
            row = first + int(np.argmin(np.isfinite(block).all(axis=1)))
            raise damaged(path, f"the vector of {reprlib.repr(word_vectors.words[row])} (row {row:,}) is not finite")


def _is_finite(block: Matrix) -> bool:
    """Return whether no value is NaN or infinite; for float16 by the exponent's bits, ten times as fast as NumPy."""
    if block.dtype == np.float16:
        return bool((block.view(np.uint16) & 0x7FFF).max() < 0x7C00)  # noqa: PLR2004 - 0x7C00 is infinity, NaN above
    return bool(np.isfinite(block).all())


def iterate_blocks(vectors: Matrix, on_done: OnDone = ignore_done) -> Iterator[tuple[int, Matrix]]:
    """Yield the first row's number and the rows of each block; on_done hears how many rows were taken."""
    for first in range(0, len(vectors), BLOCK_ROWS):
        yield first, vectors[first : first + BLOCK_ROWS]
        on_done(min(first + BLOCK_ROWS, len(vectors)), len(vectors))


def _iterate_float16(word_vectors: KeyedVectors, on_done: OnDone) -> Iterator[NDArray[np.float16]]:
    """Yield the rows rounded to float16, block by block; raise DivergedError where that would make an infinity."""
    for first, block in iterate_blocks(word_vectors.vectors, on_done):
        fits = np.abs(block) <= MAX_FLOAT16  # False for NaN
        if not fits.all():
            row = int(np.argmin(fits.all(axis=1)))
            value = block[row][np.argmin(fits[row])]
            word = reprlib.repr(word_vectors.words[first + row])
            raise DivergedError(
                f"the vector of {word} (row {first + row:,}) holds {value}, float16 ends "
                f"at {MAX_FLOAT16:.0f}: training diverged; lower the learning rate."
            )
        yield block.astype(np.float16)


def _check_tensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raise VectorsError unless `tensors` are those of `save`, of the types and shapes that belong together."""
    if "scales" in tensors:
        raise VectorsError(f"{path} holds int8 numbers, to be small: `w2v import {path}` makes a vectors file of it.")
    required = {"vectors", "vocabulary.bytes", "vocabulary.offsets"}
    if set(tensors) - {"counts"} != required:
        raise damaged(path, f"its tensors are {reprlib.repr(sorted(tensors))} instead of {sorted(required)}")
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
                path, f"its {name} are {found}, and {count(len(vectors), 'vector')} would have {expected[name]}"
            )
