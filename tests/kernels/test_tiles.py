"""Products in registers and sigmoids without calls: against NumPy."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose

from w2v_cli.compiled import njit
from w2v_cli.kernels.atomics_numba import get, get_and_add
from w2v_cli.kernels.block_reference import MAX_SCORE
from w2v_cli.kernels.scratch import zeros
from w2v_cli.kernels.sigmoid_numba import sigmoid_and_loss
from w2v_cli.kernels.tiles_numba import Rows, add_weighted_rows, set_row_products

DIMS = (16, 32, 48, 64, 112, 304)  # every combination of runs: one, two and four registers


@njit()
def set_products(a, b, out, tile, first, last):
    set_row_products(a, b, out, tile, first, last)


@njit()
def add_rows(weights, rows, first, last, more, end, to, tile, count):
    add_weighted_rows(weights, rows, first, last, more, end, to, tile, count)


@njit(fastmath={"reassoc", "contract", "nsz", "arcp"})
def fill(scores, sigmoids, losses, clipped):
    for i in range(len(scores)):
        sigmoids[i], losses[i], clipped[i] = sigmoid_and_loss(scores[i])


@njit()
def count_up(counters, times):
    for _ in range(times):
        get_and_add(counters, 0, 1)
    return get(counters, 0)


def rows_of(dim, count, seed):
    """Return a matrix of 40 rows and ids of some of them, one twice."""
    rng = np.random.default_rng(seed)
    matrix = zeros((40, dim))
    matrix[:] = rng.normal(size=matrix.shape)
    ids = rng.permutation(40)[:count].astype(np.int32)
    ids[1] = ids[0]
    return Rows(matrix, ids, is_fresh=False)


@pytest.mark.parametrize("dim", DIMS)
def test_products_of_rows(dim):
    """Every product of the tile is the dot product of its rows; what is outside is not touched."""
    a, b, out = rows_of(dim, 12, 1), rows_of(dim, 16, 2), np.full((12, 16), 7, np.float32)

    set_products(a, b, out, 4, 4, 12)

    expected = np.full((12, 16), 7, np.float32)
    expected[4:8, 4:12] = a.matrix[a.ids[4:8]] @ b.matrix[b.ids[4:12]].T
    assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("is_transposed", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_weighted_rows_are_added(dim, is_transposed, count):
    """Both ranges are added, a row that occurs twice receives both sums, rows from `count` on receive nothing."""
    rows, to = rows_of(dim, 16, 3), rows_of(dim, 8, 4)
    weights = np.random.default_rng(5).normal(size=(16, 8) if is_transposed else (8, 16)).astype(np.float32)
    weights = weights.T if is_transposed else weights
    expected = to.matrix.astype(float)
    for i in range(min(count, 4)):
        for j in (*range(1, 6), *range(9, 16)):
            expected[to.ids[i]] += float(weights[i, j]) * rows.matrix[rows.ids[j]]

    add_rows(weights, rows, 1, 6, 9, 16, to, 0, count)

    assert_allclose(to.matrix, expected, rtol=1e-4, atol=1e-4)


def test_sigmoids_and_losses_are_those_of_numpy():
    """Over the whole range, clipped at its ends; what is no number stays none."""
    scores = np.linspace(-20, 20, 10_001, dtype=np.float32)
    sigmoids, losses, clipped = (np.empty_like(scores) for _ in range(3))
    fill(scores, sigmoids, losses, clipped)

    expected = np.clip(scores.astype(float), -MAX_SCORE, MAX_SCORE)
    assert_allclose(clipped, expected)
    assert_allclose(sigmoids, 1 / (1 + np.exp(-expected)), rtol=2e-5)
    assert_allclose(losses, np.logaddexp(0, -expected), rtol=1e-4, atol=3e-6)

    fill(np.array([np.nan], np.float32), sigmoids, losses, clipped)
    assert np.isnan([sigmoids[0], clipped[0], losses[0] + clipped[0]]).all()


def test_counters_lose_no_step():
    """Three threads that raise one counter raise it as often as they say."""
    counters = np.zeros(16, np.int64)
    count_up(counters, 0)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(count_up, [counters] * 3, [100_000] * 3))

    assert counters[0] == 300_000
