"""Philox4x32-10 draws keyed by (seed, epoch, corpus position): the same for every engine, chunk size and thread count.

Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011). NumPy's Philox is another one, 4x64.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL_STEPS = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 10
_PURPOSE_BITS = 8
_CHUNK = 1 << 14  # positions at a time: the rounds' temporaries stay in cache

MAX_DRAW = (1 << (32 - _PURPOSE_BITS)) - 1


class Purpose(IntEnum):
    """The purpose of a draw: draws for different purposes never share a counter."""

    SUBSAMPLING = 0
    WINDOW = 1
    NEGATIVES = 2
    INITIALISATION = 3
    SHUFFLING = 4
    VALIDATION = 5
    SHARDS = 6


def philox(counter: NDArray[np.uint32], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Return the Philox4x32-10 block of each counter; counter: (4, …) uint32, key: two 32-bit words; (4, …) uint32.

    >>> [f"{word:08x}" for word in philox(np.zeros(4, np.uint32), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = counter.astype(np.uint64)
    k0, k1 = key
    for _ in range(_ROUNDS):
        product_0, product_1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c2 = (product_1 >> _HALF) ^ c1 ^ np.uint64(k0), (product_0 >> _HALF) ^ c3 ^ np.uint64(k1)
        c1, c3 = product_1 & _LOW, product_0 & _LOW
        k0, k1 = (k0 + _WEYL_STEPS[0]) & 0xFFFFFFFF, (k1 + _WEYL_STEPS[1]) & 0xFFFFFFFF
    return np.stack((c0, c1, c2, c3)).astype(np.uint32)


def draw_words(
    seed: int, epoch: int, positions: NDArray[np.int64], purpose: Purpose, draws: int | NDArray[np.int64] = 0
) -> NDArray[np.uint32]:
    """Draw four random 32-bit words for each position.

    The key is the 64-bit seed (low word first); the counter is (position low, position high, epoch, purpose in the
    low 8 bits and the draw's number in the upper 24): docs/adr/0002.

    Args:
        seed: 64 bits.
        epoch: From 0.
        positions: Corpus positions, of any shape.
        purpose: What the words are drawn for.
        draws: The number of each draw, from 0; broadcast with `positions`.

    Returns:
        (4,) + the broadcast shape, uint32.

    Raises:
        ValueError: A number of a draw is above MAX_DRAW.
    """
    if np.max(draws, initial=0) > MAX_DRAW:
        raise ValueError(
            f"a position has {MAX_DRAW + 1:,} draws for each purpose, draw {np.max(draws):,} was asked for"
        )
    positions, numbers = np.broadcast_arrays(positions, np.asarray(draws, dtype=np.int64))
    flat_positions, flat_numbers = positions.ravel(), numbers.ravel()
    words = np.empty((4, flat_positions.size), dtype=np.uint32)
    key = (seed & 0xFFFFFFFF, seed >> 32)
    for start in range(0, flat_positions.size, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        counter = np.empty((4, flat_positions[chunk].size), dtype=np.uint32)
        counter[0] = flat_positions[chunk] & 0xFFFFFFFF
        counter[1] = flat_positions[chunk] >> 32
        counter[2] = epoch
        counter[3] = (flat_numbers[chunk] << _PURPOSE_BITS) | int(purpose)
        words[:, chunk] = philox(counter, key)
    return words.reshape(4, *positions.shape)


def to_unit_interval(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return the words' upper 24 bits as float32 in [0, 1): every value is exact, 1 never occurs."""
    return (words >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def to_unit_interval_53(high_words: NDArray[np.uint32], low_words: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return 53 bits of each pair of words as float64 in [0, 1)."""
    high, low = (high_words >> np.uint32(5)).astype(np.float64), (low_words >> np.uint32(6)).astype(np.float64)
    return (high * 2**26 + low) * 2**-53


def to_integers(words: NDArray[np.uint32], bound: int) -> NDArray[np.int64]:
    """Return integers in [0, bound) by multiply and shift (Lemire 2019); the bias is at most bound / 2**32."""
    return ((words.astype(np.uint64) * np.uint64(bound)) >> _HALF).astype(np.int64)


def to_normal(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return standard normal values of shape (2,) + rest from words of shape (2,) + rest (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log1p(-to_unit_interval(words[0]).astype(np.float64)))
    angle = 2 * np.pi * to_unit_interval(words[1]).astype(np.float64)
    return np.stack((radius * np.cos(angle), radius * np.sin(angle))).astype(np.float32)
