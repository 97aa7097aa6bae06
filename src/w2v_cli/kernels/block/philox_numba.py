"""The compiled twin of `philox.philox`: the same words for the same counter and key."""

from typing import Any

import numpy as np

from w2v_cli.jit.njit import njit

_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_ROUNDS = 10


@njit(inline="always")
def philox_words(position: Any, epoch: Any, purpose: Any, draw: Any, seed: Any) -> Any:
    """Return the four 32-bit words, as uint64, of philox.draw_words for one position and draw."""
    position, draw = np.uint64(position), np.uint64(draw)
    c0, c1 = position & _LOW, position >> _HALF
    c2, c3 = np.uint64(epoch), (draw << np.uint64(8)) | np.uint64(purpose)
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _HALF
    for _ in range(_ROUNDS):
        product_0, product_1 = c0 * _MULTIPLIER_0, c2 * _MULTIPLIER_1
        c0, c2 = (product_1 >> _HALF) ^ c1 ^ k0, (product_0 >> _HALF) ^ c3 ^ k1
        c1, c3 = product_1 & _LOW, product_0 & _LOW
        k0, k1 = (k0 + _WEYL_0) & _LOW, (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3
