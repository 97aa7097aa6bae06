"""From gradients to new parameters: SGD, and Adam with dense moments as in the book."""

import math
from typing import Any, Protocol

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.minibatch.reference import ADAM_BETAS
from w2v_cli.kernels.protocols import MinibatchEngine


class Optimizer(Protocol):
    """Changes the embeddings in place, once a batch.

    steps: how many it has taken, where the next one depends on it, else 0.
    """

    steps: int

    def step(self, batch: Batch, learning_rate: float) -> Any:
        """Take one step down the gradient of a batch; return its summed loss in nats, a scalar of the backend."""

    def settle(self) -> None:
        """Make both matrices fit to be read as a whole."""

    def moments(self) -> dict[str, Any]:
        """Return what is kept besides the embeddings, the backend's own arrays, to be read and changed when settled."""


class Sgd:
    """Stochastic gradient descent: θ ← θ - learning_rate · Σ gradients; the rate is per example, not per batch."""

    steps = 0

    def __init__(self, engine: MinibatchEngine, embeddings: Embeddings) -> None:
        self._engine = engine
        self._embeddings = embeddings

    def step(self, batch: Batch, learning_rate: float) -> Any:
        """Subtract the summed gradients."""
        gradients = self._engine.gradients(self._embeddings, batch)
        self._engine.add_rows(self._embeddings.input_vectors, gradients.inputs, -learning_rate)
        self._engine.add_rows(self._embeddings.output_vectors, gradients.outputs, -learning_rate)
        return gradients.loss_sum

    def settle(self) -> None:
        """Do nothing: every step is whole."""

    def moments(self) -> dict[str, Any]:
        """Return nothing: a step depends on the embeddings alone."""
        return {}


class Adam:
    """Adam on the mean gradient over the batch's centres (Kingma & Ba 2015; the book's common/optimizer.py).

    Its moments are dense: a row moves on even when its gradient is zero. β₁ 0.9, β₂ 0.999, ε 1e-7 added to √v; the
    bias corrections are folded into the rate: learning_rate · √(1 - β₂ᵗ) / (1 - β₁ᵗ) at step t from 1.
    """

    def __init__(self, engine: MinibatchEngine, embeddings: Embeddings) -> None:
        self._engine = engine
        self._embeddings = embeddings
        self.steps = 0
        self._input_state = engine.adam_state(embeddings.input_vectors)
        self._output_state = engine.adam_state(embeddings.output_vectors)

    def step(self, batch: Batch, learning_rate: float) -> Any:
        """Move every element of both matrices."""
        engine, embeddings = self._engine, self._embeddings
        engine.adam_settle(embeddings.input_vectors, self._input_state, batch.inputs)
        engine.adam_settle(embeddings.output_vectors, self._output_state, batch.targets)
        engine.adam_settle(embeddings.output_vectors, self._output_state, batch.negatives)
        gradients = engine.gradients(embeddings, batch)
        self.steps += 1
        beta_1, beta_2 = ADAM_BETAS
        rate = learning_rate * math.sqrt(1 - beta_2**self.steps) / (1 - beta_1**self.steps)
        mean = 1 / batch.centres
        engine.adam_step(embeddings.input_vectors, self._input_state, gradients.inputs, mean, rate)
        engine.adam_step(embeddings.output_vectors, self._output_state, gradients.outputs, mean, rate)
        return gradients.loss_sum

    def settle(self) -> None:
        """Take the steps that rows without a gradient may still owe."""
        self._engine.adam_settle(self._embeddings.input_vectors, self._input_state, None)
        self._engine.adam_settle(self._embeddings.output_vectors, self._output_state, None)

    def moments(self) -> dict[str, Any]:
        """Return the four moments."""
        first_input, second_input = self._engine.adam_moments(self._input_state)
        first_output, second_output = self._engine.adam_moments(self._output_state)
        return {
            "input_first_moments": first_input,
            "input_second_moments": second_input,
            "output_first_moments": first_output,
            "output_second_moments": second_output,
        }
