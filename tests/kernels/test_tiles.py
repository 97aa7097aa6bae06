"""Products in registers and sigmoids without calls: against NumPy."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.jit.atomics import get, get_and_add
from w2v_cli.jit.njit import njit
from w2v_cli.kernels.block.reference import MAX_SCORE
from w2v_cli.kernels.block.scratch import zeros
from w2v_cli.kernels.block.sigmoid_numba import sigmoid_and_loss
from w2v_cli.kernels.block.sums_numba import Sums, _add_sums_by_two, add_sums
from w2v_cli.kernels.block.tiles_numba import (
    Rows,
    copy_rows,
    fill_rows,
    set_pair_products,
    set_products,
    set_sums_of_two,
    transpose_rows,
)

DIMS = (16, 32, 48, 64, 112, 128, 160, 208, 304)  # every combination of runs


@njit()
def fill_pair_products(a, i, a_step, b, j, out, row, column):
    set_pair_products(a, i, a_step, b, j, out, row, column)


@njit()
def fill_products(rows, first, columns, out):
    set_products(rows, first, columns, out)


@njit()
def fill_transposed(rows, first, out):
    transpose_rows(rows, first, out)


@njit()
def fill_copy(rows, count, out):
    copy_rows(rows, count, out)


@njit()
def add_all(to, sums, more):
    add_sums(to, sums, more)


@njit()
def add_all_by_two(to, sums, more):
    _add_sums_by_two(to, sums, more)


@njit()
def fill_all(values, count, out):
    fill_rows(values, count, out)


@njit()
def fill_sums_of_two(a, b, count, out):
    set_sums_of_two(a, b, count, out)


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
@pytest.mark.parametrize("a_step", [0, 1])
def test_products_of_pairs(dim, a_step):
    """Four products: of one row with four, or of four with four; what is beside them is not touched."""
    a, b, out = rows_of(dim, 12, 1), rows_of(dim, 16, 2), np.full((3, 9), 7, np.float32)

    fill_pair_products(a, 5, a_step, b, 7, out, 1, 3)

    expected = np.full((3, 9), 7, np.float32)
    expected[1, 3:7] = [a.matrix[a.ids[5 + n * a_step]] @ b.matrix[b.ids[7 + n]] for n in range(4)]
    assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("count", [8, 16, 24, 40])
def test_products_with_columns(dim, count):
    """Four rows against every column, whatever tiles the columns are cut into; other rows are not touched."""
    rows = rows_of(dim, 12, 1)
    columns = np.random.default_rng(2).normal(size=(dim, count)).astype(np.float32)
    out = np.full((12, count), 7, np.float32)

    fill_products(rows, 4, columns, out)

    expected = np.full((12, count), 7, np.float32)
    expected[4:8] = rows.matrix[rows.ids[4:8]] @ columns
    assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dim", DIMS)
def test_rows_become_columns(dim):
    """Rows from `first` on are transposed, to the bit, and copied, to the bit."""
    rows, columns, copy = rows_of(dim, 20, 3), np.zeros((dim, 16), np.float32), np.zeros((16, dim), np.float32)

    fill_transposed(rows, 3, columns)
    fill_copy(rows, 15, copy)

    assert_array_equal(columns, rows.matrix[rows.ids[3:19]].T)
    assert_array_equal(copy[:15], rows.matrix[rows.ids[:15]])
    assert not copy[15].any()


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("is_fresh", [False, True])
def test_sums_are_added(dim, is_fresh):
    """Both sums are added along their diagonals; a row that occurs twice receives both; fresh rows are replaced."""
    rows, to = rows_of(dim, 16, 3), rows_of(dim, 8, 4)._replace(is_fresh=is_fresh)
    weights, others = np.random.default_rng(5).normal(size=(2, 16, 16)).astype(np.float32)
    plan = np.array([[0, 9, 1, 6], [5, 15, 0, 8], [2, 2, 3, 0]], np.int32)  # the last one is empty
    other_plan = np.array([[0, 0, 2, 3], [1, 0, 2, 1], [2, 4, 5, 2]], np.int32)
    expected = to.matrix.astype(float)
    for i in range(3):
        row, column, first, count = plan[i]
        total = sum(
            (weights[row + n, column - n] * rows.matrix[rows.ids[first + n]] for n in range(count)), np.zeros(dim)
        )
        row, column, first, count = other_plan[i]
        total += sum(others[row, column + n] * rows.matrix[rows.ids[first + n]] for n in range(count))
        expected[to.ids[2 + i]] = total + (0 if is_fresh else expected[to.ids[2 + i]])

    add_all(to._replace(ids=to.ids[2:]), Sums(weights, plan, 1, -1, rows), Sums(others, other_plan, 0, 1, rows))

    assert_allclose(to.matrix, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("is_fresh", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_sums_of_the_same_rows_are_added_two_at_a_time(dim, is_fresh, count):
    """What one at a time makes, an odd one and a row that occurs twice in a pair included."""
    rows, to = rows_of(dim, 16, 3), rows_of(dim, 8, 4)._replace(is_fresh=is_fresh)
    weights, others = np.random.default_rng(5).normal(size=(2, 16, 16)).astype(np.float32)
    plan = np.array([[0, 9, 1, 6], [5, 15, 0, 8], [2, 2, 3, 0], [1, 8, 2, 1], [0, 3, 0, 2], [7, 15, 1, 3]], np.int32)
    same = np.array([[i, 0, 4, 11] for i in range(6)], np.int32)
    expected = to._replace(matrix=to.matrix.copy())

    for function, result in ((add_all, expected), (add_all_by_two, to)):
        function(result, Sums(weights, plan[:count], 1, -1, rows), Sums(others, same, 0, 1, rows))

    assert (to.matrix != rows_of(dim, 8, 4).matrix).any()
    assert_allclose(to.matrix, expected.matrix, rtol=1e-5, atol=1e-5)


def test_rows_are_filled_and_added():
    """As many as were asked for, whole; others are not touched."""
    a, b, filled, added = rows_of(48, 12, 1), rows_of(48, 12, 2), zeros((5, 24)), zeros((5, 48))

    fill_all(np.arange(1, 6, dtype=np.float32)[np.newaxis], 3, filled)
    fill_sums_of_two(a, b, 3, added)

    assert_array_equal(filled, np.array([1, 2, 3, 0, 0])[:, np.newaxis] * np.ones(24))
    assert_array_equal(added[:3], a.matrix[a.ids[:3]] + b.matrix[b.ids[:3]])
    assert not added[3:].any()


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
