"""The engine of the minibatch algorithm compiled by Numba: the equations of `reference.py`, one example at a time.

One thread computes: a batch of some hundred examples is too short to share out (docs/adr/0003).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import njit
from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.adam import Moments, adam_rate, arrays_by_name
from w2v_cli.kernels.minibatch.adam_numba import LazyMoments, build_moments, take_owed_steps, take_step
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.minibatch.reference import MAX_SCORE, Gradients, RowGradients
from w2v_cli.kernels.objectives import Objective
from w2v_cli.kernels.windows import NO_WORD

# Sums over D may be taken in any order and fused: it changes the last bits of a float32 sum, never its meaning.
_REORDER_SUMS = {"reassoc", "contract", "nsz"}
_ONE = np.float32(1)
_MAX_SCORE = np.float32(MAX_SCORE)
_LARGE_PRODUCT = 1e200  # times 1 + exp(MAX_SCORE), some 1e35, it is still a finite float64


@njit(fastmath=_REORDER_SUMS)
def _average_inputs(
    input_vectors: Any,
    inputs: Any,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
    hidden: Any,
    coefficients: Any,
) -> None:
    """Fill hidden (B, D), the mean of each example's inputs, and coefficients (B, C), an input's share of ∂L/∂h."""
    for b in range(len(inputs)):
        count = 0
        hidden[b, :] = 0
        for row in inputs[b]:
            if row != NO_WORD:
                count += 1
                for d in range(hidden.shape[1]):
                    hidden[b, d] += input_vectors[row, d]
        share = _ONE / np.float32(count)
        for d in range(hidden.shape[1]):
            hidden[b, d] *= share
        for c in range(inputs.shape[1]):
            coefficients[b, c] = 0 if inputs[b, c] == NO_WORD else (_ONE if is_classic else share)


@njit(fastmath=_REORDER_SUMS)
def _score_outputs(
    output_vectors: Any, output_rows: Any, hidden: Any, hidden_gradient: Any, errors: Any, losses: Any
) -> None:
    """Fill hidden_gradient (B, D), errors (B, 1+K) and losses (B,) from hidden and the outputs, target first.

    -log σ(s) = log(1 + exp(-s)) and -log σ(-s) = s + log(1 + exp(-s)); one logarithm of a product serves all outputs.
    """
    dim = hidden.shape[1]
    for b in range(len(output_rows)):
        loss: Any = 0.0
        product: Any = 1.0
        for k in range(output_rows.shape[1]):
            row = output_rows[b, k]
            score: Any = np.float32(0)
            for d in range(dim):
                score += output_vectors[row, d] * hidden[b, d]
            score = min(max(score, -_MAX_SCORE), _MAX_SCORE)
            factor = _ONE + math.exp(-score)
            product *= factor
            if product > _LARGE_PRODUCT:
                loss, product = loss + math.log(product), 1.0
            if k == 0:
                errors[b, k] = _ONE / factor - _ONE
            else:
                errors[b, k] = _ONE / factor
                loss += score
        losses[b] = loss + math.log(product)

        hidden_gradient[b, :] = 0
        for k in range(output_rows.shape[1]):
            row, error = output_rows[b, k], errors[b, k]
            for d in range(dim):
                hidden_gradient[b, d] += error * output_vectors[row, d]


@njit()
def _add_rows(matrix: Any, rows: Any, coefficients: Any, vectors: Any, scale: float) -> None:
    """Add scale · coefficients[b, m] · vectors[b] to row rows[b, m]."""
    for b in range(rows.shape[0]):
        for m in range(rows.shape[1]):
            row, coefficient = rows[b, m], scale * coefficients[b, m]
            if coefficient != 0:
                for d in range(matrix.shape[1]):
                    matrix[row, d] += coefficient * vectors[b, d]


class NumbaEngine:
    """The minibatch engine, compiled, for one thread.

    Args:
        start: is changed in place.
    """

    def __init__(self, objective: Objective, optimizer: str, start: Embeddings) -> None:
        self._objective = objective
        self._embeddings = start
        self._matrices = (start.input_vectors, start.output_vectors)
        self._moments: tuple[LazyMoments, LazyMoments] | None = None
        if optimizer == "adam":
            self._moments = (build_moments(start.input_vectors), build_moments(start.output_vectors))
        self._steps = 0  # of Adam

    def step(self, batch: Batch, learning_rate: float) -> Any:
        """Take one step of SGD or Adam; rows without a gradient take Adam's step when they are next read."""
        gradients = self._gradients(batch)
        parts = (gradients.inputs, gradients.outputs)
        if self._moments is None:
            for matrix, part in zip(self._matrices, parts, strict=True):
                _add_rows(matrix, part.rows, part.coefficients, part.vectors, np.float32(-learning_rate))
            return gradients.loss_sum
        self._steps += 1
        rate = adam_rate(learning_rate, self._steps)
        for matrix, moments, part in zip(self._matrices, self._moments, parts, strict=True):
            mean = np.float32(1 / batch.centres)
            _add_rows(moments.gradient, part.rows, part.coefficients, part.vectors, mean)
            moments.add_rate(rate)
            take_step(matrix, moments.gradient, *moments.arrays, part.rows.ravel())
            if moments.is_full:
                take_owed_steps(matrix, *moments.arrays, np.arange(len(matrix), dtype=np.int32))
                moments.clear_rates()
        return gradients.loss_sum

    def loss(self, batch: Batch) -> Any:
        """Return the summed loss of a batch in nats; nothing is changed but by steps that are owed."""
        return self._gradients(batch).loss_sum

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        self._settle()
        vectors: NDArray[np.float32] = self._embeddings.input_vectors
        return vectors

    def read_state(self) -> Mapping[str, NDArray[Any]]:
        """Return both matrices, Adam's moments and the number of its steps."""
        self._settle()
        return arrays_by_name(self._embeddings, self._dense_moments()) | {"steps": np.array([self._steps], np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `read_state` returned."""
        self._settle()
        for name, array in arrays_by_name(self._embeddings, self._dense_moments()).items():
            array[...] = state[name]
        self._steps = int(state["steps"][0])

    def _gradients(self, batch: Batch) -> Gradients:
        """Return loss and gradients of the batch, whose rows take the steps that they owe."""
        if self._moments is not None:
            inputs, outputs = self._moments
            take_owed_steps(self._matrices[0], *inputs.arrays, batch.inputs.ravel())
            take_owed_steps(self._matrices[1], *outputs.arrays, batch.targets)
            take_owed_steps(self._matrices[1], *outputs.arrays, batch.negatives.ravel())
        output_rows = np.concatenate((batch.targets[:, None], batch.negatives), axis=1)
        size, dim = len(batch.targets), self._matrices[0].shape[1]
        hidden, hidden_gradient = np.empty((size, dim), np.float32), np.empty((size, dim), np.float32)
        errors = np.empty(output_rows.shape, np.float32)
        coefficients = np.empty(batch.inputs.shape, np.float32)
        losses = np.empty(size, np.float64)
        _average_inputs(self._matrices[0], batch.inputs, self._objective.is_classic, hidden, coefficients)
        _score_outputs(self._matrices[1], output_rows, hidden, hidden_gradient, errors, losses)
        return Gradients(
            loss_sum=losses.sum(),
            inputs=RowGradients(batch.inputs, coefficients, hidden_gradient),
            outputs=RowGradients(output_rows, errors, hidden),
        )

    def _settle(self) -> None:
        """Let all rows take the steps that they owe."""
        for matrix, moments in zip(self._matrices, self._moments or (), strict=False):
            take_owed_steps(matrix, *moments.arrays, np.arange(len(matrix), dtype=np.int32))

    def _dense_moments(self) -> tuple[Moments, Moments] | None:
        if self._moments is None:
            return None
        inputs, outputs = self._moments
        return Moments(inputs.first, inputs.second), Moments(outputs.first, outputs.second)
