"""The minibatch algorithm over whole arrays, written once for NumPy and CuPy: it reads like the equations.

The reference that every other engine is tested against. Skip-gram is the case of one input, the centre, whose target
is a context word; CBOW has the context words as inputs and the centre as target.
"""

from dataclasses import dataclass
from typing import Any

from w2v_cli.kernels.arrays import Arrays
from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.objectives import Objective
from w2v_cli.kernels.protocols import Gradients, RowGradients
from w2v_cli.kernels.windows import NO_WORD

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-7  # the book's; added to √v, not under the root
MAX_SCORE = 80.0  # the float32 sigmoid is flat long before; exp stays finite


def negative_sampling_gradients(
    xp: Any, input_vectors: Any, output_vectors: Any, batch: Batch, *, is_classic: bool
) -> Gradients:
    """Return the loss of negative sampling, summed over the batch, and its gradients.

    h = mean of v_i over the inputs i                                  CBOW: Mikolov et al. 2013a; skip-gram: h = v_c
    L = -log σ(v'_t · h) - Σ_k log σ(-v'_k · h)                        Mikolov et al. 2013b, eq. 4
    ∂L/∂score = σ(score) - label      ∂L/∂v'_o = error · h      ∂L/∂h = Σ_o error · v'_o      ∂L/∂v_i = ∂L/∂h / n

    input_vectors, output_vectors: (V, D) floats; batch: its arrays of the same module. is_classic leaves the division
    by the number n of inputs out of ∂L/∂v_i. NOTE: so does word2vec.c; it is not the gradient, see gensim#1873.
    """
    is_input = batch.inputs != NO_WORD  # (B, C)
    share = is_input.astype(input_vectors.dtype) / is_input.sum(axis=1, keepdims=True).astype(input_vectors.dtype)
    input_rows = xp.where(is_input, batch.inputs, 0)
    hidden = xp.einsum("bc,bcd->bd", share, input_vectors[input_rows])  # (B, D)
    output_rows = xp.concatenate((batch.targets[:, None], batch.negatives), axis=1)  # (B, 1+K), target first
    outputs = output_vectors[output_rows]  # (B, 1+K, D)
    labels = xp.zeros(output_rows.shape, dtype=outputs.dtype)
    labels[:, 0] = 1
    scores = xp.clip(xp.einsum("bkd,bd->bk", outputs, hidden), -MAX_SCORE, MAX_SCORE)
    errors = 1 / (1 + xp.exp(-scores)) - labels
    hidden_gradient = xp.einsum("bk,bkd->bd", errors, outputs)
    return Gradients(
        loss_sum=xp.logaddexp(0, xp.where(labels == 1, -scores, scores)).sum(dtype=xp.float64),
        inputs=RowGradients(input_rows, is_input.astype(share.dtype) if is_classic else share, hidden_gradient),
        outputs=RowGradients(output_rows, errors, hidden),
    )


def adam_step(xp: Any, parameters: Any, first: Any, second: Any, gradient: Any, rate: float) -> None:
    """Take one Adam step in place; every element moves, also where its gradient is zero.

    m ← m + (1 - β₁)(g - m)      v ← v + (1 - β₂)(g² - v)      θ ← θ - rate · m / (√v + ε)
    Kingma & Ba 2015, section 2, with the bias corrections folded into `rate`, as in the book's common/optimizer.py.
    """
    dtype = parameters.dtype.type
    beta_1, beta_2 = ADAM_BETAS
    first += dtype(1 - beta_1) * (gradient - first)
    second += dtype(1 - beta_2) * (gradient * gradient - second)
    parameters -= dtype(rate) * first / (xp.sqrt(second) + dtype(ADAM_EPSILON))


@dataclass(frozen=True)
class AdamMoments:
    """Adam's state for one matrix: both moments, dense, and a gradient buffer that is zero between steps; (V, D)."""

    first: Any
    second: Any
    gradient: Any


class ArrayEngine:
    """The minibatch contract over an array module."""

    def __init__(self, arrays: Arrays, objective: Objective) -> None:
        self.backend = arrays.backend
        self.to_device = arrays.to_device
        self.to_host = arrays.to_host
        self._arrays = arrays
        self._objective = objective

    def gradients(self, embeddings: Embeddings, batch: Batch) -> Gradients:
        """Return loss and gradients of the batch."""
        device_batch = Batch(
            self.to_device(batch.inputs),
            self.to_device(batch.targets),
            self.to_device(batch.negatives),
            centres=batch.centres,
            progress=batch.progress,
        )
        return negative_sampling_gradients(
            self._arrays.xp,
            embeddings.input_vectors,
            embeddings.output_vectors,
            device_batch,
            is_classic=self._objective.is_classic,
        )

    def add_rows(self, matrix: Any, gradients: RowGradients, scale: float) -> None:
        """Add scale · gradients to the rows of `matrix` in place."""
        coefficients = gradients.coefficients * matrix.dtype.type(scale)
        updates = coefficients[:, :, None] * gradients.vectors[:, None, :]  # (B, M, D)
        self._arrays.scatter_add(matrix, gradients.rows.ravel(), updates.reshape(-1, matrix.shape[1]))

    def adam_state(self, matrix: Any) -> AdamMoments:
        """Return moments of zero."""
        return AdamMoments(*(self._arrays.xp.zeros_like(matrix) for _ in range(3)))

    def adam_settle(self, matrix: Any, state: AdamMoments, rows: Any) -> None:
        """Do nothing: every step is whole."""

    def adam_moments(self, state: AdamMoments) -> tuple[Any, Any]:
        """Return both moments."""
        return state.first, state.second

    def adam_step(self, matrix: Any, state: AdamMoments, gradients: RowGradients, scale: float, rate: float) -> None:
        """Sum the gradients row by row, take a dense Adam step, clear the buffer."""
        self.add_rows(state.gradient, gradients, scale)
        height = self._arrays.block_rows(matrix)
        for start in range(0, matrix.shape[0], height):
            rows = slice(start, start + height)
            adam_step(self._arrays.xp, matrix[rows], state.first[rows], state.second[rows], state.gradient[rows], rate)
        state.gradient[gradients.rows.ravel()] = 0
