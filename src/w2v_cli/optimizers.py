"""From gradients to new parameters: SGD, and Adam with dense moments as in the book."""

import math
from typing import Protocol

from w2v_cli.kernels.contract import AdamMoments, Gradients, MinibatchEngine
from w2v_cli.kernels.minibatch import ADAM_BETAS
from w2v_cli.model import Embeddings


class Optimizer(Protocol):
    """Changes the parameters in place, once a batch."""

    def step(self, embeddings: Embeddings, gradients: Gradients, *, centres: int, learning_rate: float) -> None:
        """Take one step down the gradients of a batch made from `centres` centre words."""


class Sgd:
    """Stochastic gradient descent: θ ← θ - learning_rate · Σ gradients; the rate is per example, nothing is averaged."""

    def __init__(self, engine: MinibatchEngine) -> None:
        self._engine = engine

    def step(self, embeddings: Embeddings, gradients: Gradients, *, centres: int, learning_rate: float) -> None:  # noqa: ARG002  the contract is Adam's too
        """Subtract the summed gradients."""
        self._engine.add_rows(embeddings.input_vectors, gradients.inputs, -learning_rate)
        self._engine.add_rows(embeddings.output_vectors, gradients.outputs, -learning_rate)


class Adam:
    """Adam on the mean gradient over the batch's centres (Kingma & Ba 2015; the book's common/optimizer.py).

    Its moments are dense: a row moves on even when its gradient is zero. β₁ 0.9, β₂ 0.999, ε 1e-7 added to √v; the
    bias corrections are folded into the rate: learning_rate · √(1 - β₂ᵗ) / (1 - β₁ᵗ) at step t from 1.
    """

    def __init__(self, engine: MinibatchEngine, embeddings: Embeddings) -> None:
        self._engine = engine
        self._steps = 0
        self._inputs = self._zero_moments(embeddings.input_vectors)
        self._outputs = self._zero_moments(embeddings.output_vectors)

    def _zero_moments(self, matrix: object) -> AdamMoments:
        zeros = self._engine.zeros_like
        return AdamMoments(first=zeros(matrix), second=zeros(matrix), gradient=zeros(matrix))

    def step(self, embeddings: Embeddings, gradients: Gradients, *, centres: int, learning_rate: float) -> None:
        """Move every element of both matrices."""
        self._steps += 1
        beta_1, beta_2 = ADAM_BETAS
        rate = learning_rate * math.sqrt(1 - beta_2**self._steps) / (1 - beta_1**self._steps)
        update, mean = self._engine.adam_update, 1 / centres
        update(embeddings.input_vectors, self._inputs, gradients.inputs, mean, rate)
        update(embeddings.output_vectors, self._outputs, gradients.outputs, mean, rate)
