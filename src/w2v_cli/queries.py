"""Questions to word vectors, answered by blocks of rows: the words nearest to a word, and analogies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import ConfigError
from w2v_cli.vectors import Matrix, WordVectors

BLOCK_BYTES = 1 << 20  # float32 rows of one block: they stay in the second-level cache
BLOCK_ROWS = 4096  # bounds the scores of a block where rows are short
FEW_QUERIES = 4  # up to here a plain loop costs no more than BLAS
MUL_EPSILON = 0.001  # as in Levy & Goldberg 2014: keeps the quotient finite

AnalogyMethod = Literal["add", "mul", "dot"]
FloatArray = NDArray[np.float32]
WordIds = NDArray[np.int64]
ScoreBlock = Callable[[FloatArray], FloatArray]  # rows (R, D) -> scores (Q, R)


@dataclass(frozen=True)
class Neighbour:
    """A word and how near it is: a cosine in [-1, 1], but the method's own score for analogies by `mul` and `dot`."""

    word: str
    score: float


def similar(word_vectors: WordVectors, word: str, *, top: int = 10) -> list[Neighbour]:
    """Return the `top` words nearest to `word` by cosine, nearest first, `word` left out; ties go to the lower word id.

    A row of zeros has similarity 0 to all. Raises UnknownWordError, and ConfigError for a `top` below 1.
    """
    word_ids = np.array([[word_vectors.word_id(word)]])  # (1, 1)
    query = read_unit_rows(word_vectors.vectors, word_ids[:, 0])
    return _answer(word_vectors, lambda block: _cosines(query, block), word_ids, top)


def analogy(
    word_vectors: WordVectors, a: str, b: str, c: str, *, top: int = 5, method: AnalogyMethod = "add"
) -> list[Neighbour]:
    """Return the `top` answers to "a is to b as c is to …", best first, without a, b and c; ties go to the lower id.

    `analogy(vectors, "king", "man", "queen")` looks for "woman". `analogy_scorer` defines the methods.
    Raises UnknownWordError, and ConfigError for a `top` below 1 or an unknown method.
    """
    question = np.array([[word_vectors.word_id(word) for word in (a, b, c)]])  # (1, 3)
    return _answer(word_vectors, analogy_scorer(word_vectors.vectors, question, method), question, top)


def analogy_scorer(vectors: Matrix, questions: WordIds, method: AnalogyMethod) -> ScoreBlock:
    """Return the function that scores rows x as answers to `questions`, (Q, 3) word ids of a, b and c.

    add  cos(x, b - a + c), a, b, c of unit length              3CosAdd: Mikolov et al. 2013c
    mul  s(x, b) s(x, c) / (s(x, a) + 0.001), s = (cos + 1)/2   3CosMul: Levy & Goldberg 2014
    dot  x · unit(b - a + c), nothing else of unit length       the book's; it favours long rows
    """
    rows = _read_rows(vectors, questions)  # (Q, 3, D)
    match method:
        case "add":
            target = _unit(_combine(_unit(rows)))
            return lambda block: _cosines(target, block)
        case "mul":
            terms = _unit(rows).swapaxes(0, 1).reshape(-1, rows.shape[2])  # (3Q, D): each a, each b, each c
            return lambda block: _multiply(_cosines(terms, block))
        case "dot":
            target = _unit(_combine(rows))
            return lambda block: _products(target, block)
        case _:
            raise ConfigError(f"the analogy method {method!r} is none of {', '.join(get_args(AnalogyMethod))}.")


def nearest(vectors: Matrix, score_block: ScoreBlock, excluded: WordIds, top: int) -> list[tuple[WordIds, FloatArray]]:
    """Return for each of Q queries the ids and scores of the `top` rows that score highest, ties by lower id.

    `excluded` (Q, X) are word ids that may not answer. A query's answers are fewer than `top` where rows run out.
    Takes memory for one block and Q answers, never for all rows.
    """
    answers = [(np.empty(0, np.int64), np.empty(0, np.float32))] * len(excluded)
    floors = np.full(len(excluded), -np.inf, np.float32)  # what a row must exceed to be among a query's best
    for first, block in iterate_blocks(vectors):
        scores = score_block(block)  # (Q, R)
        _strike_out(scores, excluded - first)
        for query in np.flatnonzero(scores.max(axis=1) > floors):
            ids, kept = answers[query]
            found = np.flatnonzero(scores[query] > floors[query])
            pool = np.concatenate((ids, first + found)), np.concatenate((kept, scores[query, found]))
            answers[query] = ids, kept = _keep_best(*pool, top)
            if len(kept) == top:
                floors[query] = kept.min()
    return [_sort(ids, kept) for ids, kept in answers]


