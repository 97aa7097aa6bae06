"""PCA is the decomposition that it says, and does not depend on chance; extras are asked for by name."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.errors import ConfigError, MissingDependencyError
from w2v_cli.visual.word_map.projection import principal_components, project

FLOATS = st.floats(-10, 10, width=32).map(lambda number: round(number, 2))


def rows(seed, *, words=60, dim=7):
    return np.random.default_rng(seed).normal(size=(words, dim)).astype(np.float32)


def test_points_are_those_of_the_singular_value_decomposition():
    """The two axes are the first right singular vectors of the centred rows, but for their direction."""
    found = principal_components(rows(1))

    centred = rows(1).astype(np.float64) - rows(1).mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    assert_allclose(np.abs(found.points), np.abs(left[:, :2] * sizes[:2]), atol=1e-5)
    assert found.explained == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum(), rel=1e-5)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=FLOATS))
def test_points_keep_no_more_than_there_is(some):
    """No two points are farther apart than their rows; shares are shares; also for one row, one column, equal rows."""
    found = principal_components(some)

    assert found.points.shape == (len(some), 2)
    between = np.linalg.norm(found.points[:, np.newaxis] - found.points, axis=2)
    assert (between <= np.linalg.norm(some[:, np.newaxis] - some, axis=2) + 1e-3).all()
    assert -1e-6 <= found.explained <= 1 + 1e-6


def test_the_direction_of_an_axis_is_no_chance():
    """Rows that are mirrored give mirrored points: the direction follows the rows, not the library's choice."""
    mirrored = rows(2) * np.array([-1, 1, 1, 1, 1, 1, 1], np.float32)

    first, second = principal_components(rows(2)), principal_components(mirrored)

    assert_allclose(np.abs(first.points), np.abs(second.points), atol=1e-4)
    assert_array_equal(first.points, principal_components(rows(2)).points)


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_a_missing_extra_is_told(monkeypatch, method):
    """Without its package a projection is refused with the line that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(MissingDependencyError, match=r'pip install "w2v-cli\[map\]"'):
        project(rows(1), method)


def test_an_unknown_projection_is_told():
    """Names of projections are checked."""
    with pytest.raises(ConfigError, match="unknown projection 'som'; choose one of pca, umap, tsne"):
        project(rows(1), "som")


@pytest.mark.parametrize(("method", "package"), [("umap", "umap"), ("tsne", "sklearn")])
@pytest.mark.filterwarnings("default")  # of other people's code
def test_groups_stay_apart(method, package):
    """Two groups of rows are two groups of points, the same each time; too few words are refused."""
    pytest.importorskip(package, reason=f'"w2v-cli[map]" is not installed: --projection {method} was NOT run')
    far = rows(3, words=30) * 0.1 + np.repeat(np.eye(7, dtype=np.float32)[:2], 15, axis=0)

    first, second = project(far, method, seed=4), project(far, method, seed=4)

    assert_array_equal(first.points, second.points)
    assert first.explained is None
    centres = first.points[:15].mean(axis=0), first.points[15:].mean(axis=0)
    nearer = [np.linalg.norm(first.points - centre, axis=1) for centre in centres]
    assert_array_equal(nearer[0] < nearer[1], np.arange(30) < 15)
    with pytest.raises(ConfigError, match="at least 10 words"):
        project(far[:5], method)
