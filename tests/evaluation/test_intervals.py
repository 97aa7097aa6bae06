"""Intervals are those of SciPy where it has them, and hold the truth as often as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from w2v_cli.evaluation.intervals import correlation_interval, share_interval


@given(correct=st.integers(0, 500), wrong=st.integers(0, 500), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_of_a_share_is_scipys(correct, wrong, confidence):
    """Wilson's score interval, within 0 and 1; none of nothing."""
    found = share_interval(correct, correct + wrong, confidence)

    if correct + wrong == 0:
        assert found is None
    else:
        expected = stats.binomtest(correct, correct + wrong).proportion_ci(confidence, method="wilson")
        assert found == pytest.approx((expected.low, expected.high), abs=1e-9)
        assert 0 <= found[0] <= correct / (correct + wrong) <= found[1] <= 1


@given(correlation=st.floats(-1, 1), pairs=st.integers(0, 3000))
def test_the_interval_of_a_correlation_holds_it(correlation, pairs):
    """It lies around the correlation, is mirrored with it, and needs four pairs and no perfect order."""
    found = correlation_interval(correlation, pairs)

    if pairs < 4 or abs(correlation) == 1:
        assert found is None
    else:
        low, high = found
        assert -1 <= low <= correlation <= high <= 1
        assert correlation_interval(-correlation, pairs) == pytest.approx((-high, -low))


def test_no_correlation_has_no_interval():
    """Where there is no correlation, there is nothing around it."""
    assert correlation_interval(None, 100) is None


@pytest.mark.parametrize("truth", [0.0, 0.4, 0.8])
def test_the_interval_of_a_correlation_holds_the_truth_in_95_of_100_draws(truth):
    """2,000 seeded samples of 80 pairs; Pearson's r of normal pairs gives Spearman's ρ: 6/π arcsin(r/2).

    The share of 0.95 in 2,000 draws is within 0.015 of it, three standard deviations.
    """
    rng, pearson = np.random.default_rng(1), 2 * np.sin(np.pi * truth / 6)
    first, other = rng.standard_normal((2, 2000, 80))
    second = pearson * first + np.sqrt(1 - pearson**2) * other
    held = 0
    for x, y in zip(first, second, strict=True):
        low, high = correlation_interval(np.corrcoef(np.argsort(np.argsort(x)), np.argsort(np.argsort(y)))[0, 1], 80)
        held += low <= truth <= high

    assert held / 2000 == pytest.approx(0.95, abs=0.015)
