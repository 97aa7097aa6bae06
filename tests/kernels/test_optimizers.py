"""What a step of each optimiser does to the parameters; kernels/test_adam.py has Adam's formula over several steps."""

import dataclasses
import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.objectives import SkipGram
from w2v_cli.kernels.windows import NO_WORD

WORDS, DIM = 9, 5
BATCH = Batch(  # skip-gram's, so that there are more examples than centres; words 7 and 8 do not occur
    inputs=np.array([[0], [0], [0], [1]], np.int32),
    targets=np.array([2, 3, 2, 0], np.int32),
    negatives=np.array([[4, 5], [4, 4], [5, 6], [1, 3]], np.int32),
    centres=2,
    progress=0.5,
)


def new_embeddings():
    rng = np.random.default_rng(5)
    return Embeddings(*(rng.normal(0, 0.5, (WORDS, DIM)).astype(np.float32) for _ in range(2)))


def stepped(build_engine, optimizer, *batches, rate):
    """Return how far a step for each batch moves each parameter, (2, V, D), and the loss of the last step."""
    engine = build_engine(SkipGram(), optimizer, dataclasses.astuple(new_embeddings()))
    losses = [engine.step(batch, rate) for batch in batches]
    state = engine.read_state()
    moved = np.stack((state["input_vectors"], state["output_vectors"]))
    return moved - np.stack(dataclasses.astuple(new_embeddings())), float(losses[-1])


def twice(batch):
    """Return the batch with every centre and so every example in it twice."""
    arrays = {name: np.repeat(getattr(batch, name), 2, axis=0) for name in ("inputs", "targets", "negatives")}
    return dataclasses.replace(batch, **arrays, centres=2 * batch.centres)


@functools.cache
def summed_gradient():
    """Return the gradient of the batch's summed loss, (2, V, D) float64, example by example, and that loss."""
    inputs, outputs = (matrix.astype(float) for matrix in dataclasses.astuple(new_embeddings()))
    total, loss = np.zeros((2, WORDS, DIM)), 0.0
    for (centre,), target, negatives in zip(BATCH.inputs, BATCH.targets, BATCH.negatives, strict=True):
        assert centre != NO_WORD
        for word, label in [(target, 1), *((negative, 0) for negative in negatives)]:
            probability = 1 / (1 + np.exp(-inputs[centre] @ outputs[word]))
            loss -= np.log(probability if label else 1 - probability)
            total[0, centre] += (probability - label) * outputs[word]
            total[1, word] += (probability - label) * inputs[centre]
    return total, loss


def test_sgd_goes_down_the_summed_gradient(build_engine):
    """θ ← θ - learning_rate · Σ gradients: both matrices from the same old values, repeated words with their sum."""
    moves, _ = stepped(build_engine, "sgd", BATCH, rate=0.1)

    assert_allclose(moves, -0.1 * summed_gradient()[0], atol=1e-6)


def test_a_step_returns_the_loss_before_it(build_engine, optimizer):
    """The loss is that of the batch at the old parameters, summed over its examples, in nats."""
    _, loss = stepped(build_engine, optimizer, BATCH, rate=0.1)

    assert loss == pytest.approx(summed_gradient()[1], rel=1e-6)


def test_sgds_rate_is_per_example(build_engine):
    """A batch with everything twice moves the parameters twice as far."""
    once, _ = stepped(build_engine, "sgd", BATCH, rate=0.1)
    doubled, _ = stepped(build_engine, "sgd", twice(BATCH), rate=0.1)

    assert_allclose(doubled, 2 * once, atol=1e-6)


def test_adams_gradient_is_the_mean_over_centres(build_engine):
    """Everything twice moves Adam's parameters no further, in the second step as in the first."""
    pairs = [(BATCH, twice(BATCH)), (twice(BATCH), BATCH)]
    both = [stepped(build_engine, "adam", *pair, rate=0.01)[0] for pair in pairs]

    assert_allclose(both[0], both[1], atol=2e-6)


def test_adams_first_step_is_the_learning_rate(build_engine):
    """Bias-corrected, the first step of every parameter with a gradient is the rate against its sign (ε aside)."""
    gradient = summed_gradient()[0] / BATCH.centres
    moves, _ = stepped(build_engine, "adam", BATCH, rate=0.01)

    # ε 1e-7 is added to √v = √0.001·|g| before the bias correction, as in the book
    expected = -0.01 * np.sign(gradient) * abs(gradient) / (abs(gradient) + 1e-7 / np.sqrt(0.001))
    assert_allclose(moves, expected, atol=2e-6)


def test_rows_of_other_words_stay_in_the_first_step(build_engine, optimizer):
    """A word that the batch does not hold is not moved, to the last bit."""
    moves, _ = stepped(build_engine, optimizer, BATCH, rate=0.1)

    assert not moves[:, 7:].any()


def test_a_rate_of_zero_moves_nothing(build_engine, optimizer):
    """The learning rate scales the whole step."""
    moves, _ = stepped(build_engine, optimizer, BATCH, rate=0.0)

    assert not moves.any()


def test_a_state_that_is_read_twice_is_the_same(build_engine, optimizer):
    """Reading takes the steps that rows owe; reading again changes nothing."""
    engine = build_engine(SkipGram(), optimizer, dataclasses.astuple(new_embeddings()))
    for _ in range(3):
        engine.step(BATCH, 0.1)
    before = {name: array.copy() for name, array in engine.read_state().items()}

    for name, array in engine.read_state().items():
        assert_array_equal(array, before[name])
