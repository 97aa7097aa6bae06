"""Many words in little memory, as stored in a vectors file: decoded on access, found by their hash."""

import reprlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError

BLOCK_WORDS = 16_384  # decoded or hashed together
STEP_BYTES = 8  # bytes of a word that its hash takes in together
HASHED_BYTES = 64  # longer equal beginnings are compared word by word, so one long word does not slow down all others
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing; its bits look random (golden ratio)
_HALF = np.uint64(32)
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(STEP_BYTES + 1)], np.uint64)  # [n] keeps n bytes

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class RepeatedWordError(VectorsError):
    """A word occurs twice in a vocabulary; `word_ids` are the first two of its ids."""

    def __init__(self, word: str, word_ids: tuple[int, int]) -> None:
        super().__init__(f"the word {reprlib.repr(word)} occurs twice in the vocabulary")
        self.word = word
        self.word_ids = word_ids


class PackedWords(Sequence[str]):
    """A sequence of V words stored as UTF-8 back to back, ready in a tenth of the time that as many strings take.

    Args:
        text: (bytes,) uint8, the words.
        offsets: (V + 1,) int64, the first byte of each word, and the end of the last.

    Raises:
        VectorsError: The offsets do not rise, so that a word is empty; RepeatedWordError for a word that occurs twice.
        UnicodeDecodeError: A word is not UTF-8.
    """

    def __init__(self, text: Bytes, offsets: Offsets) -> None:
        if offsets[0] != 0 or offsets[-1] != len(text) or (offsets[1:] <= offsets[:-1]).any():
            raise VectorsError(f"the offsets of its words do not rise from 0 to {len(text):,}")
        self._text = text
        self._offsets = offsets
        self._check_encoding()
        hashes = _hash_all(text, offsets)
        self._order = np.argsort(hashes)  # word ids by rising hash
        self._hashes = hashes[self._order]
        self._check_repeats()

    @classmethod
    def of(cls, words: Sequence[str]) -> "PackedWords":
        """Return `words` packed, in a third of the memory."""
        return cls(*encode_words(words))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self._decode(word_id) for word_id in range(*place.indices(len(self))))
        return self._decode(range(len(self))[place])

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), BLOCK_WORDS):
            offsets = self._offsets[first : first + BLOCK_WORDS + 1]
            text = self._text[offsets[0] : offsets[-1]].tobytes()
            for begin, end in pairwise((offsets - offsets[0]).tolist()):
                yield text[begin:end].decode("utf-8")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (PackedWords, tuple, list)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as lists, it may equal a sequence of another type

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) is not None

    def find(self, word: str) -> int | None:
        """Return the id of `word`; None for an unknown word.

        >>> PackedWords(np.frombuffer(b"theking", np.uint8), np.array([0, 3, 7])).find("king")
        1
        """
        encoded = word.encode("utf-8", "surrogatepass")  # an unpaired surrogate is in no vocabulary
        hashed = _hash_all(np.frombuffer(encoded, np.uint8), np.array([0, len(encoded)]))[0]
        first, last = np.searchsorted(self._hashes, hashed), np.searchsorted(self._hashes, hashed, side="right")
        same = (int(word_id) for word_id in self._order[first:last])
        return next((word_id for word_id in same if self._bytes(word_id) == encoded), None)

    def starting_with(self, prefix: str, most: int) -> list[str]:
        """Return the first `most` words that begin with `prefix`, in the order of their ids.

        Args:
            prefix: The beginning of the words.
            most: How many words to return at most.
        """
        encoded = prefix.encode("utf-8", "surrogatepass")
        ids = np.flatnonzero(self._lengths >= len(encoded))
        for place, byte in enumerate(encoded):
            ids = ids[self._text[self._offsets[ids] + place] == byte]
        return [self._decode(word_id) for word_id in ids[:most].tolist()]

    @property
    def packed(self) -> tuple[Bytes, Offsets]:
        """The text (bytes,) and the offsets (V + 1,)."""
        return self._text, self._offsets

    @cached_property
    def _lengths(self) -> Offsets:
        return np.diff(self._offsets)

    def _bytes(self, word_id: int) -> bytes:
        return self._text[self._offsets[word_id] : self._offsets[word_id + 1]].tobytes()

    def _decode(self, word_id: int) -> str:
        return self._bytes(word_id).decode("utf-8")

    def _check_encoding(self) -> None:
        """Raise UnicodeDecodeError for text that is not UTF-8, and for a border between words within a character."""
        self._text.tobytes().decode("utf-8")
        inside = (self._text[self._offsets[:-1]] & 0xC0) == 0x80  # noqa: PLR2004  10xxxxxx continues a character
        if inside.any():
            self._decode(int(inside.argmax()))

    def _check_repeats(self) -> None:
        """Raise RepeatedWordError if a word occurs twice; only words of equal hash are compared one by one."""
        is_same = self._hashes[1:] == self._hashes[:-1]
        suspects = self._order[np.append(is_same, False) | np.append(False, is_same)]
        seen: dict[bytes, int] = {}
        repeated = [
            (seen[word], word_id)
            for word_id in np.sort(suspects).tolist()
            if seen.setdefault(word := self._bytes(word_id), word_id) != word_id
        ]
        if repeated:
            raise RepeatedWordError(self._decode(min(repeated)[0]), min(repeated))


def encode_words(words: Sequence[str]) -> tuple[Bytes, Offsets]:
    """Return words as UTF-8, back to back.

    Args:
        words: V words.

    Returns:
        The bytes (bytes,) uint8, and the offsets (V + 1,) int64: the first byte of each word, and the end of the last.
    """
    if isinstance(words, PackedWords):
        return words.packed
    lengths = (len(word.encode("utf-8")) for word in words)
    offsets = np.fromiter(accumulate(lengths, initial=0), np.int64, len(words) + 1)
    return np.frombuffer("".join(words).encode("utf-8"), np.uint8), offsets


def _hash_all(text: Bytes, offsets: Offsets) -> Hashes:
    """Return a hash (V,) of the first HASHED_BYTES and the length of each word."""
    padded = np.append(text, np.zeros(STEP_BYTES, np.uint8))
    hashes = np.empty(len(offsets) - 1, np.uint64)
    for first in range(0, len(hashes), BLOCK_WORDS):
        part = offsets[first : first + BLOCK_WORDS + 1]
        hashes[first : first + BLOCK_WORDS] = _hash_block(padded, part[:-1], np.diff(part))
    return hashes


def _hash_block(padded: Bytes, begins: Offsets, lengths: Offsets) -> Hashes:
    """Return the hashes of the words of `padded` with these begins and lengths."""
    eights = np.lib.stride_tricks.sliding_window_view(padded, STEP_BYTES)  # (bytes, 8), a view
    hashes = lengths.astype(np.uint64) * _PRIME
    for step in range(0, min(int(lengths.max(initial=0)), HASHED_BYTES), STEP_BYTES):
        words = np.flatnonzero(lengths > step)
        chunks = np.ascontiguousarray(eights[begins[words] + step]).view("<u8")[:, 0]
        chunks &= _MASKS[np.minimum(lengths[words] - step, STEP_BYTES)]
        mixed = (hashes[words] ^ chunks) * _PRIME
        hashes[words] = mixed ^ (mixed >> _HALF)
    return hashes
