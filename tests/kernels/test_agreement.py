"""Every engine against the float64 reference: same batch, same numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from conftest import random_batch, random_matrices
from w2v_cli.kernels import load_minibatch_engine
from w2v_cli.kernels.arrays import NumPyArrays
from w2v_cli.kernels.contract import AdamMoments, Backend
from w2v_cli.kernels.minibatch import ArrayEngine
from w2v_cli.model import Embeddings

ROUNDING = 2e-5  # float32 sums of a few dozen terms of size 1, in any order


def reference_result(matrices, batch, *, is_classic, optimise):
    """Return what the float64 reference makes of the matrices."""
    wide = [matrix.astype(np.float64) for matrix in matrices]
    engine = ArrayEngine(NumPyArrays(), is_classic=is_classic)
    loss = optimise(engine, Embeddings(*wide), batch)
    return wide, loss


def sgd_step(engine, embeddings, batch):
    gradients = engine.gradients(embeddings, batch)
    engine.add_rows(embeddings.input_vectors, gradients.inputs, -0.1)
    engine.add_rows(embeddings.output_vectors, gradients.outputs, -0.1)
    return gradients.loss_sum


def two_adam_steps(engine, embeddings, batch):
    for matrix, name in ((embeddings.input_vectors, "inputs"), (embeddings.output_vectors, "outputs")):
        moments = AdamMoments(*(engine.zeros_like(matrix) for _ in range(3)))
        for rate in (0.01, 0.02):
            part = getattr(engine.gradients(embeddings, batch), name)
            engine.adam_update(matrix, moments, part, 1 / batch.centres, rate)
    return engine.gradients(embeddings, batch).loss_sum


@pytest.mark.parametrize("optimise", [sgd_step, two_adam_steps])
@pytest.mark.parametrize("is_classic", [True, False], ids=["classic", "mean"])
def test_engine_agrees_with_the_reference(load_engine, batch, optimise, is_classic):
    """A step of any engine changes the matrices as the float64 reference does, up to float32 rounding."""
    matrices = random_matrices(np.random.default_rng(11))
    expected, expected_loss = reference_result(matrices, batch, is_classic=is_classic, optimise=optimise)

    loss = optimise(load_engine(is_classic=is_classic), Embeddings(*matrices), batch)

    assert_allclose(loss, expected_loss, rtol=1e-5)
    assert_allclose(matrices[0], expected[0], atol=ROUNDING)
    assert_allclose(matrices[1], expected[1], atol=ROUNDING)


def test_engine_agrees_on_a_batch_of_real_size(load_engine):
    """Five hundred examples over two hundred words: hundreds of repeated rows, none lost."""
    rng = np.random.default_rng(13)
    batch = random_batch(rng, examples=500, slots=10, negatives=5, vocabulary_size=200)
    matrices = random_matrices(rng, shape=(200, 101))
    expected, _ = reference_result(matrices, batch, is_classic=True, optimise=sgd_step)

    sgd_step(load_engine(is_classic=True), Embeddings(*matrices), batch)

    assert_allclose(matrices[0], expected[0], atol=1e-4)
    assert_allclose(matrices[1], expected[1], atol=1e-4)


def test_scores_beyond_the_flat_of_the_sigmoid_stay_finite(load_engine):
    """Scores of ±10,000 give finite losses and gradients, without a warning."""
    batch = random_batch(np.random.default_rng(17))
    embeddings = Embeddings(np.full((7, 6), 40, np.float32), np.full((7, 6), 40, np.float32))

    gradients = load_engine(is_classic=True).gradients(embeddings, batch)

    assert np.isfinite(gradients.loss_sum)
    assert np.isfinite(gradients.inputs.vectors).all()


@pytest.mark.parametrize("optimise", [sgd_step, two_adam_steps])
def test_bytes_do_not_depend_on_the_number_of_threads(optimise):
    """One, two and five threads leave the same bits in both matrices."""
    batch = random_batch(np.random.default_rng(19), examples=64, vocabulary_size=30)
    results = []
    for threads in (1, 2, 5):
        matrices = random_matrices(np.random.default_rng(23), shape=(30, 33))
        engine = load_minibatch_engine(Backend.NUMBA, is_classic=True, threads=threads)
        loss = optimise(engine, Embeddings(*matrices), batch)
        results.append((loss, *matrices))

    for loss, inputs, outputs in results[1:]:
        assert loss == results[0][0]
        assert_array_equal(inputs, results[0][1])
        assert_array_equal(outputs, results[0][2])


def test_adam_moves_rows_that_have_no_gradient(load_engine):
    """Adam's moments are dense, as the book's: a row moves on in a step that does not touch it."""
    engine = load_engine(is_classic=False)
    matrices = random_matrices(np.random.default_rng(29))
    embeddings = Embeddings(*matrices)
    moments = AdamMoments(*(engine.zeros_like(matrices[1]) for _ in range(3)))
    first, second = (one_target(target) for target in (0, 1))
    engine.adam_update(matrices[1], moments, engine.gradients(embeddings, first).outputs, 1.0, 0.01)
    before = matrices[1][0].copy()

    engine.adam_update(matrices[1], moments, engine.gradients(embeddings, second).outputs, 1.0, 0.01)

    assert (matrices[1][0] != before).all()
    assert not moments.gradient.any()


def one_target(target):
    import dataclasses  # noqa: PLC0415

    batch = random_batch(np.random.default_rng(31), examples=1)
    return dataclasses.replace(batch, targets=np.array([target], np.int32), negatives=np.array([[5, 6, 5]], np.int32))
