"""A hash table for compiled code (Numba): words as bytes, with ids in the order of first occurrence, and counts."""

import functools
import secrets
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import njit, njit_part

_FIRST_WORDS = 1 << 12
_BYTES_PER_WORD = 8  # of room, to begin with
_PRIME = np.uint64(0x100000001B3)  # of the FNV-1a hash
_HALF = np.uint64(32)
IS_FULL = -1
SAME = np.arange(256, dtype=np.uint8)  # as `fold`: bytes as they are
SAME.flags.writeable = False  # as Numba sees every constant: so each function is compiled for one kind of array


class TableArrays(NamedTuple):
    """A table in memory: open addressing, never more than half full.

    Attributes:
        slots: (2ⁿ,), the id of the word that hashed here, or -1.
        hashes: (room,), of each id.
        offsets: (room + 1,), where each word begins in `text`.
        text: the words, back to back.
        counts: (room,), of each id.
        used: (2,), the number of words and of their bytes.
        seed: (1,), of the hash: drawn once in a process, so that no text can be written whose words all collide, and
            equal words have equal hashes in all tables.
    """

    slots: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    text: NDArray[np.uint8]
    counts: NDArray[np.int64]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


class PackedWordCounts(NamedTuple):
    """Words back to back with their counts, as a process can send them: word i is text[offsets[i] : offsets[i + 1]]."""

    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]


