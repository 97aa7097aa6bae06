"""Questions to word vectors as sums of words: the words nearest to a word, analogies, and many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import ConfigError, option
from w2v_cli.queries.expression import Sum, Term
from w2v_cli.queries.rows import FloatArray, WordIds, cosines, iterate_blocks, products, read_rows, read_unit_rows, unit
from w2v_cli.queries.top_k import ScoreBlock, nearest
from w2v_cli.vectors.keyed_vectors import KeyedVectors, Matrix

__all__ = [
    "AnalogyMethod",
    "FloatArray",
    "Neighbour",
    "Search",
    "WordIds",
    "analogy",
    "analogy_scorer",
    "answer_all",
    "iterate_blocks",
    "nearest",
    "read_unit_rows",
    "similar",
    "sum_scorer",
]

MUL_EPSILON = 0.001  # as in Levy & Goldberg 2014: keeps the quotient finite
QUESTIONS_AT_ONCE = 1024  # their answers are held at a time
_ANALOGY = np.array([[-1, 1, 1]])  # the signs of a, b and c

AnalogyMethod = Literal["add", "mul", "dot"]
Signs = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbour:
    """A word and how near it is: a cosine in [-1, 1], but the method's own score by `mul` and `dot`."""

    word: str
    score: float


@dataclass(frozen=True)
class Search:
    """How to look for answers: how many, by which method, and among which words, on how many threads.

    min_count: only words that occur so often answer; restrict: only so many of the most frequent ones, which are the
    first of the file where it has no counts. Raises ConfigError for numbers below 1 and for an unknown method.
    """

    top: int = 10
    method: AnalogyMethod = "add"
    min_count: int | None = None
    restrict: int | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        for name, number in (("top", self.top), ("min_count", self.min_count), ("restrict", self.restrict)):
            if number is not None and number < 1:
                raise ConfigError(f"{name} must be at least 1, was {number}.")
        if self.method not in get_args(AnalogyMethod):
            raise ConfigError(f"the analogy method {self.method!r} is none of {', '.join(get_args(AnalogyMethod))}.")


def similar(word_vectors: KeyedVectors, word: str, *, top: int = 10) -> list[Neighbour]:
    """Return the `top` words nearest to `word` by cosine, nearest first, `word` left out; ties go to the lower word id.

    A row of zeros has similarity 0 to all. Raises UnknownWordError, and ConfigError for a `top` below 1.
    """
    [answers] = answer_all(word_vectors, [Sum(word, (Term(word, 1),))], Search(top=top))
    return answers


def analogy(
    word_vectors: KeyedVectors, a: str, b: str, c: str, *, top: int = 5, method: AnalogyMethod = "add"
) -> list[Neighbour]:
    """Return the `top` answers to "a is to b as c is to …", best first, without a, b and c; ties go to the lower id.

    `analogy(vectors, "king", "man", "queen")` looks for "woman". `sum_scorer` defines the methods.
    Raises UnknownWordError, and ConfigError for a `top` below 1 or an unknown method.
    """
    [answers] = answer_all(word_vectors, [Sum.of_analogy(a, b, c)], Search(top=top, method=method))
    return answers


def answer_all(word_vectors: KeyedVectors, questions: Sequence[Sum], search: Search) -> list[list[Neighbour]]:
    """Return the answers to each question, best first, without its own words; ties go to the lower word id.

    One pass over the rows serves QUESTIONS_AT_ONCE of them. Raises UnknownWordError for the first unknown word, and
    ConfigError where `min_count` is asked of vectors without counts.
    """
    allowed = allowed_rows(word_vectors, search)
    answers = []
    for first in range(0, len(questions), QUESTIONS_AT_ONCE):
        terms, signs = encode(word_vectors, questions[first : first + QUESTIONS_AT_ONCE])
        scorer = sum_scorer(word_vectors.vectors, terms, signs, search.method)
        rows = word_vectors.vectors if allowed is None else word_vectors.vectors[: len(allowed)]
        found = nearest(rows, scorer, terms, search.top, allowed=allowed, threads=search.threads)
        answers += [_name(word_vectors, search, *one) for one in found]
    return answers


