"""Every engine against the float64 reference: same batch, same numbers."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_batches import DIM, random_batch, random_matrices

from w2v_cli.kernels.arrays import NumPyArrays
from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.load import load_minibatch_engine
from w2v_cli.kernels.minibatch.optimizers import Adam
from w2v_cli.kernels.minibatch.reference import ArrayEngine
from w2v_cli.kernels.objectives import Cbow
from w2v_cli.kernels.protocols import Backend

ROUNDING = 2e-5  # float32 sums of a few dozen terms of size 1, in any order


def reference_result(matrices, batch, *, is_classic, optimise):
    """Return what the float64 reference makes of the matrices."""
    wide = [matrix.astype(np.float64) for matrix in matrices]
    engine = ArrayEngine(NumPyArrays(), Cbow(is_classic=is_classic))
    loss = optimise(engine, Embeddings(*wide), batch)
    return wide, loss


def sgd_step(engine, embeddings, batch):
    gradients = engine.gradients(embeddings, batch)
    engine.add_rows(embeddings.input_vectors, gradients.inputs, -0.1)
    engine.add_rows(embeddings.output_vectors, gradients.outputs, -0.1)
    return gradients.loss_sum


def two_adam_steps(engine, embeddings, batch):
    adam = Adam(engine, embeddings)
    adam.step(batch, 0.01)
    adam.step(batch, 0.02)
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


def test_adam_moves_rows_that_have_no_gradient(load_engine):
    """Adam's moments are dense, as the book's: a row moves on in a step that does not touch it."""
    embeddings = Embeddings(*random_matrices(np.random.default_rng(29)))
    adam = Adam(load_engine(is_classic=False), embeddings)
    adam.step(one_target(0), 0.01)
    adam.settle()
    before = embeddings.output_vectors[0].copy()

    adam.step(one_target(1), 0.01)
    adam.settle()

    assert (embeddings.output_vectors[0] != before).all()


def one_target(target):
    batch = random_batch(np.random.default_rng(31), examples=1)
    return dataclasses.replace(batch, targets=np.array([target], np.int32), negatives=np.array([[5, 6, 5]], np.int32))


def test_hundreds_of_adam_steps_agree_with_the_reference(load_engine):
    """Six hundred batches over a vocabulary of which each touches a part end where the dense float64 reference ends."""
    rng = np.random.default_rng(37)
    batches = [random_batch(rng, examples=3, vocabulary_size=60) for _ in range(600)]
    matrices = random_matrices(rng, shape=(60, DIM))

    def optimise(engine, embeddings, batches):
        adam = Adam(engine, embeddings)
        for batch in batches:
            adam.step(batch, 0.001)
        adam.settle()

    expected, _ = reference_result(matrices, batches, is_classic=False, optimise=optimise)
    optimise(load_engine(is_classic=False), Embeddings(*matrices), batches)

    assert_allclose(matrices[0], expected[0], atol=1e-4)
    assert_allclose(matrices[1], expected[1], atol=1e-4)


def test_steps_put_off_leave_the_bytes_of_steps_taken_at_once():
    """Compiled Adam gives the same bits whether a row's steps without a gradient are taken late or at once."""
    rng = np.random.default_rng(41)
    batches = [random_batch(rng, examples=3, vocabulary_size=60) for _ in range(300)]
    late, at_once = (
        [matrix.copy() for matrix in random_matrices(np.random.default_rng(43), shape=(60, DIM))] for _ in "ab"
    )
    for matrices, settles_each_step in ((late, False), (at_once, True)):
        adam = Adam(load_minibatch_engine(Backend.NUMBA, Cbow(is_classic=False)), Embeddings(*matrices))
        for batch in batches:
            adam.step(batch, 0.001)
            if settles_each_step:
                adam.settle()
        adam.settle()

    assert_array_equal(late[0], at_once[0])
    assert_array_equal(late[1], at_once[1])
