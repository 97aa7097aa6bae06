"""The contract of a minibatch engine, asked of every engine: the reference's numbers, and a state to resume from."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_batches import DIM, random_batch, random_matrices

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.array_engine import ArrayEngine
from w2v_cli.kernels.minibatch.numba_engine import NumbaEngine
from w2v_cli.kernels.objectives import Cbow

ROUNDING = 2e-5  # float32 sums of a few dozen terms of size 1, in any order
RATES = {"sgd": 0.1, "adam": 0.01}
MEAN = Cbow(is_classic=False)


def after_steps(engine, batches, rate):
    """Return both matrices after a step for each batch, and the loss of the first one then."""
    for batch in batches:
        engine.step(batch, rate)
    loss = engine.loss(batches[0]) if batches else 0.0
    state = engine.read_state()
    return state["input_vectors"], state["output_vectors"], float(loss)


def reference_result(matrices, batches, objective, optimizer, rate):
    """Return the same of the float64 reference."""
    wide = Embeddings(*(matrix.astype(np.float64) for matrix in matrices))
    return after_steps(ArrayEngine(objective, optimizer, wide), batches, rate)


def assert_agrees(found, expected, atol=ROUNDING):
    assert_allclose(found[0], expected[0], atol=atol)
    assert_allclose(found[1], expected[1], atol=atol)
    assert_allclose(found[2], expected[2], rtol=1e-4)


def test_engine_agrees_with_the_reference(build_engine, batch, objective, optimizer):
    """Two steps of any engine change the matrices as the float64 reference does, up to float32 rounding."""
    matrices = random_matrices(np.random.default_rng(11))
    expected = reference_result(matrices, [batch] * 2, objective, optimizer, RATES[optimizer])

    assert_agrees(after_steps(build_engine(objective, optimizer, matrices), [batch] * 2, RATES[optimizer]), expected)


def test_engine_agrees_on_a_batch_of_real_size(build_engine):
    """Five hundred examples over two hundred words: hundreds of repeated rows, none lost."""
    rng = np.random.default_rng(13)
    batch = random_batch(rng, examples=500, slots=10, negatives=5, vocabulary_size=200)
    matrices = random_matrices(rng, shape=(200, 101))
    expected = reference_result(matrices, [batch], Cbow(is_classic=True), "sgd", 0.1)

    found = after_steps(build_engine(Cbow(is_classic=True), "sgd", matrices), [batch], 0.1)

    assert_agrees(found, expected, atol=1e-4)


def test_scores_beyond_the_flat_of_the_sigmoid_stay_finite(build_engine):
    """Scores of ±10,000 give finite losses and gradients, without a warning."""
    batch = random_batch(np.random.default_rng(17))
    matrices = [np.full((7, 6), 40, np.float32) for _ in range(2)]

    found = after_steps(build_engine(Cbow(is_classic=True), "sgd", matrices), [batch], 0.1)

    assert all(np.isfinite(part).all() for part in found)


def test_a_state_that_was_read_goes_on_as_if_nothing_had_been(build_engine, objective, optimizer):
    """Three steps end with the same bytes where the state of the first two was put into a new engine."""
    rng = np.random.default_rng(19)
    batches = [random_batch(rng) for _ in range(3)]
    first, second = (build_engine(objective, optimizer, random_matrices(np.random.default_rng(s))) for s in (1, 2))
    after_steps(first, batches[:2], RATES[optimizer])
    second.restore({name: array.copy() for name, array in first.read_state().items()})

    results = [after_steps(engine, batches[2:], RATES[optimizer]) for engine in (first, second)]

    assert_array_equal(results[0][0], results[1][0])
    assert_array_equal(results[0][1], results[1][1])
    assert list(first.read_state()) == list(second.read_state())
    assert first.read_state()["steps"].tolist() == [3 if optimizer == "adam" else 0]


def test_reading_and_restoring_change_nothing(build_engine, optimizer):
    """What is read between two steps, losses included, is what the next step begins with."""
    batch = random_batch(np.random.default_rng(23))
    engines = [build_engine(MEAN, optimizer, random_matrices(np.random.default_rng(1))) for _ in range(2)]
    for engine in engines:
        engine.step(batch, 0.01)
    engines[0].loss(batch)
    engines[0].read_vectors()
    engines[0].restore({name: array.copy() for name, array in engines[0].read_state().items()})

    results = [after_steps(engine, [batch], 0.01) for engine in engines]

    assert_array_equal(results[0][0], results[1][0])
    assert_array_equal(engines[0].read_vectors(), engines[0].read_state()["input_vectors"])


def test_adam_moves_rows_that_have_no_gradient(build_engine):
    """Adam's moments are dense, as the book's: a row moves on in a step that does not touch it."""
    engine = build_engine(MEAN, "adam", random_matrices(np.random.default_rng(29)))
    engine.step(one_target(0), 0.01)
    before = engine.read_state()["output_vectors"][0].copy()

    engine.step(one_target(1), 0.01)

    assert (engine.read_state()["output_vectors"][0] != before).all()


def one_target(target):
    batch = random_batch(np.random.default_rng(31), examples=1)
    return dataclasses.replace(batch, targets=np.array([target], np.int32), negatives=np.array([[5, 6, 5]], np.int32))


def test_hundreds_of_adam_steps_agree_with_the_reference(build_engine):
    """Six hundred batches over a vocabulary of which each touches a part end where the dense float64 reference ends."""
    rng = np.random.default_rng(37)
    batches = [random_batch(rng, examples=3, vocabulary_size=60) for _ in range(600)]
    matrices = random_matrices(rng, shape=(60, DIM))
    expected = reference_result(matrices, batches, MEAN, "adam", 0.001)

    found = after_steps(build_engine(MEAN, "adam", matrices), batches, 0.001)

    assert_agrees(found, expected, atol=1e-4)


@pytest.mark.parametrize("steps", [3, 300])
def test_steps_put_off_leave_the_bytes_of_steps_taken_at_once(steps):
    """Compiled Adam gives the same bits whether a row's steps without a gradient are taken late or at once."""
    rng = np.random.default_rng(41)
    batches = [random_batch(rng, examples=3, vocabulary_size=60) for _ in range(steps)]
    late, at_once = (
        NumbaEngine(MEAN, "adam", Embeddings(*random_matrices(np.random.default_rng(43), shape=(60, DIM))))
        for _ in "ab"
    )
    for batch in batches:
        late.step(batch, 0.001)
        at_once.step(batch, 0.001)
        at_once.read_vectors()

    for name, array in late.read_state().items():
        assert_array_equal(array, at_once.read_state()[name])