class WordTable:
    """A table whose room grows."""

    def __init__(self) -> None:
        self.arrays = _allocate(_FIRST_WORDS, _FIRST_WORDS * _BYTES_PER_WORD, _seed())

    def __len__(self) -> int:
        return int(self.arrays.used[0])

    @property
    def counts(self) -> NDArray[np.int64]:
        """(words,) int64, by id."""
        return self.arrays.counts[: len(self)]

    @property
    def text_bytes(self) -> int:
        """The number of bytes of all words."""
        return int(self.arrays.used[1])

    def packed(self) -> PackedWordCounts:
        """Return a copy of the words and their counts."""
        arrays, words = self.arrays, len(self)
        return PackedWordCounts(
            arrays.text[: self.text_bytes].copy(), arrays.offsets[: words + 1].copy(), arrays.counts[:words].copy()
        )

    def clear(self) -> None:
        """Forget all words, but keep the room."""
        self.arrays.slots.fill(-1)
        self.arrays.used.fill(0)

    def word(self, word_id: int) -> bytes:
        """Return a word."""
        first, last = self.arrays.offsets[word_id : word_id + 2].tolist()
        return self.arrays.text[first:last].tobytes()

    def words(self, word_ids: NDArray[np.int64]) -> list[bytes]:
        """Return the words with these ids."""
        text = self.arrays.text.data
        begins, ends = self.arrays.offsets[word_ids].tolist(), self.arrays.offsets[word_ids + 1].tolist()
        return [text[begin:end].tobytes() for begin, end in zip(begins, ends, strict=True)]

    def joined(self, first: int, last: int) -> bytes:
        """Return the words from id `first` to before `last` with line feeds between; no word may hold one."""
        offsets = self.arrays.offsets[first : last + 1]
        lengths = np.diff(offsets)
        lines = np.full(int(lengths.sum()) + len(lengths), ord("\n"), np.uint8)
        places = np.arange(int(lengths.sum())) + np.repeat(np.arange(len(lengths)), lengths)
        lines[places] = self.arrays.text[offsets[0] : offsets[-1]]
        return lines[:-1].tobytes()

    def grow(self, *, word_bytes: int = 0) -> None:
        """Double the room, or more if a word of `word_bytes` does not fit into it."""
        old = self.arrays
        words, used = int(old.used[0]), int(old.used[1])
        word_room, text_room = len(old.counts), len(old.text)
        if 2 * words >= word_room:
            word_room *= 2
        if 2 * used + word_bytes > text_room:
            text_room = 2 * (text_room + word_bytes)
        new = self.arrays = _allocate(word_room, text_room, int(old.seed[0]))
        new.hashes[:words], new.counts[:words] = old.hashes[:words], old.counts[:words]
        new.offsets[: words + 1], new.text[:used] = old.offsets[: words + 1], old.text[:used]
        new.used[:] = old.used
        _fill_slots(new)

    def add_table(self, other: "WordTable", *, at_least: int = 0) -> NDArray[np.int32]:
        """Add the words of another table that occur `at_least` times; return their ids here, -1 for the others."""
        ids = np.full(len(other), -1, np.int32)
        done = 0
        while (done := _add_table(self.arrays, other.arrays, at_least, ids, done)) < len(ids):
            self.grow(word_bytes=int(other.arrays.offsets[done + 1] - other.arrays.offsets[done]))
        return ids

    def add_words(
        self, text: NDArray[np.uint8], offsets: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """Add words back to back, text[offsets[i] : offsets[i + 1]] occurring counts[i] times; return their ids."""
        ids = np.empty(len(counts), np.int32)
        done = 0
        while (done := _add_words(self.arrays, text, offsets, counts, ids, done)) < len(ids):
            self.grow(word_bytes=int(offsets[done + 1] - offsets[done]))
        return ids

    def find_table(self, other: "WordTable") -> NDArray[np.int32]:
        """Return the ids here of the words of another table, -1 for those that are not here."""
        ids = np.empty(len(other), np.int32)
        _find_table(self.arrays, other.arrays, ids)
        return ids


@functools.cache
def _seed() -> int:
    return secrets.randbits(64)


def _allocate(words: int, text_bytes: int, seed: int) -> TableArrays:
    return TableArrays(
        slots=np.full(2 * words, -1, np.int32),
        hashes=np.empty(words, np.uint64),
        offsets=np.zeros(words + 1, np.int64),
        text=np.empty(text_bytes, np.uint8),
        counts=np.zeros(words, np.int64),
        used=np.zeros(2, np.int64),
        seed=np.array([seed], np.uint64),
    )


@njit_part()
def intern(table: TableArrays, data: Any, start: int, stop: int, fold: Any, count: int) -> Any:
    """Count the word data[start:stop], each byte folded, `count` times; return its id, or IS_FULL, changing nothing."""
    code = table.seed[0]
    for i in range(start, stop):
        code = (code ^ np.uint64(fold[data[i]])) * _PRIME
    return enter(table, code ^ (code >> _HALF), data, start, stop, fold, count)


@njit(inline="always")
def enter(table: TableArrays, code: Any, data: Any, start: int, stop: int, fold: Any, count: int) -> Any:
    """Add `count` to a word whose hash is known; return its id, or IS_FULL if it is new and the table is full."""
    mask = len(table.slots) - 1
    slot = np.int64(code & np.uint64(mask))
    while table.slots[slot] >= 0:
        found = table.slots[slot]
        if table.hashes[found] == code and _is_same(table, found, data, start, stop, fold):
            table.counts[found] += count
            return np.int64(found)
        slot = (slot + 1) & mask
    words, used = table.used[0], table.used[1]
    if words == len(table.counts) or used + stop - start > len(table.text):
        return np.int64(IS_FULL)
    for i in range(start, stop):
        table.text[used + i - start] = fold[data[i]]
    table.slots[slot], table.hashes[words], table.counts[words] = words, code, count
    table.offsets[words + 1] = used + stop - start
    table.used[0], table.used[1] = words + 1, used + stop - start
    return words


@njit_part()
def _is_same(table: TableArrays, word_id: int, data: Any, start: int, stop: int, fold: Any) -> bool:
    first = table.offsets[word_id]
    if table.offsets[word_id + 1] - first != stop - start:
        return False
    for i in range(stop - start):  # noqa: SIM110  Numba knows no generators
        if table.text[first + i] != fold[data[start + i]]:
            return False
    return True


@njit()
def _find_table(table: TableArrays, other: TableArrays, ids: Any) -> None:
    """Fill in the ids that WordTable.find_table returns."""
    mask = len(table.slots) - 1
    for i in range(len(ids)):
        code, start, stop = other.hashes[i], other.offsets[i], other.offsets[i + 1]
        slot = np.int64(code & np.uint64(mask))
        ids[i] = -1
        while table.slots[slot] >= 0:
            found = table.slots[slot]
            if table.hashes[found] == code and _is_same(table, found, other.text, start, stop, SAME):
                ids[i] = found
                break
            slot = (slot + 1) & mask


@njit()
def _fill_slots(table: TableArrays) -> None:
    """Enter all words into empty slots."""
    mask = len(table.slots) - 1
    for word_id in range(table.used[0]):
        slot = np.int64(table.hashes[word_id] & np.uint64(mask))
        while table.slots[slot] >= 0:
            slot = (slot + 1) & mask
        table.slots[slot] = word_id


@njit()
def _add_table(table: TableArrays, other: TableArrays, at_least: int, ids: Any, done: int) -> int:
    """Continue WordTable.add_table after `done` words; return how many are done, fewer than all if it is full."""
    for i in range(done, len(ids)):
        if other.counts[i] >= at_least:
            start, stop = other.offsets[i], other.offsets[i + 1]
            word_id = enter(table, other.hashes[i], other.text, start, stop, SAME, other.counts[i])
            if word_id == IS_FULL:
                return i
            ids[i] = word_id
    return len(ids)


@njit()
def _add_words(table: TableArrays, text: Any, offsets: Any, counts: Any, ids: Any, done: int) -> int:
    """Continue WordTable.add_words after `done` words; return how many are done, fewer than all if it is full."""
    for i in range(done, len(ids)):
        word_id = intern(table, text, offsets[i], offsets[i + 1], SAME, counts[i])
        if word_id == IS_FULL:
            return i
        ids[i] = word_id
    return len(ids)
