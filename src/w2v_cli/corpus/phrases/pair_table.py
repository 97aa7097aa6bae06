"""A hash table for compiled code (Numba): counts of pairs of word ids, of all pairs or of a part of them.

The row of connector words between the two words of a pair is a number, its link.
"""

import functools
import secrets
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.memory import prefetch
from w2v_cli.jit.njit import njit

MOST_LINKS = 1 << 20
_FIRST_SLOTS = 1 << 12
_AHEAD = 16  # entries: a slot is fetched from memory so far before it is needed
_COUNT_BITS = 40  # the link takes the others
_COUNT_MASK = (1 << _COUNT_BITS) - 1
_RIGHT_BITS = 32
_RIGHT_MASK = (1 << _RIGHT_BITS) - 1
_EMPTY = -1
_MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # SplitMix64's
_HALF, _PART_SHIFT = np.uint64(32), np.uint64(40)


class PairArrays(NamedTuple):
    """A table in memory: open addressing, never more than half full.

    Attributes:
        slots: (2ⁿ, 2), entries: left << 32 | right, and link << 40 | count, side by side; or -1.
        used: (1,), the number of entries.
        seed: (1,), of the hash: drawn once in a process, so that no text can be written whose pairs all collide, and a
            pair belongs to the same part in all tables.
    """

    slots: NDArray[np.int64]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


class Pairs(NamedTuple):
    """The pairs of a table: columns of one length, in no order."""

    lefts: NDArray[np.int64]
    links: NDArray[np.int64]
    rights: NDArray[np.int64]
    counts: NDArray[np.int64]


class PairTable:
    """A table whose room grows."""

    def __init__(self) -> None:
        self.arrays = _allocate(_FIRST_SLOTS, _seed())

    def __len__(self) -> int:
        return int(self.arrays.used[0])

    def grow(self) -> None:
        """Double the room."""
        old = self.arrays
        self.arrays = _allocate(2 * len(old.slots), int(old.seed[0]))
        self.add(old.slots)

    def add(self, entries: NDArray[np.int64]) -> int:
        """Add to the counts of pairs; return how many entries are done, fewer than all if the table is full.

        Empty entries are skipped.
        """
        return int(_add_entries(self.arrays, entries))

    def keep_part(self, part: int, parts: int) -> None:
        """Keep only the pairs of part `part` of `parts`, a power of two."""
        kept = self.select_part(self.arrays.slots[self.arrays.slots[:, 0] != _EMPTY], part, parts)
        self.arrays.slots.fill(_EMPTY)
        self.arrays.used.fill(0)
        self.add(kept)

    def select_part(self, entries: NDArray[np.int64], part: int, parts: int) -> NDArray[np.int64]:
        """Return the entries of a part, moved to the front of `entries`."""
        return entries[: _select_part(entries, self.arrays.seed, part, parts)]

    def at_least(self, count: int) -> Pairs:
        """Return the pairs that are counted at least `count` times."""
        slots = self.arrays.slots
        entries = slots[(slots[:, 0] != _EMPTY) & (slots[:, 1] & _COUNT_MASK >= count)]
        keys, values = entries[:, 0], entries[:, 1]
        return Pairs(keys >> _RIGHT_BITS, values >> _COUNT_BITS, keys & _RIGHT_MASK, values & _COUNT_MASK)

    def put(self, pairs: Pairs) -> None:
        """Add pairs with their counts, which may be any numbers above 0."""
        keys, values = pairs.lefts << _RIGHT_BITS | pairs.rights, pairs.links << _COUNT_BITS | pairs.counts
        entries = np.column_stack((keys, values))
        while len(entries := entries[self.add(entries) :]):
            self.grow()


@functools.cache
def _seed() -> int:
    return secrets.randbits(64)


def _allocate(slots: int, seed: int) -> PairArrays:
    return PairArrays(np.full((slots, 2), _EMPTY, np.int64), np.zeros(1, np.int64), np.array([seed], np.uint64))


