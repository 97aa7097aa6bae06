"""σ and -log σ without a table and without a call, so that loops over them are vectorised (Numba)."""

from typing import Any

import numpy as np

from w2v_cli.jit.njit import njit
from w2v_cli.jit.simd import bits_of, float_of_bits
from w2v_cli.kernels.block.reference import MAX_SCORE

_F = np.float32
_MAX_SCORE = _F(MAX_SCORE)
_LOG2_E, _LN_2 = _F(1.4426950408889634), _F(0.6931471805599453)
_MANTISSA_BITS, _EXPONENT_OF_ONE = np.int32(23), np.int32(127)
_MANTISSA, _ONE_BITS = np.int32(0x7FFFFF), np.int32(0x3F800000)


@njit(inline="always")
def sigmoid_and_loss(score: Any) -> Any:
    """Return (σ(s), -log σ(s), s) of a score clipped to s; -log σ(-s) is -log σ(s) + s. Of NaN σ and s are NaN.

    With u = exp(-s), σ = 1 / (1 + u) and -log σ = log(1 + u). exp(-s) = 2ⁿ · 2ᶠ with n whole and |f| ≤ ½: 2ⁿ is
    written as the bits of a float, 2ᶠ is a polynomial (relative error 3e-6). log(1 + u) is the exponent in the bits of
    1 + u, and a polynomial of its mantissa (error 1e-6).
    """
    # not min(max()), in which NaN would be lost
    clipped = _MAX_SCORE if score > _MAX_SCORE else (-_MAX_SCORE if score < -_MAX_SCORE else score)  # noqa: FURB136
    t = -clipped * _LOG2_E
    n = np.floor(t + _F(0.5))
    f = t - n
    power = _F(0.24022651) + f * (_F(0.05550411) + f * (_F(0.009618129) + f * _F(0.0013333558)))
    power = _F(1) + f * (_F(0.69314718) + f * power)
    total = _F(1) + power * float_of_bits(np.int32((np.int32(n) + _EXPONENT_OF_ONE) << _MANTISSA_BITS))
    bits = bits_of(total)
    m = float_of_bits(np.int32((bits & _MANTISSA) | _ONE_BITS)) - _F(1)
    log2 = _F(0.2155885136) + m * (_F(-0.0960662341) + m * _F(0.0204903413))
    log2 = _F(-0.7211627338) + m * (_F(0.4777059275) + m * (_F(-0.3392477618) + m * log2))
    log2 = m * (_F(1.4426932570) + m * log2) + _F(np.int32((bits >> _MANTISSA_BITS) - _EXPONENT_OF_ONE))
    return _F(1) / total, log2 * _LN_2, clipped
