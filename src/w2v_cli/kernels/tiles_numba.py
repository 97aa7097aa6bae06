"""Small dense products in registers: 4 × 4 tiles over rows of floats (Numba).

Rows and columns are given as ranges whose lengths are multiples of 4; what is outside them is not touched. D, the
length of a row, is best a multiple of 16: then no tile has a rest.
"""

from typing import Any

import numpy as np

from w2v_cli.kernels.compiled import njit

# Sums may be taken in any order and fused: it changes the last bits of a float32 sum, never its meaning.
REORDER_SUMS = {"reassoc", "contract", "nsz", "arcp"}


@njit(fastmath=REORDER_SUMS)
def set_row_products(a: Any, b: Any, out: Any, first_row: int, last_row: int, first: int, last: int) -> None:
    """Set out[i, j] = a[i] · b[j] for rows i in first_row … last_row and columns j in first … last."""
    for i in range(first_row, last_row, 4):
        for j in range(first, last, 4):
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = np.float32(0)
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = np.float32(0)
            for d in range(a.shape[1]):
                a0, a1, a2, a3 = a[i, d], a[i + 1, d], a[i + 2, d], a[i + 3, d]
                b0, b1, b2, b3 = b[j, d], b[j + 1, d], b[j + 2, d], b[j + 3, d]
                s00 += a0 * b0
                s01 += a0 * b1
                s02 += a0 * b2
                s03 += a0 * b3
                s10 += a1 * b0
                s11 += a1 * b1
                s12 += a1 * b2
                s13 += a1 * b3
                s20 += a2 * b0
                s21 += a2 * b1
                s22 += a2 * b2
                s23 += a2 * b3
                s30 += a3 * b0
                s31 += a3 * b1
                s32 += a3 * b2
                s33 += a3 * b3
            out[i, j], out[i, j + 1], out[i, j + 2], out[i, j + 3] = s00, s01, s02, s03
            out[i + 1, j], out[i + 1, j + 1], out[i + 1, j + 2], out[i + 1, j + 3] = s10, s11, s12, s13
            out[i + 2, j], out[i + 2, j + 1], out[i + 2, j + 2], out[i + 2, j + 3] = s20, s21, s22, s23
            out[i + 3, j], out[i + 3, j + 1], out[i + 3, j + 2], out[i + 3, j + 3] = s30, s31, s32, s33


@njit(fastmath=REORDER_SUMS)
def add_weighted_rows(weights: Any, rows: Any, out: Any, first_row: int, last_row: int, first: int, last: int) -> None:
    """Add Σ_j weights[i, j] · rows[j] to out[i], for i in first_row … last_row and j in first … last."""
    for i in range(first_row, last_row, 4):
        for j in range(first, last, 4):
            w00, w01, w02, w03 = weights[i, j], weights[i, j + 1], weights[i, j + 2], weights[i, j + 3]
            w10, w11, w12, w13 = weights[i + 1, j], weights[i + 1, j + 1], weights[i + 1, j + 2], weights[i + 1, j + 3]
            w20, w21, w22, w23 = weights[i + 2, j], weights[i + 2, j + 1], weights[i + 2, j + 2], weights[i + 2, j + 3]
            w30, w31, w32, w33 = weights[i + 3, j], weights[i + 3, j + 1], weights[i + 3, j + 2], weights[i + 3, j + 3]
            for d in range(rows.shape[1]):
                r0, r1, r2, r3 = rows[j, d], rows[j + 1, d], rows[j + 2, d], rows[j + 3, d]
                out[i, d] += w00 * r0 + w01 * r1 + w02 * r2 + w03 * r3
                out[i + 1, d] += w10 * r0 + w11 * r1 + w12 * r2 + w13 * r3
                out[i + 2, d] += w20 * r0 + w21 * r1 + w22 * r2 + w23 * r3
                out[i + 3, d] += w30 * r0 + w31 * r1 + w32 * r2 + w33 * r3


@njit(fastmath=REORDER_SUMS)
def add_transposed_weighted_rows(
    weights: Any, rows: Any, out: Any, first_row: int, last_row: int, first: int, last: int
) -> None:
    """Add Σ_i weights[i, j] · rows[i] to out[j], for i in first_row … last_row and j in first … last."""
    for j in range(first, last, 4):
        for i in range(first_row, last_row, 4):
            w00, w01, w02, w03 = weights[i, j], weights[i + 1, j], weights[i + 2, j], weights[i + 3, j]
            w10, w11, w12, w13 = weights[i, j + 1], weights[i + 1, j + 1], weights[i + 2, j + 1], weights[i + 3, j + 1]
            w20, w21, w22, w23 = weights[i, j + 2], weights[i + 1, j + 2], weights[i + 2, j + 2], weights[i + 3, j + 2]
            w30, w31, w32, w33 = weights[i, j + 3], weights[i + 1, j + 3], weights[i + 2, j + 3], weights[i + 3, j + 3]
            for d in range(rows.shape[1]):
                r0, r1, r2, r3 = rows[i, d], rows[i + 1, d], rows[i + 2, d], rows[i + 3, d]
                out[j, d] += w00 * r0 + w01 * r1 + w02 * r2 + w03 * r3
                out[j + 1, d] += w10 * r0 + w11 * r1 + w12 * r2 + w13 * r3
                out[j + 2, d] += w20 * r0 + w21 * r1 + w22 * r2 + w23 * r3
                out[j + 3, d] += w30 * r0 + w31 * r1 + w32 * r2 + w33 * r3


@njit(fastmath=REORDER_SUMS)
def apply_sigmoid(scores: Any, powers: Any, max_score: float, last_row: int, last_column: int) -> None:
    """Replace scores by σ(score), clipped to ±max_score, in the first last_row rows and last_column columns.

    exp(x) = 2ⁿ · 2ᶠ with n whole and |f| ≤ ½: 2ⁿ is written as the bits of a float, 2ᶠ is a polynomial (relative error
    3e-6). powers: int32 of the shape of scores, overwritten.
    """
    floats = powers.view(np.float32)
    for i in range(last_row):
        for j in range(last_column):
            x = min(max(-scores[i, j], -max_score), max_score) * np.float32(1.4426950408889634)  # log2 e
            n = np.floor(x + np.float32(0.5))
            f = x - n
            powers[i, j] = (np.int32(n) + np.int32(127)) << np.int32(23)
            polynomial = np.float32(0.009618129) + f * np.float32(0.0013333558)
            polynomial = np.float32(0.24022651) + f * (np.float32(0.05550411) + f * polynomial)
            scores[i, j] = np.float32(1) + f * (np.float32(0.69314718) + f * polynomial)
    for i in range(last_row):
        for j in range(last_column):
            scores[i, j] = np.float32(1) / (np.float32(1) + scores[i, j] * floats[i, j])
