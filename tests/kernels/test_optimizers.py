"""What a step of each optimiser does to the parameters; kernels/test_adam.py has Adam's formula over several steps."""

import dataclasses
import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.load import load_minibatch_engine
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.minibatch.optimizers import Adam, Sgd
from w2v_cli.kernels.objectives import SkipGram
from w2v_cli.kernels.protocols import Backend
from w2v_cli.kernels.windows import NO_WORD

WORDS, DIM = 9, 5
BATCH = Batch(  # skip-gram's, so that there are more examples than centres; words 7 and 8 do not occur
    inputs=np.array([[0], [0], [0], [1]], np.int32),
    targets=np.array([2, 3, 2, 0], np.int32),
    negatives=np.array([[4, 5], [4, 4], [5, 6], [1, 3]], np.int32),
    centres=2,
    progress=0.5,
)


@pytest.fixture(params=["numpy", "numba"])
def engine(request):
    return load_minibatch_engine(Backend(request.param), SkipGram())


def new_embeddings():
    rng = np.random.default_rng(5)
    return Embeddings(*(rng.normal(0, 0.5, (WORDS, DIM)).astype(np.float32) for _ in range(2)))


def stepped(optimizer_class, engine, batch, learning_rate):
    """Return how far one step moves each parameter, (2, V, D), and the step's loss."""
    embeddings, before = new_embeddings(), new_embeddings()
    optimizer = optimizer_class(engine, embeddings)
    loss = optimizer.step(batch, learning_rate)
    optimizer.settle()
    moves = [
        embeddings.input_vectors - before.input_vectors,
        embeddings.output_vectors - before.output_vectors,
    ]
    return np.stack(moves), float(loss)


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


def test_sgd_goes_down_the_summed_gradient(engine):
    """θ ← θ - learning_rate · Σ gradients: both matrices from the same old values, repeated words with their sum."""
    moves, _ = stepped(Sgd, engine, BATCH, 0.1)

    assert_allclose(moves, -0.1 * summed_gradient()[0], atol=1e-6)


@pytest.mark.parametrize("optimizer_class", [Sgd, Adam])
def test_a_step_returns_the_loss_before_it(engine, optimizer_class):
    """The loss is that of the batch at the old parameters, summed over its examples, in nats."""
    _, loss = stepped(optimizer_class, engine, BATCH, 0.1)

    assert loss == pytest.approx(summed_gradient()[1], rel=1e-6)


def test_sgds_rate_is_per_example(engine):
    """A batch with everything twice moves the parameters twice as far."""
    once, _ = stepped(Sgd, engine, BATCH, 0.1)
    doubled, _ = stepped(Sgd, engine, twice(BATCH), 0.1)

    assert_allclose(doubled, 2 * once, atol=1e-6)


def test_adams_gradient_is_the_mean_over_centres(engine):
    """Everything twice moves Adam's parameters no further, in the second step as in the first."""
    both = []
    for first, second in [(BATCH, twice(BATCH)), (twice(BATCH), BATCH)]:
        embeddings = new_embeddings()
        adam = Adam(engine, embeddings)
        adam.step(first, 0.01)
        adam.step(second, 0.01)
        adam.settle()
        both.append(dataclasses.astuple(embeddings))

    assert_allclose(both[0], both[1], atol=2e-6)


def test_adams_first_step_is_the_learning_rate(engine):
    """Bias-corrected, the first step of every parameter with a gradient is the rate against its sign (ε aside)."""
    gradient = summed_gradient()[0] / BATCH.centres
    moves, _ = stepped(Adam, engine, BATCH, 0.01)

    # ε 1e-7 is added to √v = √0.001·|g| before the bias correction, as in the book
    expected = -0.01 * np.sign(gradient) * abs(gradient) / (abs(gradient) + 1e-7 / np.sqrt(0.001))
    assert_allclose(moves, expected, atol=2e-6)


@pytest.mark.parametrize("optimizer_class", [Sgd, Adam])
def test_rows_of_other_words_stay_in_the_first_step(engine, optimizer_class):
    """A word that the batch does not hold is not moved, to the last bit."""
    moves, _ = stepped(optimizer_class, engine, BATCH, 0.1)

    assert not moves[:, 7:].any()


@pytest.mark.parametrize("optimizer_class", [Sgd, Adam])
def test_a_rate_of_zero_moves_nothing(engine, optimizer_class):
    """The learning rate scales the whole step."""
    moves, _ = stepped(optimizer_class, engine, BATCH, 0.0)

    assert not moves.any()


@pytest.mark.parametrize("optimizer_class", [Sgd, Adam])
def test_settled_is_settled(engine, optimizer_class):
    """Settling again changes nothing."""
    embeddings = new_embeddings()
    optimizer = optimizer_class(engine, embeddings)
    for _ in range(3):
        optimizer.step(BATCH, 0.1)
    optimizer.settle()
    before = embeddings.input_vectors.copy(), embeddings.output_vectors.copy()
    optimizer.settle()

    assert_array_equal(dataclasses.astuple(embeddings), before)
