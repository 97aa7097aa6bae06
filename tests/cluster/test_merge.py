"""Changes of several shards become one: what each rule promises, and that only the order of the shards counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.cluster.merge import Combiner, RowChanges, adasum

V, D = 9, 3


def changes_of(seed, *, rows=None, dtype=np.float32):
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(V) < 0.6) if rows is None else np.array(rows)
    values = rng.normal(size=(len(rows), D)).astype(dtype)
    return RowChanges(rows.astype(np.int32), values, rng.integers(1, 9, len(rows)).astype(np.float32))


def combine(rule, changes):
    combiner = Combiner(rule)
    for change in changes:
        combiner.add(change)
    return combiner.result()


def dense(change):
    matrix = np.zeros((V, D))
    matrix[change.rows] = change.values
    return matrix


shards = st.lists(st.integers(0, 99), min_size=1, max_size=9)


@given(shards)
def test_mean_is_over_the_shards_that_changed_a_row(seeds):
    """A row that one shard alone has changed keeps that change."""
    changes = [changes_of(seed) for seed in seeds]
    touched = np.sum([np.isin(np.arange(V), change.rows) for change in changes], axis=0)

    expected = np.sum([dense(change) for change in changes], axis=0) / np.maximum(touched, 1)[:, None]
    assert_allclose(dense(combine("mean", changes)), expected, atol=1e-5)


@given(shards)
def test_weighted_counts_a_change_by_its_updates(seeds):
    """The same, each change as often as its word stands in the shard."""
    changes = [changes_of(seed) for seed in seeds]
    weights = np.zeros((len(changes), V))
    for weight, change in zip(weights, changes, strict=True):
        weight[change.rows] = change.updates

    sums = np.einsum("sv,svd->vd", weights, [dense(change) for change in changes])
    expected = sums / np.maximum(weights.sum(axis=0), 1)[:, None]
    assert_allclose(dense(combine("weighted", changes)), expected, atol=1e-5)


@given(shards)
def test_adasum_is_a_tree_of_neighbours(seeds):
    """Pairs of neighbours are joined, then pairs of pairs, whatever number there is."""

    def tree(matrices):
        while len(matrices) > 1:
            pairs = [matrices[i : i + 2] for i in range(0, len(matrices), 2)]
            matrices = [plain_adasum(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return matrices[0]

    changes = [changes_of(seed) for seed in seeds]
    if (len(changes) & (len(changes) - 1)) == 0:  # of other numbers, what is left over is joined with its elders last
        assert_allclose(dense(combine("adasum", changes)), tree([dense(change) for change in changes]), atol=1e-5)


def plain_adasum(a, b):
    """Return eq. 3 of Maleki et al. 2020 row by row, in float64."""
    rows = []
    for x, y in zip(a, b, strict=True):
        x_share = x @ y / (2 * x @ x) if x.any() else 0
        y_share = x @ y / (2 * y @ y) if y.any() else 0
        rows.append((1 - x_share) * x + (1 - y_share) * y)
    return np.array(rows)


def test_adasum_adds_what_is_orthogonal_and_averages_what_is_equal():
    """Opposite changes, too, are added: they cancel out twice as fast as in the mean."""
    a = np.array([[2, 0, 0], [2, 0, 0], [2, 0, 0]], np.float32)
    b = np.array([[2, 0, 0], [0, 3, 0], [0, 0, 0]], np.float32)

    assert_array_equal(adasum(a, b), [[2, 0, 0], [2, 3, 0], [2, 0, 0]])


@pytest.mark.parametrize("rule", ["adasum", "mean", "weighted"])
def test_one_shard_is_taken_as_it_is(rule):
    """Rounds of one shard are training on one worker."""
    change = changes_of(3)

    assert_allclose(combine(rule, [change]).values, change.values, rtol=1e-6)


@pytest.mark.parametrize("rule", ["adasum", "mean", "weighted"])
def test_half_floats_are_joined_as_floats(rule):
    """What comes as float16 is summed in float32."""
    joined = combine(rule, [changes_of(seed, dtype=np.float16) for seed in (1, 2, 3)])

    assert joined.values.dtype == np.float32


def test_nothing_changed_is_nothing():
    """A round whose shards hold no word that is kept changes no row."""
    assert Combiner("adasum").result() is None


def test_no_more_than_a_few_are_held():
    """Of 100 changes at most 7 are held at a time: memory does not grow with the shards."""
    combiner = Combiner("adasum")
    held = 0
    for seed in range(100):
        combiner.add(changes_of(seed))
        held = max(held, sum(level is not None for level in combiner._levels))

    assert held <= 7
