"""The minibatch algorithm compiled by Numba: the same equations and names as minibatch.py, one example at a time.

The bytes of the result do not depend on the number of threads: examples are computed from one state of the matrices,
and each row is changed by one thread only, in the order of the examples.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from w2v_cli.batches import NO_WORD, Batch
from w2v_cli.kernels.compiled import njit
from w2v_cli.kernels.contract import AdamMoments, Backend, Gradients, RowGradients
from w2v_cli.kernels.minibatch import ADAM_BETAS, ADAM_EPSILON, MAX_SCORE
from w2v_cli.model import Embeddings

# Sums over D may be taken in any order and fused: it changes the last bits of a float32 sum, never its meaning.
_REORDER_SUMS = {"reassoc", "contract", "nsz"}
_BETA_1, _BETA_2 = ADAM_BETAS
_ONE = np.float32(1)
_MAX_SCORE = np.float32(MAX_SCORE)
_FIRST_SHARE, _SECOND_SHARE = np.float32(1 - _BETA_1), np.float32(1 - _BETA_2)
_EPSILON = np.float32(ADAM_EPSILON)


@njit(fastmath=_REORDER_SUMS)
def _examples_gradients(
    input_vectors: Any,
    output_vectors: Any,
    inputs: Any,
    output_rows: Any,
    is_classic: bool,  # noqa: FBT001  Numba calls by position
    hidden: Any,
    hidden_gradient: Any,
    errors: Any,
    coefficients: Any,
    losses: Any,
    first: int,
    last: int,
) -> None:
    """Fill hidden, hidden_gradient, errors, coefficients and losses for the examples first … last - 1."""
    dim = input_vectors.shape[1]
    for b in range(first, last):
        count = 0
        hidden[b, :] = 0
        for c in range(inputs.shape[1]):
            row = inputs[b, c]
            if row != NO_WORD:
                count += 1
                for d in range(dim):
                    hidden[b, d] += input_vectors[row, d]
        share = _ONE / np.float32(count)
        for d in range(dim):
            hidden[b, d] *= share
        for c in range(inputs.shape[1]):
            coefficients[b, c] = 0 if inputs[b, c] == NO_WORD else (_ONE if is_classic else share)

        hidden_gradient[b, :] = 0
        losses[b] = 0
        for k in range(output_rows.shape[1]):
            row = output_rows[b, k]
            score = np.float32(0)
            for d in range(dim):
                score += output_vectors[row, d] * hidden[b, d]
            score = min(max(score, -_MAX_SCORE), _MAX_SCORE)
            exponential = math.exp(-score)
            error = _ONE / (_ONE + exponential)
            losses[b] += math.log1p(exponential)  # -log σ(score); -log σ(-score) is that plus the score
            if k == 0:
                error -= _ONE
            else:
                losses[b] += score
            errors[b, k] = error
            for d in range(dim):
                hidden_gradient[b, d] += error * output_vectors[row, d]


@njit()
def _add_rows(matrix: Any, rows: Any, coefficients: Any, vectors: Any, scale: float, part: int, parts: int) -> None:
    """Add scale · coefficients[b, m] · vectors[b] to row rows[b, m], for the rows of this part."""
    for b in range(rows.shape[0]):
        for m in range(rows.shape[1]):
            row = rows[b, m]
            if row % parts == part:
                coefficient = scale * coefficients[b, m]
                if coefficient != 0:
                    for d in range(matrix.shape[1]):
                        matrix[row, d] += coefficient * vectors[b, d]


@njit()
def _adam_rows(
    parameters: Any, first: Any, second: Any, gradient: Any, is_touched: Any, rate: float, part: int, parts: int
) -> None:
    """Take one Adam step on the rows of this part and clear their gradients; see minibatch.adam_step."""
    for row in range(part, parameters.shape[0], parts):
        if is_touched[row]:
            for d in range(parameters.shape[1]):
                g = gradient[row, d]
                m = first[row, d] + _FIRST_SHARE * (g - first[row, d])
                v = second[row, d] + _SECOND_SHARE * (g * g - second[row, d])
                first[row, d], second[row, d], gradient[row, d] = m, v, 0
                parameters[row, d] -= rate * m / (np.sqrt(v) + _EPSILON)
        else:
            for d in range(parameters.shape[1]):
                m = first[row, d] - _FIRST_SHARE * first[row, d]
                v = second[row, d] - _SECOND_SHARE * second[row, d]
                first[row, d], second[row, d] = m, v
                parameters[row, d] -= rate * m / (np.sqrt(v) + _EPSILON)


class NumbaEngine:
    """The minibatch contract, compiled, on `threads` threads."""

    backend = Backend.NUMBA

    def __init__(self, *, is_classic: bool, threads: int) -> None:
        self._is_classic = is_classic
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="w2v-kernel")

    def to_device(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def to_host(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def zeros_like(self, array: Any) -> Any:
        """Return zeros of the array's shape and type."""
        return np.zeros_like(array)

    def gradients(self, embeddings: Embeddings, batch: Batch) -> Gradients:
        """Return loss and gradients of the batch."""
        output_rows = np.concatenate((batch.targets[:, None], batch.negatives), axis=1)
        size, dim = len(batch.targets), embeddings.input_vectors.shape[1]
        hidden, hidden_gradient = np.empty((size, dim), np.float32), np.empty((size, dim), np.float32)
        errors = np.empty(output_rows.shape, np.float32)
        coefficients = np.empty(batch.inputs.shape, np.float32)
        losses = np.empty(size, np.float64)
        self._in_parts(
            lambda part: _examples_gradients(
                embeddings.input_vectors,
                embeddings.output_vectors,
                batch.inputs,
                output_rows,
                self._is_classic,
                hidden,
                hidden_gradient,
                errors,
                coefficients,
                losses,
                size * part // self._threads,
                size * (part + 1) // self._threads,
            )
        )
        return Gradients(
            loss_sum=losses.sum(),
            inputs=RowGradients(batch.inputs, coefficients, hidden_gradient),
            outputs=RowGradients(output_rows, errors, hidden),
        )

    def add_rows(self, matrix: Any, gradients: RowGradients, scale: float) -> None:
        """Add scale · gradients to the rows of `matrix` in place."""
        rows, coefficients, vectors = gradients.rows, gradients.coefficients, gradients.vectors
        self._in_parts(
            lambda part: _add_rows(matrix, rows, coefficients, vectors, np.float32(scale), part, self._threads)
        )

    def adam_update(
        self, matrix: Any, moments: AdamMoments, gradients: RowGradients, scale: float, rate: float
    ) -> None:
        """Sum the gradients row by row, then take a dense Adam step that clears the buffer."""
        self.add_rows(moments.gradient, gradients, scale)
        is_touched = np.zeros(matrix.shape[0], dtype=np.bool_)
        is_touched[gradients.rows[gradients.rows != NO_WORD]] = True
        self._in_parts(
            lambda part: _adam_rows(
                matrix,
                moments.first,
                moments.second,
                moments.gradient,
                is_touched,
                np.float32(rate),
                part,
                self._threads,
            )
        )

    def _in_parts(self, run_part: Callable[[int], Any]) -> list[Any]:
        """Run every part on a thread of its own; return their results in order."""
        if self._threads == 1:
            return [run_part(0)]
        return list(self._pool.map(run_part, range(self._threads)))
