"""Words as a map: which are on it, where, in which cluster, and which are each other's neighbours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import ConfigError, option
from w2v_cli.queries.rows import FloatArray, WordIds, read_unit_rows
from w2v_cli.queries.search import QUESTIONS_AT_ONCE, Search, allowed_rows, sum_scorer
from w2v_cli.queries.top_k import nearest
from w2v_cli.system.machine import available_cores
from w2v_cli.vectors.keyed_vectors import KeyedVectors, Matrix, OnDone, ignore_done
from w2v_cli.visual.word_map.clustering import Labels, find_clusters
from w2v_cli.visual.word_map.projection import Method, project

TYPICAL_WORDS = 3  # that name a cluster
_TYPICAL_POOL = 100  # a cluster's most frequent words, of which the nearest to its centre name it


@dataclass(frozen=True)
class MapPlan:
    """What a map is to show.

    words: so many of the most frequent; min_count: of those that occur so often; neighbours, clusters: how many;
    seed: of the clusters' first centres, and of UMAP and t-SNE.
    """

    words: int = 10_000
    min_count: int | None = None
    projection: Method = "pca"
    neighbours: int = 10
    clusters: int = 8
    seed: int = 1


@dataclass(frozen=True, eq=False)
class WordMap:
    """N words, the most frequent first, as a map.

    points: (N, 2); neighbours: (N, K) places in `words`, the nearest first, and their cosines; clusters: (N,);
    typical: of each cluster the places of words that stand for it; explained: PCA's share of the variance, else None.
    """

    words: list[str]
    counts: NDArray[np.int64] | None
    points: FloatArray
    neighbours: WordIds
    cosines: FloatArray
    clusters: Labels
    typical: list[list[int]]
    explained: float | None


def draw_map(word_vectors: KeyedVectors, plan: MapPlan, on_done: OnDone = ignore_done) -> WordMap:
    """Return the map of the words that `plan` chooses; equal vectors and plans give equal maps on one machine.

    on_done: hears of the words whose neighbours were found, which takes longest. Neighbours are those of
    `queries.similar` among the words of the map. Raises ConfigError where no word is frequent enough and as
    `projection.project` does, MissingDependencyError for a projection whose package is not there.
    """
    chosen = choose_words(word_vectors, plan)
    rows = word_vectors.vectors[chosen]
    unit_rows = read_unit_rows(rows, slice(None))
    points, explained = project(unit_rows, plan.projection, seed=plan.seed)
    neighbours, cosines = find_neighbours(rows, min(plan.neighbours, len(rows) - 1), on_done)
    clusters, centres = find_clusters(unit_rows, plan.clusters, seed=plan.seed)
    words = [word_vectors.words[word_id] for word_id in chosen.tolist()]
    counts = None if word_vectors.counts is None else word_vectors.counts[chosen]
    typical = _typical(unit_rows, clusters, centres)
    return WordMap(words, counts, points, neighbours, cosines, clusters, typical, explained)


def choose_words(word_vectors: KeyedVectors, plan: MapPlan) -> WordIds:
    """Return the word ids that the map shows, the most frequent first; by the file's order where it has no counts."""
    allowed = allowed_rows(word_vectors, Search(min_count=plan.min_count, restrict=plan.words))
    chosen = np.arange(len(word_vectors)) if allowed is None else np.flatnonzero(allowed)
    if not len(chosen):
        raise ConfigError(
            f"no word occurs {plan.min_count:,} times, so the map would be empty: lower {option('min_count')}."
        )
    if word_vectors.counts is None:
        return chosen
    order: WordIds = chosen[np.argsort(-word_vectors.counts[chosen], kind="stable")]
    return order


def find_neighbours(rows: Matrix, top: int, on_done: OnDone = ignore_done) -> tuple[WordIds, FloatArray]:
    """Return for each row of `rows` (N, D) the `top` nearest others by cosine: their numbers (N, top), the cosines."""
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
    """Return for each cluster the frequent words that are nearest to its centre, the nearest first."""
    typical = []
    for cluster, centre in enumerate(centres):
        members = np.flatnonzero(clusters == cluster)[:_TYPICAL_POOL]
        order = np.argsort(-(unit_rows[members] @ centre), kind="stable")
        typical.append(members[order[:TYPICAL_WORDS]].tolist())
    return typical
