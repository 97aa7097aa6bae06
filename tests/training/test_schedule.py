"""The learning rate over the course of training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.training.schedule import Schedule

shares = st.floats(0, 1)
rates = st.floats(1e-6, 10)


@given(shares, rates)
def test_linear_decay_is_word2vec_cs(progress, start):
    """It falls in a straight line from start and stays at start·1e-4 (word2vec.c: starting_alpha * 0.0001)."""
    expected = max(start - start * progress, start * 1e-4)
    assert Schedule(start).at(progress) == pytest.approx(expected)


@given(shares, shares, rates)
def test_linear_decay_never_rises(first, second, start):
    """Later is never faster."""
    earlier, later = sorted((first, second))

    assert Schedule(start).at(later) <= Schedule(start).at(earlier)


def test_ends_of_linear_decay_are_exact():
    """Training begins at the rate that was asked for and ends at a ten-thousandth of it."""
    assert Schedule(0.05).at(0) == 0.05
    assert Schedule(0.05).at(1) == 0.05 * 1e-4


@given(shares, rates)
def test_constant_is_constant(progress, start):
    """Without decay the rate is the one asked for, to the last bit."""
    assert Schedule(start, "constant").at(progress) == start