def allowed_rows(word_vectors: KeyedVectors, search: Search) -> NDArray[np.bool_] | None:
    """Return which rows may answer, up to the last of them; None for all."""
    if search.min_count is None and search.restrict is None:
        return None
    counts, allowed = word_vectors.counts, np.ones(len(word_vectors), np.bool_)
    if search.min_count is not None:
        if counts is None:
            raise ConfigError(
                f"{option('min_count')} needs the words' counts, and these vectors have none: use {option('restrict')}."
            )
        allowed &= counts >= search.min_count
    if search.restrict is not None:
        order = np.arange(len(allowed)) if counts is None else np.argsort(-counts, kind="stable")
        allowed[order[search.restrict :]] = False
    return allowed[: len(allowed) - int(allowed[::-1].argmax())] if allowed.any() else allowed[:0]


def encode(word_vectors: KeyedVectors, questions: Sequence[Sum]) -> tuple[WordIds, Signs]:
    """Return the word ids and the signs (Q, T) of the questions' terms, -1 and 0 where a question has fewer than T."""
    longest = max(len(question.terms) for question in questions)
    word_ids, signs = np.full((len(questions), longest), -1), np.zeros((len(questions), longest), np.int64)
    for row, question in enumerate(questions):
        word_ids[row, : len(question.terms)] = [word_vectors.word_id(term.word) for term in question.terms]
        signs[row, : len(question.terms)] = [term.sign for term in question.terms]
    return word_ids, signs


def analogy_scorer(vectors: Matrix, questions: WordIds, method: AnalogyMethod) -> ScoreBlock:
    """Return the function that scores rows x as answers to `questions`, (Q, 3) word ids of a, b and c: b - a + c."""
    return sum_scorer(vectors, questions, np.repeat(_ANALOGY, len(questions), axis=0), method)


def sum_scorer(vectors: Matrix, terms: WordIds, signs: Signs, method: AnalogyMethod) -> ScoreBlock:
    """Return the function that scores rows x as answers to Q sums of `terms` (Q, T) with their `signs` 1, -1 or 0.

    add  cos(x, Σ ±t), t of unit length                              3CosAdd: Mikolov et al. 2013c
    mul  Π s(x, t₊) / (Π s(x, t₋) + 0.001), s = (cos + 1)/2          3CosMul: Levy & Goldberg 2014
    dot  x · unit(Σ ±t), nothing else of unit length                 the book's; it favours long rows

    The quotient of mul has no divisor where nothing is subtracted.
    """
    rows = read_rows(vectors, terms)  # (Q, T, D)
    match method:
        case "add":
            target = unit(combine(unit(rows), signs))
            return lambda block: cosines(target, block)
        case "mul":
            flat = unit(rows).swapaxes(0, 1).reshape(-1, rows.shape[2])  # (TQ, D): each first term, each second, …
            return lambda block: _multiply(cosines(flat, block).reshape(*signs.T.shape, len(block)), signs)
        case "dot":
            target = unit(combine(rows, signs))
            return lambda block: products(target, block)
        case _:
            raise ConfigError(f"the analogy method {method!r} is none of {', '.join(get_args(AnalogyMethod))}.")


def combine(rows: FloatArray, signs: Signs) -> FloatArray:
    """Return the sums (Q, D) of `rows` (Q, T, D) with their `signs` (Q, T), added from left to right."""
    total: FloatArray = rows[:, 0] * signs[:, 0, np.newaxis].astype(np.float32)
    for place in range(1, rows.shape[1]):
        total += rows[:, place] * signs[:, place, np.newaxis].astype(np.float32)
    return total


def _multiply(cosines_of_terms: FloatArray, signs: Signs) -> FloatArray:
    """Return the scores (Q, R) of 3CosMul from the cosines (T, Q, R) with each term."""
    shifted = cosines_of_terms
    shifted *= np.float32(0.5)
    shifted += np.float32(0.5)  # into [0, 1]
    above, below = np.ones(shifted.shape[1:], np.float32), np.ones(shifted.shape[1:], np.float32)
    for factors, column in zip(shifted, signs.T, strict=True):
        above[column > 0] *= factors[column > 0]
        below[column < 0] *= factors[column < 0]
    has_divisor = (signs < 0).any(axis=1)
    above[has_divisor] /= below[has_divisor] + np.float32(MUL_EPSILON)
    return above


def _name(word_vectors: KeyedVectors, search: Search, ids: WordIds, scores: FloatArray) -> list[Neighbour]:
    """Return the answers with their words; cosines are in [-1, 1], whatever rounding made of them."""
    if search.method == "add":
        scores = np.clip(scores, -1, 1)
    answers = zip(ids.tolist(), scores.tolist(), strict=True)
    return [Neighbour(word_vectors.words[word_id], score) for word_id, score in answers]