def iterate_blocks(vectors: Matrix) -> Iterator[tuple[int, FloatArray]]:
    """Yield the first row's number and the rows (R, D) of each block as float32; the next block overwrites them."""
    size = max(1, min(BLOCK_ROWS, BLOCK_BYTES // (4 * vectors.shape[1])))
    buffer = np.empty((size, vectors.shape[1]), np.float32)
    for first in range(0, len(vectors), size):
        rows = vectors[first : first + size]
        block = buffer[: len(rows)]
        _widen(rows, block)
        yield first, block


def read_unit_rows(vectors: Matrix, word_ids: WordIds | slice) -> FloatArray:
    """Return the rows of `word_ids`, of whatever shape, as float32 (…, D) of length 1; zeros stay zeros."""
    return _unit(_read_rows(vectors, word_ids))


def _widen(rows: Matrix, out: FloatArray) -> None:
    """Copy finite `rows` to float32 `out`, exactly; float16 by whole-array bit moves, 4 times as fast as NumPy's cast.

    A float16's sign, exponent and mantissa, 13 bits further up, are a float32 with the exponent 127 - 15 too low.
    """
    if rows.dtype != np.float16:
        out[...] = rows
        return
    bits = out.view(np.int32)
    bits[...] = rows.view(np.dtype(np.int16).newbyteorder(rows.dtype.byteorder))  # the sign fills the upper half
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, ~0x70001FFF, out=bits)  # one sign bit stays of the four
    np.multiply(out, np.float32(2.0**112), out=out)


def _answer(word_vectors: WordVectors, score_block: ScoreBlock, excluded: WordIds, top: int) -> list[Neighbour]:
    """Return the answers to the one query that `score_block` scores."""
    if top < 1:
        raise ConfigError(f"--top must be at least 1, was {top}.")
    [(ids, scores)] = nearest(word_vectors.vectors, score_block, excluded, top)
    answers = zip(ids.tolist(), scores.tolist(), strict=True)
    return [Neighbour(word_vectors.words[word_id], score) for word_id, score in answers]


def _read_rows(vectors: Matrix, word_ids: WordIds | slice) -> FloatArray:
    """Return the rows of `word_ids`, of whatever shape, as float32 (…, D)."""
    return vectors[word_ids].astype(np.float32)


def _unit(rows: FloatArray) -> FloatArray:
    """Return `rows` (…, D) at length 1; a row of zeros stays as it is."""
    return rows / _lengths(rows)[..., np.newaxis]


def _lengths(rows: FloatArray) -> FloatArray:
    """Return the Euclidean length of each row (…,), 1 for a row of zeros: it is divided by."""
    lengths: FloatArray = np.sqrt(np.einsum("...d,...d->...", rows, rows))
    lengths[lengths == 0] = 1
    return lengths


def _combine(rows: FloatArray) -> FloatArray:
    """Return b - a + c (Q, D) of `rows` (Q, 3, D)."""
    return rows[:, 1] - rows[:, 0] + rows[:, 2]


def _products(queries: FloatArray, block: FloatArray) -> FloatArray:
    """Return the dot products (Q, R) of `queries` (Q, D) and the rows of `block` (R, D).

    BLAS treats the rows at the edge of a block in another order than the rest, so that equal rows differ in the last
    bit; for a few queries each row goes through the same loop, and equal rows tie.
    """
    if len(queries) > FEW_QUERIES:
        return queries @ block.T
    return np.stack([np.einsum("rd,d->r", block, query) for query in queries])


def _cosines(unit_queries: FloatArray, block: FloatArray) -> FloatArray:
    """Return the cosines (Q, R) of queries of length 1 (or 0) and the rows of `block`."""
    cosines = _products(unit_queries, block)
    cosines /= _lengths(block)
    return np.clip(cosines, -1, 1, out=cosines)


def _multiply(cosines: FloatArray) -> FloatArray:
    """Return the scores (Q, R) of 3CosMul from the cosines (3Q, R) with each a, each b and each c."""
    half = np.float32(0.5)
    a, b, c = (cosines * half + half).reshape(3, -1, cosines.shape[1])  # shifted into [0, 1]
    scores: FloatArray = b * c / (a + np.float32(MUL_EPSILON))
    return scores


def _strike_out(scores: FloatArray, columns: WordIds) -> None:
    """Put -inf where `columns` (Q, X) name a column of `scores` (Q, R); others are of other blocks."""
    queries, places = np.nonzero((columns >= 0) & (columns < scores.shape[1]))
    scores[queries, columns[queries, places]] = -np.inf


def _keep_best(ids: WordIds, scores: FloatArray, top: int) -> tuple[WordIds, FloatArray]:
    """Return the `top` highest `scores` with their ids in the order given; among equals at the border the first."""
    if len(scores) <= top:
        return ids, scores
    border = np.partition(scores, -top)[-top]
    keep = scores > border
    equals = np.flatnonzero(scores == border)
    keep[equals[: top - np.count_nonzero(keep)]] = True
    return ids[keep], scores[keep]


def _sort(ids: WordIds, scores: FloatArray) -> tuple[WordIds, FloatArray]:
    """Return both by falling score; rising ids stay rising among equals."""
    order = np.argsort(-scores, kind="stable")
    return ids[order], scores[order]
