"""The equations of the minibatch algorithm over whole arrays, NumPy's or CuPy's.

The reference that every engine is tested against. Skip-gram is the case of one input, the centre, whose target is a
context word; CBOW has the context words as inputs and the centre as target.
"""

from dataclasses import dataclass
from typing import Any

from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.windows import NO_WORD

MAX_SCORE = 80.0  # the float32 sigmoid is flat long before; exp stays finite


@dataclass(frozen=True)
class RowGradients:
    """The gradient of a matrix in factors: row rows[b, m] receives coefficients[b, m] · vectors[b].

    Attributes:
        rows: (B, M) int32.
        coefficients: (B, M) floats, 0 where there is no row.
        vectors: (B, D) floats. A row that occurs several times receives the sum.
    """

    rows: Any
    coefficients: Any
    vectors: Any


@dataclass(frozen=True)
class Gradients:
    """The summed loss of a batch in nats, a scalar of the array module, and the gradient of that sum."""

    loss_sum: Any
    inputs: RowGradients
    outputs: RowGradients


def negative_sampling_gradients(
    xp: Any, input_vectors: Any, output_vectors: Any, batch: Batch, *, is_classic: bool
) -> Gradients:
    """Return the loss of negative sampling, summed over the batch, and its gradients.

    h = mean of v_i over the inputs i                                  CBOW: Mikolov et al. 2013a; skip-gram: h = v_c
    L = -log σ(v'_t · h) - Σ_k log σ(-v'_k · h)                        Mikolov et al. 2013b, eq. 4
    ∂L/∂score = σ(score) - label      ∂L/∂v'_o = error · h      ∂L/∂h = Σ_o error · v'_o      ∂L/∂v_i = ∂L/∂h / n

    Args:
        xp: the array module, NumPy or CuPy.
        input_vectors: v, (V, D) floats.
        output_vectors: v', (V, D) floats.
        batch: B examples, its arrays of the same module.
        is_classic: leave the division by the number n of inputs out of ∂L/∂v_i. NOTE: word2vec.c does, though it is
            not the gradient (gensim#1873).
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
