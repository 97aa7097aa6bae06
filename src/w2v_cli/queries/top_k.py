"""The rows that score highest for each of many queries, found in one pass over blocks of rows, on several threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.queries.rows import FloatArray, WordIds, iterate_blocks
from w2v_cli.vectors.keyed_vectors import Matrix

LEAST_ROWS = 1 << 14  # of a thread: for fewer its start is not worth while
POOL_FACTOR = 4  # candidates, times the answers wanted, that are worth sorting out

ScoreBlock = Callable[[FloatArray], FloatArray]  # rows (R, D) -> scores (Q, R)
Answers = list[tuple[WordIds, FloatArray]]


class _Found(NamedTuple):
    """Rows that may be among the answers: the number of the query, the row's id, its score."""

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
    """Return for each of Q queries the ids and scores of the `top` rows that score highest, ties by lower id.

    `excluded` (Q, X) are word ids that may not answer, -1 is none; where `allowed` (V,) is given, only its rows may.
    A query's answers are fewer than `top` where rows run out. Takes memory for a block a thread and Q answers, never
    for all rows.
    """
    threads = max(1, min(threads, len(vectors) // LEAST_ROWS))
    borders = np.linspace(0, len(vectors), threads + 1).astype(int).tolist()
    bests = [_TopK(len(excluded), top) for _ in range(threads)]

    def look(part: tuple[_TopK, tuple[int, int]]) -> None:
        best, (first, end) = part
        _look(vectors[first:end], first, score_block, excluded, allowed, best)

    parts = list(zip(bests, pairwise(borders), strict=True))
    if threads == 1:
        look(parts[0])
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="w2v-nearest") as pool:
            list(pool.map(look, parts))
    return bests[0].united(bests[1:])


def _look(
    rows: Matrix,
    start: int,
    score_block: ScoreBlock,
    excluded: WordIds,
    allowed: NDArray[np.bool_] | None,
    best: "_TopK",
) -> None:
    """Look for better answers in `rows`, the first of which has the id `start`."""
    for offset, block in iterate_blocks(rows, queries=len(excluded)):
        first = start + offset
        scores = score_block(block)  # (Q, R)
        _strike_out(scores, excluded - first)
        if allowed is not None:
            scores[:, ~allowed[first : first + len(block)]] = -np.inf
        best.take_in(first, scores)


class _TopK:
    """The `top` best answers so far to each query: (query, id, score) in flat arrays, sorted so, and others that wait.

    floors: (Q,), what a score must exceed to be among a query's best; -inf, the score of rows that may not answer, as
    long as it has fewer than `top`. A later id with the same score as the last of them does not.
    """

    def __init__(self, queries: int, top: int) -> None:
        self._top = top
        self._floors = np.full(queries, -np.inf, np.float32)
        self._sorted = _Found(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        self._waiting: list[_Found] = []

    @property
    def found(self) -> list[_Found]:
        """All that may be among the answers, in no order."""
        return [self._sorted, *self._waiting]

    def take_in(self, first: int, scores: FloatArray) -> None:
        """Take in the scores (Q, R) of a block of rows that begins with the id `first`."""
        hopeful = np.flatnonzero(scores.max(axis=1) > self._floors)
        if not len(hopeful):
            return
        chosen = scores if len(hopeful) == len(scores) else scores[hopeful]
        is_better = chosen > self._floors[hopeful, np.newaxis]
        if is_better.sum() > POOL_FACTOR * self._top * len(hopeful):  # so many are not worth sorting
            border = np.partition(chosen, -self._top, axis=1)[:, -self._top, np.newaxis]
            is_better &= chosen >= border  # `top` of this block alone are not below
        places, columns = np.divmod(np.flatnonzero(is_better), is_better.shape[1])  # 9 times as fast as nonzero
        self._waiting.append(_Found(hopeful[places], first + columns, chosen[places, columns]))
        if sum(len(found.ids) for found in self._waiting) >= self._top * len(self._floors):
            self._sort()

    def united(self, others: Sequence["_TopK"]) -> Answers:
        """Return each query's ids and scores, best first, those of `others` taken in."""
        for other in others:
            self._waiting += other.found
        self._sort()
        borders = np.searchsorted(self._sorted.queries, np.arange(len(self._floors) + 1)).tolist()
        return [(self._sorted.ids[first:end], self._sorted.scores[first:end]) for first, end in pairwise(borders)]

    def _sort(self) -> None:
        """Sort in what waits, and keep the best."""
        queries, ids, scores = (np.concatenate(arrays) for arrays in zip(*self.found, strict=True))
        order = np.lexsort((ids, -scores, queries))
        queries, ids, scores = queries[order], ids[order], scores[order]
        rank = np.arange(len(queries)) - np.searchsorted(queries, queries)
        is_last, is_kept = rank == self._top - 1, rank < self._top
        self._floors[queries[is_last]] = scores[is_last]
        self._sorted = _Found(queries[is_kept], ids[is_kept], scores[is_kept])
        self._waiting = []


def _strike_out(scores: FloatArray, columns: WordIds) -> None:
    """Put -inf where `columns` (Q, X) name a column of `scores` (Q, R); others are of other blocks."""
    queries, places = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[queries, columns[queries, places]] = -np.inf
