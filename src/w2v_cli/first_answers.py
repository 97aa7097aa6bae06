"""The first answers to many analogy questions in one pass over the rows (Numba).

Questions have few different words: questions-words.txt asks 19,544 times with 905 of them. So the products of these
words with a block of rows are computed once, and a question's scores in the block are sums of three of its rows.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.compiled import njit
from w2v_cli.queries import FloatArray, WordIds, read_unit_rows
from w2v_cli.vectors import Matrix

BLOCK_ROWS = 1024  # with the products of a thousand words 4 MB
_ANY_ORDER = {"nnan", "nsz", "reassoc"}  # scores are finite, and the largest is the same in any order


def first_answers(vectors: Matrix, questions: WordIds, *, threads: int = 1) -> WordIds:
    """Return the id (Q,) of the best answer to each question "a is to b as c is to …", -1 where no word is left.

    questions: (Q, 3) word ids of a, b and c, which do not answer. The best is the row x of the largest
    cos(x, b - a + c), a, b and c of unit length: 3CosAdd, Mikolov et al. 2013c; ties go to the lower id. Since
    |b - a + c| is the same for all x, x̂·b̂ - x̂·â + x̂·ĉ has its maximum at the same row.
    """
    word_ids, places = np.unique(questions, return_inverse=True)  # NumPy 2.0 gives flat places, 2.1 shaped ones
    words, places = read_unit_rows(vectors, word_ids), places.reshape(questions.shape)
    best, answers = np.full(len(questions), -np.inf, np.float32), np.full(len(questions), -1, np.int64)
    borders = np.linspace(0, len(questions), threads + 1).astype(int).tolist()
    parts = [slice(*border) for border in pairwise(borders)]
    with ThreadPoolExecutor(threads, thread_name_prefix="w2v-answers") as pool:
        for first in range(0, len(vectors), BLOCK_ROWS):
            products = words @ read_unit_rows(vectors, slice(first, first + BLOCK_ROWS)).T  # (words, R)
            look = partial(_look, products, questions, places, first, best, answers)
            list(pool.map(look, parts))
    return answers


def _look(
    products: FloatArray,
    questions: WordIds,
    places: WordIds,
    first: int,
    best: FloatArray,
    answers: WordIds,
    part: slice,
) -> None:
    """Look for better answers to a part of the questions in a block of rows, from `first` on."""
    scores = np.empty(products.shape[1], np.float32)
    _look_in_block(products, questions[part], places[part], first, best[part], answers[part], scores)


@njit(fastmath=_ANY_ORDER)
def _look_in_block(
    products: Any, questions: Any, places: Any, first: int, best: Any, answers: Any, scores: NDArray[np.float32]
) -> None:
    """Do it; places: (Q, 3), the questions' words as rows of products; scores: (R,), to work in."""
    for q in range(len(questions)):
        a, b, c = products[places[q, 0]], products[places[q, 1]], products[places[q, 2]]
        for r in range(len(scores)):
            scores[r] = b[r] - a[r] + c[r]
        highest = scores[0]
        for r in range(1, len(scores)):
            highest = max(highest, scores[r])
        if highest <= best[q]:
            continue
        for k in range(3):
            own = questions[q, k] - first
            if 0 <= own < len(scores):
                scores[own] = -np.inf
        for r in range(len(scores)):
            if scores[r] > best[q]:
                best[q], answers[q] = scores[r], first + r
