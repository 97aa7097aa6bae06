"""Clusters of words: k-means on the unit sphere, where a high cosine means near."""

import numpy as np
from numpy.typing import NDArray

from w2v_cli.queries import FloatArray, unit

MAX_ROUNDS = 100  # more than 40 are rarely needed

Labels = NDArray[np.int64]


def find_clusters(unit_rows: FloatArray, count: int, *, seed: int = 1) -> tuple[Labels, FloatArray]:
    """Cluster rows by spherical k-means (Dhillon & Modha 2001).

    Each row goes to the centre with the highest cosine, each centre becomes the unit mean of its rows, until no row
    changes its cluster.

    Args:
        unit_rows: (N, D) rows of length 1 or 0.
        count: The most clusters; there are fewer if rows are few or alike.
        seed: The seed of the first centres.

    Returns:
        The cluster (N,) of each row, 0 the largest, and the centres (K, D) of length 1; no cluster is empty.
    """
    centres = _first_centres(unit_rows, count, np.random.default_rng(seed))
    labels = np.full(len(unit_rows), -1)
    for _ in range(MAX_ROUNDS):
        nearest = (unit_rows @ centres.T).argmax(axis=1)
        if (nearest == labels).all():
            break
        labels = nearest
        centres = _means(unit_rows, labels, centres)
    sizes = np.bincount(labels, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    return _ranks(order, len(centres))[labels], centres[order]


def _ranks(order: Labels, count: int) -> Labels:
    """Return the position in `order` of each of `count` numbers; 0 for those that it lacks."""
    ranks = np.zeros(count, np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _first_centres(unit_rows: FloatArray, count: int, draws: np.random.Generator) -> FloatArray:
    """Draw first centres with probabilities by the squared distance: k-means++ (Arthur & Vassilvitskii 2007).

    There are fewer than `count` if every row equals one of them.
    """
    chosen = [int(draws.integers(len(unit_rows)))]
    distances = np.full(len(unit_rows), np.inf)
    while len(chosen) < count:
        distances = np.minimum(distances, _distances(unit_rows, unit_rows[chosen[-1]]))
        if not distances.any():
            break
        sums = np.cumsum(distances)
        chosen.append(int(np.searchsorted(sums, draws.random() * sums[-1], side="right")))
    return unit_rows[chosen]


def _distances(unit_rows: FloatArray, row: FloatArray) -> NDArray[np.float64]:
    """Return the squared distance (N,) of each row to `row`; 0 for differences by rounding alone."""
    differences = unit_rows - row
    distances: NDArray[np.float64] = np.einsum("nd,nd->n", differences, differences).astype(np.float64)
    distances[distances < 1e-9] = 0  # noqa: PLR2004  the square of float32's rounding error, with a margin
    return distances


def _means(unit_rows: FloatArray, labels: Labels, centres: FloatArray) -> FloatArray:
    """Return the unit mean of each cluster's rows; a cluster without rows keeps its centre."""
    sums = np.zeros_like(centres)
    for cluster in range(len(centres)):
        sums[cluster] = unit_rows[labels == cluster].sum(axis=0)
    is_empty = ~sums.any(axis=1)
    sums[is_empty] = centres[is_empty]
    return unit(sums)
