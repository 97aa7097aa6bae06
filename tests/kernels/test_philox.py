"""Draws by known answers, by frequency and by independence of chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from w2v_cli.kernels import philox as philox_module
from w2v_cli.kernels.philox import Purpose, draw_words, philox, to_integers, to_normal, to_unit_interval

# Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, answer.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text):
    return np.array([int(word, 16) for word in text.split()], dtype=np.uint32)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, answer):
    """Philox4x32-10 gives Random123's published answers."""
    first, second = words(key).tolist()

    assert_array_equal(philox(words(counter), (first, second)), words(answer))


def test_counter_and_key_are_laid_out_as_documented():
    """The key is the seed, low word first; the counter is position low, high, epoch, purpose and draw number."""
    seed, position = 0x299F31D0_A4093822, 0x05A308D3_243F6A88
    drawn = draw_words(seed, 0x13198A2E, np.array([position], np.int64), Purpose.NEGATIVES, 0x037073)

    expected = philox(words("243f6a88 05a308d3 13198a2e 03707302"), (0xA4093822, 0x299F31D0))
    assert_array_equal(drawn[:, 0], expected)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**31), st.lists(st.integers(0, 2**62), min_size=1, max_size=5))
def test_draws_do_not_depend_on_their_neighbours(seed, epoch, positions):
    """A position's draws are the same alone and among others."""
    together = draw_words(seed, epoch, np.array(positions), Purpose.WINDOW)

    alone = [draw_words(seed, epoch, np.array([position]), Purpose.WINDOW)[:, 0] for position in positions]
    assert_array_equal(together, np.stack(alone, axis=1))


def test_chunks_are_invisible():
    """More positions than a chunk holds give the draws of the positions one by one."""
    positions = np.arange(2 * philox_module._CHUNK + 3)
    drawn = draw_words(5, 1, positions, Purpose.SUBSAMPLING)

    some = [0, philox_module._CHUNK - 1, philox_module._CHUNK, 2 * philox_module._CHUNK + 2]
    assert_array_equal(drawn[:, some], draw_words(5, 1, positions[some], Purpose.SUBSAMPLING))


def test_purposes_epochs_and_seeds_give_other_draws():
    """No two of all purposes, 3 epochs, 3 seeds and 3 draw numbers share their draws."""
    position = np.array([7])
    drawn = {
        tuple(draw_words(seed, epoch, position, purpose, number).ravel().tolist())
        for seed in (1, 2, 1 << 32)
        for epoch in range(3)
        for purpose in Purpose
        for number in range(3)
    }

    assert len(drawn) == 3 * 3 * len(Purpose) * 3


def test_a_draw_number_over_the_counters_24_bits_is_refused():
    """Draw numbers that would run into another purpose's counters raise."""
    with pytest.raises(ValueError, match="draws for each purpose"):
        draw_words(1, 0, np.array([0]), Purpose.NEGATIVES, philox_module.MAX_DRAW + 1)


def test_unit_interval_is_half_open_and_even():
    """Extreme words map into [0, 1); 20,000 draws fill ten bins within 5 standard deviations (√(n·p·q) = 42)."""
    assert to_unit_interval(words("00000000 ffffffff")).tolist() == [0.0, 1 - 2**-24]
    drawn = to_unit_interval(draw_words(1, 0, np.arange(20_000), Purpose.SUBSAMPLING)[0])

    counts, _ = np.histogram(drawn, bins=10, range=(0, 1))
    assert np.abs(counts - 2000).max() < 5 * 42.4


@pytest.mark.parametrize("bound", [1, 3, 1000])
def test_integers_fill_their_range_evenly(bound):
    """20,000 draws hit every integer below the bound, each within 5 standard deviations of its share."""
    drawn = to_integers(draw_words(1, 0, np.arange(20_000), Purpose.WINDOW)[0], bound)

    counts = np.bincount(drawn, minlength=bound)
    assert len(counts) == bound
    assert np.abs(counts - 20_000 / bound).max() <= 5 * np.sqrt(20_000 / bound)


def test_normal_values_have_mean_zero_and_variance_one():
    """20,000 normal draws: mean within 5/√n of 0, variance within 5·√(2/n) of 1, never infinite."""
    drawn = to_normal(draw_words(1, 0, np.arange(10_000), Purpose.INITIALISATION)[:2]).ravel()

    assert abs(drawn.mean()) < 5 / np.sqrt(20_000)
    assert abs(drawn.var() - 1) < 5 * np.sqrt(2 / 20_000)
    assert np.isfinite(to_normal(np.array([[0, 0xFFFFFFFF], [0, 0]], np.uint32))).all()
