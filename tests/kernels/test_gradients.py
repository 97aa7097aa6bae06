"""The gradients against two-sided differences of a loss written out in plain Python."""

import dataclasses
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from small_batches import random_matrices

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.array_engine import ArrayEngine
from w2v_cli.kernels.minibatch.reference import negative_sampling_gradients
from w2v_cli.kernels.objectives import Cbow
from w2v_cli.kernels.windows import NO_WORD


def plain_loss(input_vectors, output_vectors, batch):
    """Return -log σ(v'_t·h) - Σ log σ(-v'_k·h), summed, one scalar at a time (Mikolov et al. 2013b, eq. 4)."""
    total = 0.0
    for inputs, target, negatives in zip(batch.inputs, batch.targets, batch.negatives, strict=True):
        words = [word for word in inputs if word != NO_WORD]
        hidden = [sum(input_vectors[word][d] for word in words) / len(words) for d in range(input_vectors.shape[1])]
        for label, word in [(1, target), *((-1, negative) for negative in negatives)]:
            score = sum(h * v for h, v in zip(hidden, output_vectors[word], strict=True))
            total += math.log1p(math.exp(-label * score))
    return total


def numerical_gradient(matrices, batch, which, step=1e-5):
    """Return the two-sided difference quotient of plain_loss for every element of one of the two matrices."""
    gradient = np.zeros_like(matrices[which])
    for index in np.ndindex(gradient.shape):
        losses = []
        for sign in (1, -1):
            moved = [matrix.copy() for matrix in matrices]
            moved[which][index] += sign * step
            losses.append(plain_loss(*moved, batch))
        gradient[index] = (losses[0] - losses[1]) / (2 * step)
    return gradient


def gradients_of(matrices, batch, *, is_classic=False):
    return negative_sampling_gradients(np, *matrices, batch, is_classic=is_classic)


def dense(matrix, gradients):
    """Return factored gradients as a matrix."""
    total = np.zeros_like(matrix)
    np.add.at(total, gradients.rows, gradients.coefficients[:, :, None] * gradients.vectors[:, None, :])
    return total


@pytest.fixture
def matrices():
    return random_matrices(np.random.default_rng(3), np.float64)


def test_loss_is_the_plain_sum(batch, matrices):
    """The loss of a batch is the sum of all its sigmoid losses, in nats."""
    gradients = gradients_of(matrices, batch)

    assert_allclose(gradients.loss_sum, plain_loss(*matrices, batch), rtol=1e-12)


@pytest.mark.parametrize("which", [0, 1], ids=["input_vectors", "output_vectors"])
def test_gradient_matches_two_sided_differences(batch, matrices, which):
    """The gradient of every parameter equals the numerical gradient of the loss."""
    gradients = gradients_of(matrices, batch)

    found = dense(matrices[which], gradients.inputs if which == 0 else gradients.outputs)
    assert_allclose(found, numerical_gradient(matrices, batch, which), atol=1e-8)


def test_classic_gradient_is_not_divided_by_the_number_of_inputs(matrices):
    """With cbow_gradient: classic each context row receives the whole ∂L/∂h, as in word2vec.c."""
    rng = np.random.default_rng(5)
    batch = one_example(rng, inputs=[0, 1, 2])
    classic = gradients_of(matrices, batch, is_classic=True)

    expected = 3 * numerical_gradient(matrices, batch, 0)

    assert_allclose(dense(matrices[0], classic.inputs), expected, atol=1e-8)


def one_example(rng, inputs):
    from small_batches import random_batch  # noqa: PLC0415  a helper, not a fixture

    drawn = random_batch(rng, examples=1)
    return dataclasses.replace(drawn, inputs=np.array([inputs], np.int32))


@pytest.mark.parametrize("which", [0, 1], ids=["input_vectors", "output_vectors"])
def test_adam_is_given_the_mean_gradient(batch, matrices, which):
    """After one step Adam's first moment is (1 - β₁) times the numerical gradient of the batch's mean loss."""
    engine = ArrayEngine(Cbow(is_classic=False), "adam", Embeddings(*(matrix.copy() for matrix in matrices)))

    engine.step(batch, 0.001)

    expected = 0.1 * numerical_gradient(matrices, batch, which) / batch.centres
    assert_allclose(engine.read_state()[f"{['input', 'output'][which]}_first_moments"], expected, atol=1e-9)
