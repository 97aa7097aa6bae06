"""Queries of word vectors: neighbours, analogies, similarities, the odd one out, and vectors of sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import ConfigError, option
from w2v_cli.queries.expression import Sum
from w2v_cli.queries.rows import FloatArray, WordIds, cosines, products, read_rows, read_unit_rows, unit
from w2v_cli.queries.top_k import ScoreBlock, nearest
from w2v_cli.vectors import KeyedVectors, Matrix

MUL_EPSILON = 0.001  # keeps the quotient finite, as in Levy & Goldberg 2014
QUESTIONS_AT_ONCE = 1024  # questions that are answered in one pass over the rows
_FEWEST_WORDS = 3  # of two words, neither fits less

AnalogyMethod = Literal["add", "mul", "dot"]
Signs = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbour:
    """An answer to a query.

    Attributes:
        word: The word.
        score: Its cosine similarity in [-1, 1]; with the methods `mul` and `dot`, the score of the method.
    """

    word: str
    score: float


@dataclass(frozen=True)
class Search:
    """Options of a search.

    Args:
        top: The number of answers.
        method: The score of sums, see `sum_scorer`.
        min_count: Only words that occur at least this often can be answers.
        restrict: Only this many of the most frequent words can be answers; without counts, the first of the file.
        threads: The number of threads.

    Raises:
        ConfigError: A number is below 1, or the method is unknown.
    """

    top: int = 10
    method: AnalogyMethod = "add"
    min_count: int | None = None
    restrict: int | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        """Raise ConfigError for an invalid option."""
        for name, number in (("top", self.top), ("min_count", self.min_count), ("restrict", self.restrict)):
            if number is not None and number < 1:
                raise ConfigError(f"{name} must be at least 1, was {number}.")
        if self.method not in get_args(AnalogyMethod):
            raise ConfigError(
                f"unknown analogy method {self.method!r}; choose one of {', '.join(get_args(AnalogyMethod))}."
            )


def answer_all(word_vectors: KeyedVectors, questions: Sequence[Sum], search: Search) -> list[list[Neighbour]]:
    """Answer many questions, QUESTIONS_AT_ONCE of them in one pass over the rows.

    Args:
        word_vectors: V words and their vectors.
        questions: Sums of words.
        search: How many answers, by which method, among which words.

    Returns:
        For each question its answers, best first, without the question's own words; ties go to the lower word id.

    Raises:
        UnknownWordError: A question has an unknown word.
        ConfigError: `search.min_count` is set, and the vectors have no counts.
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


def similarity(word_vectors: KeyedVectors, a: Sum, b: Sum) -> float:
    """Return the cosine similarity of two words or sums, in [-1, 1]; words enter a sum at length 1.

    Args:
        word_vectors: V words and their vectors.
        a: A word or a sum.
        b: A word or a sum.

    Raises:
        UnknownWordError: A word is unknown.
    """
    first, second = unit_vector(word_vectors, a), unit_vector(word_vectors, b)
    return float(np.clip(first @ second, -1, 1))


def odd_one_out(word_vectors: KeyedVectors, words: Sequence[str]) -> list[Neighbour]:
    """Rank words by how well they fit together.

    Args:
        word_vectors: V words and their vectors.
        words: At least three different words.

    Returns:
        The different words and their cosines with the mean of all, the odd one first, equals in the order given. The
        mean is that of the rows at length 1, as in gensim's `doesnt_match`.

    Raises:
        UnknownWordError: A word is unknown.
        ConfigError: There are fewer than three different words.
    """
    different = list(dict.fromkeys(words))
    if len(different) < _FEWEST_WORDS:
        raise ConfigError(f"finding the odd one takes at least three different words; you gave only {len(different)}.")
    rows = read_unit_rows(word_vectors.vectors, np.array([word_vectors.word_id(word) for word in different]))
    similarities = np.clip(rows @ unit(rows.mean(axis=0, keepdims=True))[0], -1, 1)
    order = np.argsort(similarities, kind="stable").tolist()
    return [Neighbour(different[place], float(similarities[place])) for place in order]


def unit_vector(word_vectors: KeyedVectors, question: Sum) -> FloatArray:
    """Return the unit vector that a search compares rows with.

    Args:
        word_vectors: V words and their vectors.
        question: A word or a sum.

    Returns:
        (D,) float32: the sum of the rows at length 1, scaled to length 1.

    Raises:
        UnknownWordError: A word is unknown.
    """
    word_ids, signs = encode(word_vectors, [question])
    vector: FloatArray = unit(combine(read_unit_rows(word_vectors.vectors, word_ids), signs))[0]
    return vector