@njit(inline="always")
def _key(left: Any, right: Any) -> Any:
    return (np.int64(left) << _RIGHT_BITS) | np.int64(right)


@njit(inline="always")
def _hash(seed: Any, key: Any, link: Any) -> Any:
    code = ((np.uint64(key) ^ seed[0]) + np.uint64(link) * _MIXERS[0]) * _MIXERS[1]
    code = (code ^ (code >> _HALF)) * _MIXERS[2]
    return code ^ (code >> _HALF)


@njit(inline="always")
def _is_in_part(code: Any, part: int, parts: int) -> Any:
    """Return whether a hash belongs to a part, by bits that the slot does not depend on."""
    return (code >> _PART_SHIFT) & np.uint64(parts - 1) == np.uint64(part)


@njit(inline="always")
def write_entry(seed: Any, left: Any, link: Any, right: Any, entries: Any, place: Any, part: int, parts: int) -> Any:
    """Write the entry of a pair counted once; return whether it belongs to part `part` of `parts`."""
    key = _key(left, right)
    entries[place, 0], entries[place, 1] = key, np.int64(link) << _COUNT_BITS | 1
    return _is_in_part(_hash(seed, key, link), part, parts)


@njit(inline="always")
def _first_slot(table: PairArrays, key: Any, link: Any) -> Any:
    return np.int64(_hash(table.seed, key, link) & np.uint64(len(table.slots) - 1))


@njit(inline="always")
def _find_slot(table: PairArrays, key: Any, link: Any) -> Any:
    """Return the slot of a pair, or the empty one where it belongs."""
    mask = len(table.slots) - 1
    slot = _first_slot(table, key, link)
    while table.slots[slot, 0] != _EMPTY and (
        table.slots[slot, 0] != key or table.slots[slot, 1] >> _COUNT_BITS != link
    ):
        slot = (slot + 1) & mask
    return slot


@njit(inline="always")
def _add(table: PairArrays, key: Any, link: Any, count: Any) -> bool:
    slot = _find_slot(table, key, link)
    if table.slots[slot, 0] == _EMPTY:
        if 2 * table.used[0] >= len(table.slots):
            return False
        table.slots[slot, 0] = key
        table.slots[slot, 1] = np.int64(link) << _COUNT_BITS
        table.used[0] += 1
    table.slots[slot, 1] += count
    return True


@njit(inline="always")
def add(table: PairArrays, left: Any, link: Any, right: Any, count: Any) -> bool:
    """Add to the count of a pair; return False, changing nothing, if it is new and the table is full."""
    return bool(_add(table, _key(left, right), link, count))


@njit(inline="always")
def find(table: PairArrays, left: Any, link: Any, right: Any) -> Any:
    """Return the count of a pair, 0 if it is not there."""
    slot = _find_slot(table, _key(left, right), link)
    return np.int64(0) if table.slots[slot, 0] == _EMPTY else table.slots[slot, 1] & _COUNT_MASK


@njit()
def _add_entries(table: PairArrays, entries: Any) -> int:
    """Add entries as PairTable.add does."""
    for i in range(len(entries)):
        j = min(i + _AHEAD, len(entries) - 1)
        prefetch(table.slots, _first_slot(table, entries[j, 0], entries[j, 1] >> _COUNT_BITS), 0)
        key, value = entries[i, 0], entries[i, 1]
        if key != _EMPTY and not _add(table, key, value >> _COUNT_BITS, value & _COUNT_MASK):
            return i
    return len(entries)


@njit()
def _select_part(entries: Any, seed: Any, part: int, parts: int) -> int:
    """Move the entries of a part to the front, in place; return their number."""
    kept = 0
    for i in range(len(entries)):
        if _is_in_part(_hash(seed, entries[i, 0], entries[i, 1] >> _COUNT_BITS), part, parts):
            entries[kept, 0], entries[kept, 1] = entries[i, 0], entries[i, 1]
            kept += 1
    return kept
