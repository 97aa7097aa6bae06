"""The equations of the block algorithm in plain NumPy, one block at a time: the reference of all engines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels.block.blocks import Block

Matrix = NDArray[np.floating[Any]]
MAX_SCORE = 16.0  # beyond it the float32 sigmoid is flat


def skipgram_block_step(
    input_vectors: Matrix, output_vectors: Matrix, block: Block, negatives: int, learning_rate: float
) -> tuple[float, int]:
    """Take one SGD step of skip-gram on a block, in place; return the summed loss in nats and the number of pairs.

    In word2vec.c's direction, each context word predicts the centre; K = `negatives` of each pair are replaced by the
    block's N, which count for K / N each, a negative that equals the centre for nothing:
    L = Σ_pairs [-log σ(v'_c · v_o) - K/N · Σ_{n ≠ c} log σ(-v'_n · v_o)]        after Mikolov et al. 2013b, eq. 4

    All scores are computed from one state of the matrices; a word that occurs several times receives the sum.
    """
    x = input_vectors[block.contexts]  # (P, D)
    outputs = np.concatenate((block.centres, block.negatives))
    y = output_vectors[outputs]  # (B + N, D)
    labels = np.concatenate((np.ones(len(block.centres)), np.zeros(len(block.negatives))))
    is_other = block.centres[:, None] != block.negatives  # (B, N)
    share = negatives / len(block.negatives)
    weights = np.concatenate((block.is_pair.astype(float), share * (block.is_pair @ is_other.astype(float))), axis=1)
    scores = np.clip(x @ y.T, -MAX_SCORE, MAX_SCORE)  # (P, B + N)
    errors = weights * (sigmoid(scores) - labels)
    np.add.at(input_vectors, block.contexts, -learning_rate * (errors @ y))
    np.add.at(output_vectors, outputs, -learning_rate * (errors.T @ x))
    return sigmoid_loss(scores, labels, weights), int(block.is_pair.sum())


def cbow_block_step(
    input_vectors: Matrix,
    output_vectors: Matrix,
    block: Block,
    negatives: int,
    learning_rate: float,
    is_classic: bool,  # noqa: FBT001
) -> tuple[float, int]:
    """Take one SGD step of CBOW on a block, in place; return the summed loss in nats and the number of centres.

    h_b = mean of the input vectors in the window of centre b; centres without a window are left out.
    L = Σ_b [-log σ(v'_c · h_b) - K/N · Σ_{n ≠ c} log σ(-v'_n · h_b)]            after Mikolov et al. 2013a and b

    is_classic: each context word receives the whole ∂L/∂h, as in word2vec.c, not its share of it.
    """
    has_window = block.is_pair.any(axis=0)
    centres, is_pair = block.centres[has_window], block.is_pair[:, has_window].astype(float)  # (B,), (P, B)
    share = is_pair / is_pair.sum(axis=0)
    h = share.T @ input_vectors[block.contexts]  # (B, D)
    y, y_centres = output_vectors[block.negatives], output_vectors[centres]
    weights = negatives / len(block.negatives) * (centres[:, None] != block.negatives)  # (B, N)
    scores = np.clip(h @ y.T, -MAX_SCORE, MAX_SCORE)
    centre_scores = np.clip((h * y_centres).sum(axis=1), -MAX_SCORE, MAX_SCORE)
    errors = weights * sigmoid(scores)
    centre_errors = sigmoid(centre_scores) - 1
    h_gradient = errors @ y + centre_errors[:, None] * y_centres
    np.add.at(input_vectors, block.contexts, -learning_rate * ((is_pair if is_classic else share) @ h_gradient))
    np.add.at(output_vectors, centres, -learning_rate * centre_errors[:, None] * h)
    np.add.at(output_vectors, block.negatives, -learning_rate * (errors.T @ h))
    loss = sigmoid_loss(scores, 0, weights) + sigmoid_loss(centre_scores, 1, 1)
    return loss, len(centres)


def sigmoid(scores: Matrix) -> Matrix:
    """Return σ(scores) = 1 / (1 + exp(-scores))."""
    return 1 / (1 + np.exp(-scores))


def sigmoid_loss(scores: Matrix, labels: Matrix | float, weights: Matrix | float) -> float:
    """Return Σ weights · (-log σ(score) where the label is 1, -log σ(-score) where it is 0)."""
    return float((weights * np.logaddexp(0, np.where(labels, -scores, scores))).sum())
