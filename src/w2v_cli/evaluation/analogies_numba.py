"""The best answers to many analogy questions in one pass over the rows (Numba).

Questions share words: the 19,544 questions of questions-words.txt have 905 different words. So the products of these
words with a block of rows are computed once, and a question's scores in the block are computed from three of them.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import njit
from w2v_cli.queries import MUL_EPSILON, AnalogyMethod, FloatArray, WordIds, iterate_float32, read_rows, unit
from w2v_cli.vectors import Matrix

TASK_ROWS = 1 << 15  # of a task at most: between tasks, signals are handled and progress is reported
LEAST_TASK_ROWS = 1 << 11
MOST_WORDS = 4096  # different words of a pass: their products with a block of rows take 4 MB
_BLOCKS_IN_CACHE = 4  # blocks are so much shorter than for products alone, as each product is read many times
_ANY_ORDER = {"nnan", "nsz", "reassoc"}  # scores are not NaN, and the maximum does not depend on the order


class _Questions(NamedTuple):
    """Q questions with W different words.

    Attributes:
        words: (W, D) the vectors of the words.
        places: (Q, 3) the rows of a, b and c in `words`.
        excluded: (Q, X) ids that cannot be answers, -1 for none.
    """

    words: FloatArray
    places: WordIds
    excluded: WordIds


class _Best(NamedTuple):
    """The highest score so far of each question (Q,), and the id of its row, -1 for none."""

    scores: FloatArray
    answers: WordIds

    @classmethod
    def none(cls, questions: int) -> "_Best":
        """Return the state before the first row."""
        return cls(np.full(questions, -np.inf, np.float32), np.full(questions, -1, np.int64))


def first_answers(
    vectors: Matrix,
    questions: WordIds,
    *,
    method: AnalogyMethod = "add",
    excluded: WordIds | None = None,
    threads: int = 1,
    on_share: Callable[[float], object] = lambda _share: None,
) -> WordIds:
    """Answer many questions "a is to b as c is to …".

    The best answer is the row x with the largest score of `queries.search.sum_scorer`, ties by lower id. Since
    |b - a + c| does not depend on x, add has its maximum where x·b - x·a + x·c has it for rows at length 1, and dot
    where it has it for rows as they are.

    Args:
        vectors: (V, D) the rows.
        questions: (Q, 3) the word ids of a, b and c.
        method: The score, see `queries.search.sum_scorer`.
        excluded: (Q, X) word ids that cannot be answers of a question, -1 for none; None excludes a, b and c.
        threads: The number of threads.
        on_share: Called in this thread with the share of the work that is done.

    Returns:
        (Q,) the id of the best answer, -1 if every word is excluded.
    """
    answers = np.empty(len(questions), np.int64)
    for part in _group(questions):

        def on_rows(rows: int, part: slice = part) -> None:
            on_share((part.start + rows / len(vectors) * (part.stop - part.start)) / len(questions))

        word_ids, places = np.unique(questions[part], return_inverse=True)
        words = read_rows(vectors, word_ids)
        own = questions if excluded is None else excluded
        asked = _Questions(  # NumPy 2.0 gives flat places, 2.1 shaped ones
            words if method == "dot" else unit(words), places.reshape(-1, 3), np.ascontiguousarray(own[part])
        )
        answers[part] = _search(vectors, asked, method, threads, on_rows)
    return answers


def _group(questions: WordIds) -> Iterator[slice]:
    """Yield parts of the questions with at most MOST_WORDS different words."""
    first, words = 0, set[int]()
    for place, question in enumerate(questions.tolist()):
        words.update(question)
        if len(words) > MOST_WORDS and place > first:
            yield slice(first, place)
            first, words = place, set(question)
    if words:
        yield slice(first, len(questions))


def _search(
    vectors: Matrix, asked: _Questions, method: AnalogyMethod, threads: int, on_rows: Callable[[int], object]
) -> WordIds:
    """Return the answers to some questions; call on_rows with the number of rows searched."""
    size = min(TASK_ROWS, max(LEAST_TASK_ROWS, -(-len(vectors) // (4 * threads))))
    parts = [range(first, min(first + size, len(vectors))) for first in range(0, len(vectors), size)]
    best = _Best.none(len(asked.places))
    pool = ThreadPoolExecutor(threads, thread_name_prefix="w2v-answers")
    try:
        found = pool.map(lambda rows: _search_rows(vectors, rows, asked, method), parts)
        for rows, other in zip(parts, found, strict=True):
            is_better = other.scores > best.scores  # ties keep the earlier, lower id
            best.scores[is_better], best.answers[is_better] = other.scores[is_better], other.answers[is_better]
            on_rows(rows.stop)
    finally:
        pool.shutdown(cancel_futures=True)  # after a signal, parts that have not begun are dropped
    return best.answers


def _search_rows(vectors: Matrix, rows: range, asked: _Questions, method: AnalogyMethod) -> _Best:
    """Return the best answers in a range of rows."""
    best = _Best.none(len(asked.places))
    for first, block in iterate_float32(vectors, rows=rows, queries=_BLOCKS_IN_CACHE * len(asked.words)):
        multiplied = asked.words @ (block if method == "dot" else unit(block)).T  # (W, R)
        divisors = multiplied
        if method == "mul":
            multiplied += 1
            multiplied *= np.float32(0.5)
            divisors = 1 / (multiplied + np.float32(MUL_EPSILON))
        scores = np.empty(len(block), np.float32)
        _search_block(multiplied, divisors, method == "mul", asked.places, asked.excluded, first, *best, scores)
    return best


@njit(fastmath=_ANY_ORDER)
def _score(
    a: Any,
    b: Any,
    c: Any,
    is_product: bool,  # noqa: FBT001  compiled functions take positional arguments
    scores: NDArray[np.float32],
) -> None:
    """Write the scores (R,) of a block of rows: b - a + c, or b * c * a."""
    if is_product:
        for r in range(len(scores)):
            scores[r] = b[r] * c[r] * a[r]
    else:
        for r in range(len(scores)):
            scores[r] = b[r] - a[r] + c[r]


@njit(fastmath=_ANY_ORDER)
def _search_block(
    products: Any,
    divisors: Any,
    is_product: bool,  # noqa: FBT001  as above
    places: Any,
    excluded: Any,
    first: int,
    best: Any,
    answers: Any,
    scores: NDArray[np.float32],
) -> None:
    """Update the best answers with a block of rows, the first of which has the id `first`; scores: (R,) scratch space.

    products, divisors: (W, R) for the words of the questions; b and c are rows of products, a is a row of divisors.
    """
    for q in range(len(places)):
        _score(divisors[places[q, 0]], products[places[q, 1]], products[places[q, 2]], is_product, scores)
        highest = scores[0]
        for r in range(1, len(scores)):
            highest = max(highest, scores[r])
        if highest <= best[q]:
            continue
        for k in range(excluded.shape[1]):
            own = excluded[q, k] - first
            if 0 <= own < len(scores):
                scores[own] = -np.inf
        for r in range(len(scores)):
            if scores[r] > best[q]:
                best[q], answers[q] = scores[r], first + r
