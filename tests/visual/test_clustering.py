"""Spherical k-means finds what is there, ends where nothing moves, and leaves no cluster empty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.queries.rows import unit
from w2v_cli.visual.word_map.clustering import find_clusters


def grouped(sizes, dim=8):
    """Return rows in groups of these sizes, each around an axis of its own."""
    draws = np.random.default_rng(5)
    centres = np.repeat(np.eye(dim)[: len(sizes)], sizes, axis=0)
    return unit((centres + 0.05 * draws.normal(size=centres.shape)).astype(np.float32))


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_found(seed):
    """Groups that lie apart become the clusters, the largest first, whatever the seed."""
    labels, centres = find_clusters(grouped([10, 40, 20]), 3, seed=seed)

    assert_array_equal(labels, np.repeat([2, 0, 1], [10, 40, 20]))
    assert_allclose(np.abs(centres).argmax(axis=1), [1, 2, 0])


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(-2, 2).map(float)),
    st.integers(1, 15),
)
def test_every_cluster_has_rows_and_every_row_its_nearest(rows, count):
    """Rows of zeros, equal rows and more clusters than rows included: none is empty, each row is with its nearest."""
    rows = unit(rows)

    labels, centres = find_clusters(rows, count)

    sizes = np.bincount(labels, minlength=len(centres))
    assert len(centres) <= count
    assert sizes.min() > 0
    assert (np.diff(sizes) <= 0).all()
    cosines = rows @ centres.T
    assert_allclose(cosines[np.arange(len(rows)), labels], cosines.max(axis=1), atol=1e-6)


def test_the_seed_decides():
    """The same seed gives the same clusters."""
    rows = unit(np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32))

    assert_array_equal(find_clusters(rows, 6, seed=3)[0], find_clusters(rows, 6, seed=3)[0])
    assert (find_clusters(rows, 6, seed=3)[0] != find_clusters(rows, 6, seed=4)[0]).any()
