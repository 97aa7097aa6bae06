"""The minibatch algorithm compiled by Numba: the same equations and names as minibatch.py, one example at a time.

One thread computes: a batch of some hundred examples is too short to share out (docs/adr/0003).
"""

import math
from typing import Any

import numpy as np

from w2v_cli.jit.njit import njit
from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch import adam_numba
from w2v_cli.kernels.minibatch.adam_numba import LazyMoments
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.minibatch.reference import MAX_SCORE
from w2v_cli.kernels.objectives import Objective
from w2v_cli.kernels.protocols import Backend, Gradients, RowGradients
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
    """The minibatch contract, compiled."""

    backend = Backend.NUMBA

    def __init__(self, objective: Objective) -> None:
        self._objective = objective

    def to_device(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def to_host(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def gradients(self, embeddings: Embeddings, batch: Batch) -> Gradients:
        """Return loss and gradients of the batch."""
        output_rows = np.concatenate((batch.targets[:, None], batch.negatives), axis=1)
        size, dim = len(batch.targets), embeddings.input_vectors.shape[1]
        hidden, hidden_gradient = np.empty((size, dim), np.float32), np.empty((size, dim), np.float32)
        errors = np.empty(output_rows.shape, np.float32)
        coefficients = np.empty(batch.inputs.shape, np.float32)
        losses = np.empty(size, np.float64)
        _average_inputs(embeddings.input_vectors, batch.inputs, self._objective.is_classic, hidden, coefficients)
        _score_outputs(embeddings.output_vectors, output_rows, hidden, hidden_gradient, errors, losses)
        return Gradients(
            loss_sum=losses.sum(),
            inputs=RowGradients(batch.inputs, coefficients, hidden_gradient),
            outputs=RowGradients(output_rows, errors, hidden),
        )

    def add_rows(self, matrix: Any, gradients: RowGradients, scale: float) -> None:
        """Add scale · gradients to the rows of `matrix` in place."""
        _add_rows(matrix, gradients.rows, gradients.coefficients, gradients.vectors, np.float32(scale))

    def adam_state(self, matrix: Any) -> LazyMoments:
        """Return moments of zero."""
        return adam_numba.build_moments(matrix)

    def adam_settle(self, matrix: Any, state: LazyMoments, rows: Any) -> None:
        """Take the steps that the rows owe."""
        rows = np.arange(len(matrix), dtype=np.int32) if rows is None else rows.ravel()
        adam_numba.take_owed_steps(matrix, *state.arrays, rows)

    def adam_moments(self, state: LazyMoments) -> tuple[Any, Any]:
        """Return both moments."""
        return state.first, state.second

    def adam_step(self, matrix: Any, state: LazyMoments, gradients: RowGradients, scale: float, rate: float) -> None:
        """Sum the gradients row by row and take the step on those rows; all others owe it."""
        self.add_rows(state.gradient, gradients, scale)
        state.add_rate(rate)
        adam_numba.take_step(matrix, state.gradient, *state.arrays, gradients.rows.ravel())
        if state.is_full:
            self.adam_settle(matrix, state, None)
            state.clear_rates()
