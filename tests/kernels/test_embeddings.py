"""The first values of both matrices: ranges, statistics, and the numbers that never change."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.config.schema import ModelSettings
from w2v_cli.kernels.embeddings import build_embeddings
from w2v_cli.kernels.philox import philox

UNIFORM, NORMAL = ModelSettings(dim=10, init="uniform"), ModelSettings(dim=10, init="normal")
SEED = (7 << 32) | 9


def random_word(matrix, element):
    """Return the 32 random bits of an element: docs/adr/0002, purpose 3, four consecutive elements to a counter."""
    counter = np.array([element // 4, 0, 0, matrix << 8 | 3], np.uint32)
    return int(philox(counter, (9, 7))[element % 4])


@pytest.mark.parametrize("config", [UNIFORM, NORMAL], ids=["uniform", "normal"])
@pytest.mark.parametrize("words", [1, 3, 2000])
def test_matrices_are_what_kernels_take(config, words):
    """Both are (V, D) float32, C-contiguous, writable and apart from each other."""
    embeddings = build_embeddings(words, config, 1)

    for matrix in (embeddings.input_vectors, embeddings.output_vectors):
        assert matrix.shape == (words, 10)
        assert matrix.dtype == np.float32
        assert matrix.flags.c_contiguous
        assert matrix.flags.writeable
    assert not np.shares_memory(embeddings.input_vectors, embeddings.output_vectors)


@pytest.mark.parametrize("dim", [1, 10, 300])
def test_uniform_fills_its_range_and_nothing_else(dim):
    """Input vectors lie in [-0.5/D, 0.5/D), evenly; output vectors are zero (word2vec.c)."""
    embeddings = build_embeddings(30_000 // dim, ModelSettings(dim=dim, init="uniform"), 1)
    scaled = embeddings.input_vectors.astype(np.float64) * dim

    assert ((scaled >= -0.5) & (scaled < 0.5)).all()
    found, _ = np.histogram(scaled, bins=10, range=(-0.5, 0.5))
    assert (abs(found - 3000) < 5 * math.sqrt(3000 * 0.9)).all()  # 5 standard deviations
    assert not embeddings.output_vectors.any()


def test_normal_has_its_moments():
    """Both matrices have mean 0, deviation 0.01 and 68.3 % within one deviation, and nothing in common."""
    embeddings = build_embeddings(10_000, NORMAL, 1)
    both = np.stack([embeddings.input_vectors.ravel(), embeddings.output_vectors.ravel()]).astype(np.float64) / 0.01

    assert_allclose(both.mean(axis=1), 0, atol=5 / math.sqrt(100_000))  # 5 standard deviations, as all that follow
    assert_allclose(both.var(axis=1), 1, atol=5 * math.sqrt(2 / 100_000))
    assert_allclose((abs(both) < 1).mean(axis=1), 0.682689, atol=5 * math.sqrt(0.683 * 0.317 / 100_000))
    assert abs((both[0] * both[1]).mean()) < 5 / math.sqrt(100_000)


@pytest.mark.parametrize("element", [0, 1, 2, 3, 4, 27, 69])
def test_uniform_values_are_the_documented_draws(element):
    """Element e is the word e mod 4 of counter (e div 4, 0, 0, purpose 3), its upper 24 bits, scaled to ±0.5/D."""
    embeddings = build_embeddings(7, UNIFORM, SEED)

    expected = ((random_word(0, element) >> 8) / 2**24 - 0.5) / 10
    assert embeddings.input_vectors.flat[element] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("element", [0, 1, 2, 3, 4, 27, 69])
@pytest.mark.parametrize("matrix", [0, 1], ids=["input", "output"])
def test_normal_values_are_the_documented_draws(matrix, element):
    """A pair of elements is Box and Muller's cosine and sine of a pair of words; the matrix is the draw's number."""
    embeddings = build_embeddings(7, NORMAL, SEED)
    first = element - element % 2
    radius_share, turn = (((random_word(matrix, first + i)) >> 8) / 2**24 for i in (0, 1))

    wave = math.sin if element % 2 else math.cos
    expected = 0.01 * math.sqrt(-2 * math.log(1 - radius_share)) * wave(2 * math.pi * turn)
    found = (embeddings.input_vectors, embeddings.output_vectors)[matrix].flat[element]
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("config", [UNIFORM, NORMAL], ids=["uniform", "normal"])
def test_the_seed_decides_everything(config):
    """The same seed gives the same bits; another seed, also one that differs in its high half, gives others."""
    first, same, other, high = (build_embeddings(5, config, seed) for seed in (1, 1, 2, 1 | 1 << 32))

    assert_array_equal(first.input_vectors, same.input_vectors)
    assert_array_equal(first.output_vectors, same.output_vectors)
    assert (first.input_vectors != other.input_vectors).any()
    assert (first.input_vectors != high.input_vectors).any()


@pytest.mark.parametrize("config", [UNIFORM, NORMAL], ids=["uniform", "normal"])
def test_a_row_does_not_depend_on_the_size_of_the_vocabulary(config):
    """The first rows of a larger matrix are the smaller matrix."""
    small, large = build_embeddings(3, config, 1), build_embeddings(1000, config, 1)

    assert_array_equal(small.input_vectors, large.input_vectors[:3])


def test_values_are_the_known_ones():
    """Seed 1 gives these numbers on every machine: a change here breaks every user's reproducibility."""
    uniform, normal = (build_embeddings(2, ModelSettings(dim=3, init=init), 1) for init in ("uniform", "normal"))

    assert_allclose(uniform.input_vectors, KNOWN_UNIFORM, rtol=1e-6)
    assert_allclose(normal.input_vectors, KNOWN_NORMAL, rtol=1e-5)
    assert_allclose(normal.output_vectors, KNOWN_NORMAL_OUTPUT, rtol=1e-5)


# By this code on 2026-11-24; the tests above prove the numbers' way from Philox, which test_philox.py proves.
KNOWN_UNIFORM = [[-0.029520532, 0.057483375, -0.036679585], [0.091992773, -0.118335642, -0.018610477]]
KNOWN_NORMAL = [[-0.0048208185, -0.0090980465, 0.0016156288], [-0.00981001, -0.0052563623, 0.0019234843]]
KNOWN_NORMAL_OUTPUT = [[-0.00043574994, -0.013520328, 0.0044923476], [-0.010855385, 0.013661509, -0.013652058]]
