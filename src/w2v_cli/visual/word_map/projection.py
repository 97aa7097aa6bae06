"""Projections of rows to points in a plane: PCA in NumPy, UMAP and t-SNE with the extra `map`."""

import importlib.util
import warnings
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import ConfigError, MissingDependencyError, option
from w2v_cli.queries import FloatArray

Method = Literal["pca", "umap", "tsne"]

UMAP_NEIGHBOURS = 15
TSNE_PERPLEXITY = 30
FEWEST_ROWS = 10  # for UMAP and t-SNE, which look at neighbourhoods
_PACKAGES = {"umap": "umap", "tsne": "sklearn"}  # the modules to import


class Projected(NamedTuple):
    """Points (N, 2) float32, and the share of the variance that PCA keeps; None for other methods."""

    points: FloatArray
    explained: float | None


def check_method(method: Method) -> None:
    """Check that a projection can be used.

    Args:
        method: The name of a projection.

    Raises:
        ConfigError: The method is unknown.
        MissingDependencyError: Its package is not installed.
    """
    if method not in get_args(Method):
        raise ConfigError(f"unknown projection {method!r}; choose one of {', '.join(get_args(Method))}.")
    if method in _PACKAGES and importlib.util.find_spec(_PACKAGES[method]) is None:
        raise MissingDependencyError(
            f'{option("projection", method)} needs an optional package. Install it with: pip install "w2v-cli[map]"'
        )


def project(rows: FloatArray, method: Method, *, seed: int = 1) -> Projected:
    """Project rows to a plane.

    UMAP and t-SNE start from PCA's points (Kobak & Linderman 2021), which keeps more of the large distances.

    Args:
        rows: (N, D) float32.
        method: The projection.
        seed: The seed of UMAP and t-SNE.

    Returns:
        The points (N, 2), and the share of the variance that PCA keeps.

    Raises:
        ConfigError: The method is unknown, or there are too few rows for it.
        MissingDependencyError: The package of the method is not installed.
    """
    check_method(method)
    principal = principal_components(rows)
    if method == "pca":
        return principal
    if len(rows) < FEWEST_ROWS:
        raise ConfigError(
            f"{option('projection', method)} needs at least {FEWEST_ROWS} words, here are {len(rows)}: take "
            f"{option('projection', 'pca')}."
        )
    start = principal.points / max(float(principal.points[:, 0].std()), 1e-12)
    points = _umap(rows, start, seed) if method == "umap" else _tsne(rows, start, seed)
    return Projected(points.astype(np.float32), None)


def principal_components(rows: FloatArray) -> Projected:
    """Project the centred rows (N, D) to the two axes of largest variance (Pearson 1901).

    The axes are eigenvectors of the covariance (D, D), each in the direction in which its largest coordinate is
    positive, so that equal rows give equal points.

    >>> projected = principal_components(np.array([[0, 0, 1], [0, 4, 1], [2, 2, 1]], np.float32))
    >>> projected.points.astype(float).round(3).tolist()
    [[-2.0, -0.667], [2.0, -0.667], [0.0, 1.333]]
    """
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = (centred.T @ centred).astype(np.float64)
    variances, axes = np.linalg.eigh(covariance)  # in rising order
    first = axes[:, ::-1][:, :2]
    first = first * np.sign(first[np.abs(first).argmax(axis=0), np.arange(first.shape[1])])
    points = np.zeros((len(rows), 2), np.float32)
    points[:, : first.shape[1]] = centred @ first.astype(np.float32)
    total = float(variances.sum())
    return Projected(points, float(variances[-2:].sum()) / total if total > 0 else 1.0)


def _umap(rows: FloatArray, start: FloatArray, seed: int) -> NDArray[np.float32]:
    """Return the points of UMAP (McInnes, Healy & Melville 2018) on one thread, as a seed has no effect with more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # addressed to the developers of the package
        from umap import UMAP  # noqa: PLC0415  an extra, seconds to load

        neighbours = min(UMAP_NEIGHBOURS, len(rows) - 1)
        umap = UMAP(n_neighbors=neighbours, metric="cosine", init=10 * start, random_state=seed, n_jobs=1)
        points: NDArray[np.float32] = umap.fit_transform(rows)
    return points


def _tsne(rows: FloatArray, start: FloatArray, seed: int) -> NDArray[np.float32]:
    """Return the points of t-SNE (van der Maaten & Hinton 2008)."""
    from sklearn.manifold import TSNE  # noqa: PLC0415  an extra, seconds to load

    perplexity = min(TSNE_PERPLEXITY, (len(rows) - 1) / 3)
    tsne = TSNE(metric="cosine", perplexity=perplexity, init=1e-4 * start, random_state=seed)
    points: NDArray[np.float32] = tsne.fit_transform(rows)
    return points
