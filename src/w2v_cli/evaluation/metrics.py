"""Measures of word vectors: analogies answered as expected, and rank correlation with human similarity ratings."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.evaluation.intervals import Interval, correlation_interval, share_interval
from w2v_cli.evaluation.lookup import KnownWords, find_among
from w2v_cli.evaluation.sets import AnalogySection, EvaluationSet, WordPair
from w2v_cli.queries import AnalogyMethod, WordIds, read_unit_rows
from w2v_cli.vectors import KeyedVectors

SYNTACTIC = "gram"  # the beginning of syntactic sections in questions-words.txt: gram1-adjective-to-adverb, …

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class AnalogySectionScore:
    """The score of one or several sections: questions answered as expected, asked, and skipped for unknown words."""

    name: str
    correct: int
    asked: int
    skipped: int

    @property
    def accuracy(self) -> float | None:
        """The share of the questions asked that were answered as expected; None if none was asked."""
        return self.correct / self.asked if self.asked else None

    @property
    def interval(self) -> Interval | None:
        """The 95 % confidence interval of the accuracy."""
        return share_interval(self.correct, self.asked)

    @property
    def coverage(self) -> float | None:
        """The share of all questions that were asked; None if there are none."""
        total = self.asked + self.skipped
        return self.asked / total if total else None


@dataclass(frozen=True)
class AnalogyScore:
    """The scores of all sections and their sums."""

    sections: tuple[AnalogySectionScore, ...]

    @property
    def total(self) -> AnalogySectionScore:
        """All questions together."""
        return _add_up("total", self.sections)

    @property
    def groups(self) -> tuple[AnalogySectionScore, ...]:
        """The semantic and the syntactic questions, divided as by Mikolov et al. 2013a; empty without both kinds."""
        syntactic = [section for section in self.sections if section.name.startswith(SYNTACTIC)]
        semantic = [section for section in self.sections if not section.name.startswith(SYNTACTIC)]
        if not (semantic and syntactic):
            return ()
        return _add_up("semantic", semantic), _add_up("syntactic", syntactic)


@dataclass(frozen=True)
class CorrelationScore:
    """Spearman's rank correlation over `asked` pairs, None if not defined; `skipped` pairs have an unknown word."""

    correlation: float | None
    asked: int
    skipped: int

    @property
    def interval(self) -> Interval | None:
        """The 95 % confidence interval of the correlation."""
        return correlation_interval(self.correlation, self.asked)

    @property
    def coverage(self) -> float | None:
        """The share of all pairs that were compared; None if there are none."""
        total = self.asked + self.skipped
        return self.asked / total if total else None


def analogy_accuracy(
    word_vectors: KeyedVectors,
    sections: Sequence[AnalogySection],
    *,
    method: AnalogyMethod = "add",
    restrict: int | None = None,
    ignore_case: bool = False,
) -> AnalogyScore:
    """Count the questions whose best answer is the expected word, with a, b and c excluded.

    A word is looked up as written, then casefolded; a question with an unknown word is skipped. As in word2vec's
    compute-accuracy and in gensim, a question that expects a, b or c counts as asked and cannot be answered.

    NOTE: gensim by default restricts to 300,000 words and ignores case, by upper case.

    Args:
        word_vectors: V words and their vectors.
        sections: The questions.
        method: The score of answers, see `queries.search.sum_scorer`.
        restrict: Only this many of the most frequent words are known and can be answers.
        ignore_case: Whether words that differ in case alone are the same: the most frequent is asked, all can answer.

    Returns:
        The scores of the sections.
    """
    words = EvaluationSet("", sections=tuple(sections)).words
    known = find_among(words, word_vectors, restrict=restrict, ignore_case=ignore_case)
    return score_analogies(known, sections, method=method)


def score_analogies(
    known: KnownWords,
    sections: Sequence[AnalogySection],
    *,
    method: AnalogyMethod = "add",
    threads: int = 1,
    on_share: Callable[[float], object] = lambda _share: None,
) -> AnalogyScore:
    """Return the scores of questions whose words have been looked up; call on_share with the share done."""
    from w2v_cli.evaluation.analogies_numba import first_answers  # noqa: PLC0415  pairs need no Numba

    encoded = [_encode_all(known, section) for section in sections]
    word_ids = np.concatenate([np.empty((0, 4), np.int64), *encoded])
    questions = word_ids[:, :3]
    answers = first_answers(
        known.vectors, questions, method=method, excluded=known.all_cases(questions), threads=threads, on_share=on_share
    )
    is_correct = known.first_cases(answers) == word_ids[:, 3]
    borders = [0, *accumulate(len(ids) for ids in encoded)]
    return AnalogyScore(
        tuple(
            AnalogySectionScore(
                section.name, int(is_correct[first:last].sum()), last - first, len(section.questions) - (last - first)
            )
            for section, (first, last) in zip(sections, pairwise(borders), strict=True)
        )
    )


def similarity_correlation(
    word_vectors: KeyedVectors, pairs: Sequence[WordPair], *, restrict: int | None = None, ignore_case: bool = False
) -> CorrelationScore:
    """Compute Spearman's rank correlation of cosines with human ratings; a pair with an unknown word is skipped.

    Args:
        word_vectors: V words and their vectors.
        pairs: Two words and their rating each.
        restrict: Only this many of the most frequent words are known.
        ignore_case: Whether words that differ in case alone are the same.

    Returns:
        The correlation, see `rank_correlation`, and how many pairs were compared.
    """
    words = EvaluationSet("", pairs=tuple(pairs)).words
    return score_pairs(find_among(words, word_vectors, restrict=restrict, ignore_case=ignore_case), pairs)


def score_pairs(known: KnownWords, pairs: Sequence[WordPair]) -> CorrelationScore:
    """Return the rank correlation of pairs for words that have been looked up."""
    asked = [(ids, pair[2]) for pair in pairs if (ids := known.encode(pair[:2])) is not None]
    word_ids = np.array([ids for ids, _ in asked], np.int64).reshape(-1, 2)
    rows = read_unit_rows(known.vectors, word_ids)  # (P, 2, D)
    cosines = np.einsum("pd,pd->p", rows[:, 0], rows[:, 1])
    correlation = rank_correlation(cosines, np.array([rating for _, rating in asked]))
    return CorrelationScore(correlation, asked=len(asked), skipped=len(pairs) - len(asked))


def rank_correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Return Spearman's ρ, Pearson's correlation of the ranks (Spearman 1904); ties share their average rank.

    None if not defined: for fewer than two values, and if all values of one side are equal.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    if len(first) < 2:  # noqa: PLR2004  one pair has no order
        return None
    x, y = _rank(first), _rank(second)
    x, y = x - x.mean(), y - y.mean()
    scale = math.sqrt((x @ x) * (y @ y))
    return float(x @ y) / scale if scale else None


def _encode_all(known: KnownWords, section: AnalogySection) -> WordIds:
    """Return the word ids (Q, 4) of the questions whose words are all known."""
    encoded = [ids for question in section.questions if (ids := known.encode(question)) is not None]
    return np.array(encoded, np.int64).reshape(-1, 4)


def _add_up(name: str, sections: Sequence[AnalogySectionScore]) -> AnalogySectionScore:
    """Return the score of several sections as one."""
    return AnalogySectionScore(
        name,
        correct=sum(section.correct for section in sections),
        asked=sum(section.asked for section in sections),
        skipped=sum(section.skipped for section in sections),
    )


def _rank(values: FloatArray) -> NDArray[np.float64]:
    """Return the rank of each value (N,), from 1; equal values share their average rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks
