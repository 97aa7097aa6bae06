"""Adam against the book's formula, written out for one parameter."""

import math

import numpy as np
from numpy.testing import assert_allclose

from w2v_cli.kernels import load_minibatch_engine
from w2v_cli.kernels.contract import Backend, Gradients, RowGradients
from w2v_cli.model import Embeddings
from w2v_cli.optimizers import Adam


def test_three_steps_are_the_books():
    """Three steps with gradients 1, 0, -2 move a parameter as common/optimizer.py's formula does by hand."""
    parameter, m, v = 0.5, 0.0, 0.0
    for step, gradient in enumerate([1.0, 0.0, -2.0], start=1):
        rate = 0.001 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        m += 0.1 * (gradient - m)
        v += 0.001 * (gradient**2 - v)
        parameter -= rate * m / (math.sqrt(v) + 1e-7)

    engine = load_minibatch_engine(Backend.NUMPY, is_classic=False, threads=1)
    embeddings = Embeddings(np.full((2, 1), 0.5), np.full((2, 1), 0.5))
    adam = Adam(engine, embeddings)
    for gradient in [1.0, 0.0, -2.0]:
        row = RowGradients(np.array([[0]]), np.array([[2.0]]), np.array([[gradient]]))
        adam.step(embeddings, Gradients(0.0, row, row), centres=2, learning_rate=0.001)

    assert_allclose(embeddings.input_vectors, [[parameter], [0.5]], rtol=1e-12)
    assert_allclose(embeddings.output_vectors, [[parameter], [0.5]], rtol=1e-12)
