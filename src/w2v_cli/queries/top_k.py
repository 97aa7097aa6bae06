"""The top k rows of each of many queries, found in one pass over blocks of rows on several threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.queries.rows import FloatArray, WordIds, iterate_float32
from w2v_cli.vectors import Matrix

LEAST_ROWS = 1 << 14  # of a thread; for fewer, starting one takes longer than it saves
POOL_FACTOR = 4  # a block with more than this many times `top` candidates is thinned out before they are sorted

ScoreBlock = Callable[[FloatArray], FloatArray]  # rows (R, D) -> scores (Q, R)
Answers = list[tuple[WordIds, FloatArray]]


class _Found(NamedTuple):
    """Candidates: the number of the query, the id of the row, and its score."""

    queries: WordIds
    ids: WordIds
    scores: FloatArray


def nearest(
    vectors: Matrix,
    score_block: ScoreBlock,
    excluded: WordIds,
    top: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    threads: int = 1,
) -> Answers:
    """Find the rows that score highest for each of Q queries, in memory for a block per thread and the answers.

    Args:
        vectors: (V, D) the rows.
        score_block: Scores rows (R, D) float32; returns (Q, R).
        excluded: (Q, X) word ids that cannot be answers of a query; -1 stands for none.
        top: The number of answers of a query.
        allowed: (V,) whether a row can be an answer; None allows all.
        threads: The most threads to start.

    Returns:
        The ids and the scores of each query's answers, best first, ties by lower id; fewer than `top` if rows run out.
    """
    threads = max(1, min(threads, len(vectors) // LEAST_ROWS))
    borders = np.linspace(0, len(vectors), threads + 1).astype(int).tolist()
    bests = [_TopK(len(excluded), top) for _ in range(threads)]

    def scan_part(part: tuple[_TopK, tuple[int, int]]) -> None:
        best, (first, end) = part
        _scan(vectors[first:end], first, score_block, excluded, allowed, best)

    parts = list(zip(bests, pairwise(borders), strict=True))
    if threads == 1:
        scan_part(parts[0])
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="w2v-nearest") as pool:
            list(pool.map(scan_part, parts))
    return bests[0].merged(bests[1:])


def _scan(
    rows: Matrix,
    start: int,
    score_block: ScoreBlock,
    excluded: WordIds,
    allowed: NDArray[np.bool_] | None,
    best: "_TopK",
) -> None:
    """Take better answers from `rows`, the first of which has the id `start`."""
    for offset, block in iterate_float32(rows, queries=len(excluded)):
        first = start + offset
        scores = score_block(block)  # (Q, R)
        _exclude(scores, excluded - first)
        if allowed is not None:
            scores[:, ~allowed[first : first + len(block)]] = -np.inf
        best.add(first, scores)


class _TopK:
    """The `top` best answers so far of each query, sorted in flat arrays, and unsorted candidates.

    floors: (Q,) what a score must exceed to enter a query's answers: the lowest of them, or -inf, the score of excluded
    rows, while there are fewer than `top`. A later id with the score of the lowest answer does not enter.
    """

    def __init__(self, queries: int, top: int) -> None:
        self._top = top
        self._floors = np.full(queries, -np.inf, np.float32)
        self._sorted = _Found(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        self._unsorted: list[_Found] = []

    @property
    def found(self) -> list[_Found]:
        """All candidates, in no order."""
        return [self._sorted, *self._unsorted]

    def add(self, first: int, scores: FloatArray) -> None:
        """Add the scores (Q, R) of a block of rows, the first of which has the id `first`."""
        hopeful = np.flatnonzero(scores.max(axis=1) > self._floors)
        if not len(hopeful):
            return
        chosen = scores if len(hopeful) == len(scores) else scores[hopeful]
        is_better = chosen > self._floors[hopeful, np.newaxis]
        if is_better.sum() > POOL_FACTOR * self._top * len(hopeful):  # too many to sort
            border = np.partition(chosen, -self._top, axis=1)[:, -self._top, np.newaxis]
            is_better &= chosen >= border  # at least `top` of this block reach it
        places, columns = np.divmod(np.flatnonzero(is_better), is_better.shape[1])  # 9 times as fast as nonzero
        self._unsorted.append(_Found(hopeful[places], first + columns, chosen[places, columns]))
        if sum(len(found.ids) for found in self._unsorted) >= self._top * len(self._floors):
            self._sort()

    def merged(self, others: Sequence["_TopK"]) -> Answers:
        """Return the ids and scores of each query, best first, including those of `others`."""
        for other in others:
            self._unsorted += other.found
        self._sort()
        borders = np.searchsorted(self._sorted.queries, np.arange(len(self._floors) + 1)).tolist()
        return [(self._sorted.ids[first:end], self._sorted.scores[first:end]) for first, end in pairwise(borders)]

    def _sort(self) -> None:
        """Sort all candidates, and keep the best of each query."""
        queries, ids, scores = (np.concatenate(arrays) for arrays in zip(*self.found, strict=True))
        order = np.lexsort((ids, -scores, queries))
        queries, ids, scores = queries[order], ids[order], scores[order]
        rank = np.arange(len(queries)) - np.searchsorted(queries, queries)
        is_last, is_kept = rank == self._top - 1, rank < self._top
        self._floors[queries[is_last]] = scores[is_last]
        self._sorted = _Found(queries[is_kept], ids[is_kept], scores[is_kept])
        self._unsorted = []


def _exclude(scores: FloatArray, columns: WordIds) -> None:
    """Set scores (Q, R) to -inf in `columns` (Q, X); columns outside the block are ignored."""
    queries, places = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[queries, columns[queries, places]] = -np.inf
