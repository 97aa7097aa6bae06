"""The content of a word map: the chosen words, their points, clusters and neighbours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import ConfigError, option
from w2v_cli.queries import (
    QUESTIONS_AT_ONCE,
    FloatArray,
    Search,
    WordIds,
    allowed_rows,
    nearest,
    read_unit_rows,
    sum_scorer,
)
from w2v_cli.system.machine import available_cores
from w2v_cli.vectors import KeyedVectors, Matrix, OnDone, ignore_done
from w2v_cli.visual.word_map.clustering import Labels, find_clusters
from w2v_cli.visual.word_map.projection import Method, project

TYPICAL_WORDS = 3  # words that name a cluster
_TYPICAL_POOL = 100  # the most frequent words of a cluster; those nearest to its centre name it


@dataclass(frozen=True)
class MapOptions:
    """Options of a map.

    Attributes:
        words: the number of words, the most frequent.
        min_count: the fewest occurrences of a word.
        neighbours, clusters: their number.
        seed: of the first centres of clusters, and of UMAP and t-SNE.
    """

    words: int = 10_000
    min_count: int | None = None
    projection: Method = "pca"
    neighbours: int = 10
    clusters: int = 8
    seed: int = 1


@dataclass(frozen=True, eq=False)
class WordMap:
    """A map of N words, the most frequent first.

    Attributes:
        points: (N, 2) positions in the plane.
        neighbours, cosines: (N, K) indices of the nearest words in `words`, nearest first, and their similarities.
        clusters: (N,) the cluster of each word.
        typical: for each cluster the indices of the words that name it.
        explained: the share of the variance that PCA keeps; None for other projections.
    """

    words: list[str]
    counts: NDArray[np.int64] | None
    points: FloatArray
    neighbours: WordIds
    cosines: FloatArray
    clusters: Labels
    typical: list[list[int]]
    explained: float | None


def draw_map(word_vectors: KeyedVectors, options: MapOptions, on_done: OnDone = ignore_done) -> WordMap:
    """Compute a map; equal vectors and options give equal maps on one machine.

    Args:
        word_vectors: V words and their vectors.
        options: The number of words, neighbours and clusters, and the projection.
        on_done: Called with the number of words whose neighbours have been found, the longest step, and of all.

    Returns:
        The map; neighbours are those of a cosine search among its words.

    Raises:
        ConfigError: No word is frequent enough, or too few words for UMAP or t-SNE.
        MissingDependencyError: The package of the projection is not installed.
    """
    chosen = choose_words(word_vectors, options)
    rows = word_vectors.vectors[chosen]
    unit_rows = read_unit_rows(rows, slice(None))
    points, explained = project(unit_rows, options.projection, seed=options.seed)
    neighbours, cosines = find_neighbours(rows, min(options.neighbours, len(rows) - 1), on_done)
    clusters, centres = find_clusters(unit_rows, options.clusters, seed=options.seed)
    words = [word_vectors.words[word_id] for word_id in chosen.tolist()]
    counts = None if word_vectors.counts is None else word_vectors.counts[chosen]
    typical = _typical(unit_rows, clusters, centres)
    return WordMap(words, counts, points, neighbours, cosines, clusters, typical, explained)


def choose_words(word_vectors: KeyedVectors, options: MapOptions) -> WordIds:
    """Return the word ids of the map, the most frequent first; in the order of the file if it has no counts."""
    allowed = allowed_rows(word_vectors, Search(min_count=options.min_count, restrict=options.words))
    chosen = np.arange(len(word_vectors)) if allowed is None else np.flatnonzero(allowed)
    if not len(chosen):
        raise ConfigError(
            f"no word occurs {options.min_count:,} times, so the map would be empty: lower {option('min_count')}."
        )
    if word_vectors.counts is None:
        return chosen
    order: WordIds = chosen[np.argsort(-word_vectors.counts[chosen], kind="stable")]
    return order


def find_neighbours(rows: Matrix, top: int, on_done: OnDone = ignore_done) -> tuple[WordIds, FloatArray]:
    """Return the `top` nearest other rows of each row of `rows` (N, D): their indices and cosines, both (N, top)."""
    numbers = np.arange(len(rows))[:, np.newaxis]
    neighbours, cosines = np.empty((len(rows), top), np.int64), np.empty((len(rows), top), np.float32)
    for first in range(0, len(rows) if top else 0, QUESTIONS_AT_ONCE):
        terms = numbers[first : first + QUESTIONS_AT_ONCE]
        scorer = sum_scorer(rows, terms, np.ones_like(terms), "add")
        for place, (ids, scores) in enumerate(nearest(rows, scorer, terms, top, threads=available_cores()), first):
            neighbours[place], cosines[place] = ids, scores
        on_done(first + len(terms), len(rows))
    return neighbours, np.clip(cosines, -1, 1)


def _typical(unit_rows: FloatArray, clusters: Labels, centres: FloatArray) -> list[list[int]]:
    """Return for each cluster those of its frequent words that are nearest to its centre, nearest first."""
    typical = []
    for cluster, centre in enumerate(centres):
        members = np.flatnonzero(clusters == cluster)[:_TYPICAL_POOL]
        order = np.argsort(-(unit_rows[members] @ centre), kind="stable")
        typical.append(members[order[:TYPICAL_WORDS]].tolist())
    return typical
