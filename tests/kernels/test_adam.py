"""Adam against the book's formula, written out over whole matrices in float64."""

import math

import numpy as np
from numpy.testing import assert_allclose
from small_batches import random_batch, random_matrices

from w2v_cli.kernels.minibatch.reference import negative_sampling_gradients
from w2v_cli.kernels.objectives import Cbow


def mean_gradients(matrices, batch):
    """Return the gradient of the batch's mean loss for both matrices, dense; test_gradients.py proves it."""
    gradients = negative_sampling_gradients(np, *matrices, batch, is_classic=False)
    dense = [np.zeros_like(matrix) for matrix in matrices]
    for total, part in zip(dense, (gradients.inputs, gradients.outputs), strict=True):
        updates = part.coefficients[:, :, None] * part.vectors[:, None, :] / batch.centres
        np.add.at(total, part.rows, updates)
    return dense


def test_three_steps_are_the_books(build_engine):
    """Three batches move every parameter as the formula of the book's common/optimizer.py does."""
    rng = np.random.default_rng(3)
    batches = [random_batch(rng) for _ in range(3)]
    matrices = random_matrices(rng)
    parameters = [matrix.astype(np.float64) for matrix in matrices]
    m, v = ([np.zeros_like(matrix) for matrix in parameters] for _ in "mv")
    for step, batch in enumerate(batches, start=1):
        rate = 0.001 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        for i, gradient in enumerate(mean_gradients(parameters, batch)):
            m[i] += 0.1 * (gradient - m[i])
            v[i] += 0.001 * (gradient**2 - v[i])
            parameters[i] -= rate * m[i] / (np.sqrt(v[i]) + 1e-7)

    engine = build_engine(Cbow(is_classic=False), "adam", matrices)
    for batch in batches:
        engine.step(batch, 0.001)

    state = engine.read_state()
    assert_allclose(state["input_vectors"], parameters[0], atol=1e-6)
    assert_allclose(state["output_vectors"], parameters[1], atol=1e-6)
