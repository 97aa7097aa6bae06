"""Words in groups: k-means on the unit sphere, where near means a high cosine."""

import numpy as np
from numpy.typing import NDArray

from w2v_cli.queries.rows import FloatArray, unit

MAX_ROUNDS = 100  # rarely are more than 40 needed

Labels = NDArray[np.int64]


def find_clusters(unit_rows: FloatArray, count: int, *, seed: int = 1) -> tuple[Labels, FloatArray]:
    """Return the cluster (N,) of each row (N, D) of length 1 (or 0), and the clusters' centres (K, D) of length 1.

    Spherical k-means (Dhillon & Modha 2001): each row goes to the centre with the highest cosine, each centre becomes
    the unit mean of its rows, until nothing moves. The largest cluster is 0. K is `count`, or less where rows are few
    or alike: no cluster is empty.
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
    """Return the place in `order` of each of `count` numbers; 0 for those that are not in it."""
    ranks = np.zeros(count, np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _first_centres(unit_rows: FloatArray, count: int, draws: np.random.Generator) -> FloatArray:
    """Return rows to begin with, each drawn by its distance from those before: k-means++ (Arthur & Vassilvitskii 2007).

    They are fewer than `count` where every row is one of them.
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
    """Return the squared distance of each row from `row`, 0 where they differ by rounding alone."""
    differences = unit_rows - row
    distances: NDArray[np.float64] = np.einsum("nd,nd->n", differences, differences).astype(np.float64)
    distances[distances < 1e-9] = 0  # noqa: PLR2004 - the square of float32's rounding, and room
    return distances


def _means(unit_rows: FloatArray, labels: Labels, centres: FloatArray) -> FloatArray:
    """Return the unit mean of each cluster's rows; a cluster without rows keeps its centre."""
    sums = np.zeros_like(centres)
    for cluster in range(len(centres)):
        sums[cluster] = unit_rows[labels == cluster].sum(axis=0)
    is_empty = ~sums.any(axis=1)
    sums[is_empty] = centres[is_empty]
    return unit(sums)