def plain_vector(word_vectors: KeyedVectors, question: Sum) -> FloatArray:
    """Return the vector of a word as stored, or the sum of such vectors.

    Args:
        word_vectors: V words and their vectors.
        question: A word or a sum.

    Returns:
        (D,) in the type of the file for a word, float32 for a sum.

    Raises:
        UnknownWordError: A word is unknown.
    """
    if question.is_word:
        row: FloatArray = word_vectors.vectors[word_vectors.word_id(question.terms[0].word)]
        return row
    word_ids, signs = encode(word_vectors, [question])
    vector: FloatArray = combine(read_rows(word_vectors.vectors, word_ids), signs)[0]
    return vector


def allowed_rows(word_vectors: KeyedVectors, search: Search) -> NDArray[np.bool_] | None:
    """Return a mask of the rows that can be answers.

    Args:
        word_vectors: V words and their vectors.
        search: The limits `min_count` and `restrict`.

    Returns:
        A mask (R,) that ends with the last allowed row; None allows all rows.

    Raises:
        ConfigError: `search.min_count` is set, and the vectors have no counts.
    """
    if search.min_count is None and search.restrict is None:
        return None
    counts, allowed = word_vectors.counts, np.ones(len(word_vectors), np.bool_)
    if search.min_count is not None:
        if counts is None:
            raise ConfigError(
                f"{option('min_count')} needs counts, and these vectors have none; use {option('restrict')}."
            )
        allowed &= counts >= search.min_count
    if search.restrict is not None:
        order = np.arange(len(allowed)) if counts is None else np.argsort(-counts, kind="stable")
        allowed[order[search.restrict :]] = False
    return allowed[: len(allowed) - int(allowed[::-1].argmax())] if allowed.any() else allowed[:0]


def encode(word_vectors: KeyedVectors, questions: Sequence[Sum]) -> tuple[WordIds, Signs]:
    """Return the word ids and the signs (Q, T) of the terms of Q questions; -1 and 0 are padding."""
    longest = max(len(question.terms) for question in questions)
    word_ids, signs = np.full((len(questions), longest), -1), np.zeros((len(questions), longest), np.int64)
    for row, question in enumerate(questions):
        word_ids[row, : len(question.terms)] = [word_vectors.word_id(term.word) for term in question.terms]
        signs[row, : len(question.terms)] = [term.sign for term in question.terms]
    return word_ids, signs


def sum_scorer(vectors: Matrix, terms: WordIds, signs: Signs, method: AnalogyMethod) -> ScoreBlock:
    """Return a function that scores rows x as answers to Q sums of terms t.

    add  cos(x, Σ ±t), t of unit length                              3CosAdd: Mikolov et al. 2013c
    mul  Π s(x, t₊) / (Π s(x, t₋) + 0.001), s = (cos + 1)/2          3CosMul: Levy & Goldberg 2014
    dot  x · unit(Σ ±t), x and t of any length                       the book's; favours long rows

    mul does not divide if nothing is subtracted.

    Args:
        vectors: (V, D), the rows of the terms.
        terms: (Q, T) word ids, -1 for padding.
        signs: (Q, T), 1, -1 or 0 for padding.
        method: The score, as above.

    Returns:
        A function from rows (R, D) float32 to their scores (Q, R).

    Raises:
        ConfigError: The method is unknown.
    """
    rows = read_rows(vectors, terms)  # (Q, T, D)
    match method:
        case "add":
            target = unit(combine(unit(rows), signs))
            return lambda block: cosines(target, block)
        case "mul":
            flat = unit(rows).swapaxes(0, 1).reshape(-1, rows.shape[2])  # (TQ, D): all first terms, all second terms, …
            return lambda block: _multiply(cosines(flat, block).reshape(*signs.T.shape, len(block)), signs)
        case "dot":
            target = unit(combine(rows, signs))
            return lambda block: products(target, block)
        case _:
            raise ConfigError(f"unknown analogy method {method!r}; choose one of {', '.join(get_args(AnalogyMethod))}.")


def combine(rows: FloatArray, signs: Signs) -> FloatArray:
    """Return the sums (Q, D) of `rows` (Q, T, D) times their `signs` (Q, T), added from left to right."""
    total: FloatArray = rows[:, 0] * signs[:, 0, np.newaxis].astype(np.float32)
    for place in range(1, rows.shape[1]):
        total += rows[:, place] * signs[:, place, np.newaxis].astype(np.float32)
    return total


def _multiply(cosines_of_terms: FloatArray, signs: Signs) -> FloatArray:
    """Return the scores (Q, R) of 3CosMul from the cosines (T, Q, R) with the terms; overwrites them."""
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
    """Return the answers with their words, and cosines that rounding has moved beyond [-1, 1] clipped."""
    if search.method == "add":
        scores = np.clip(scores, -1, 1)
    answers = zip(ids.tolist(), scores.tolist(), strict=True)
    return [Neighbour(word_vectors.words[word_id], score) for word_id, score in answers]
