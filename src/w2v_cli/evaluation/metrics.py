"""How good word vectors are: analogies answered, rank correlation with human judgement, and how much was covered."""

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
from w2v_cli.queries.search import AnalogyMethod, WordIds, read_unit_rows
from w2v_cli.vectors.keyed_vectors import KeyedVectors

SYNTACTIC = "gram"  # how sections of questions-words.txt begin that ask for grammar: gram1-adjective-to-adverb, …

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class AnalogySectionScore:
    """Of a section, or of several: questions `asked`, answered as expected (`correct`), `skipped` for a word."""

    name: str
    correct: int
    asked: int
    skipped: int

    @property
    def accuracy(self) -> float | None:
        """The share of the asked questions that were answered as expected; None where none was asked."""
        return self.correct / self.asked if self.asked else None

    @property
    def interval(self) -> Interval | None:
        """The 95 % confidence interval of the accuracy."""
        return share_interval(self.correct, self.asked)

    @property
    def coverage(self) -> float | None:
        """The share of all questions that were asked; None where there are none."""
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
        """Questions of meaning and questions of grammar, as Mikolov et al. 2013a part them; empty without both."""
        syntactic = [section for section in self.sections if section.name.startswith(SYNTACTIC)]
        semantic = [section for section in self.sections if not section.name.startswith(SYNTACTIC)]
        if not (semantic and syntactic):
            return ()
        return _add_up("semantic", semantic), _add_up("syntactic", syntactic)


@dataclass(frozen=True)
class CorrelationScore:
    """Spearman's rank correlation over `asked` pairs, None where it has no meaning; `skipped` had an unknown word."""

    correlation: float | None
    asked: int
    skipped: int

    @property
    def interval(self) -> Interval | None:
        """The 95 % confidence interval of the correlation."""
        return correlation_interval(self.correlation, self.asked)

    @property
    def coverage(self) -> float | None:
        """The share of all pairs that were compared; None where there are none."""
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
    """Return how many questions have the expected word as first answer, a, b and c left out.

    A question's word is looked up as it is, else casefolded; a question with an unknown word is skipped. `restrict`
    keeps only that many of the most frequent words: as questions and as answers. As in word2vec's compute-accuracy and
    in gensim, a question that expects a, b or c counts as asked and cannot be answered. With `ignore_case`, as there,
    words that differ in capitals alone are one: the most frequent of them asks, all of them answer.
    NOTE: gensim restricts to 300,000 words and ignores case unless told otherwise, and does so by upper case.
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
    """Return the same for words that are known already, on several threads; on_share hears what share is done."""
    from w2v_cli.evaluation.analogies_numba import first_answers  # noqa: PLC0415  Numba is not needed for pairs of words

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
    """Return Spearman's rank correlation of the pairs' cosines with what people said; ties get their average rank.

    Words are looked up as for `analogy_accuracy`; a pair with an unknown word is skipped. The correlation is None
    below two pairs, and where all cosines or all ratings are equal.
    """
    words = EvaluationSet("", pairs=tuple(pairs)).words
    return score_pairs(find_among(words, word_vectors, restrict=restrict, ignore_case=ignore_case), pairs)


def score_pairs(known: KnownWords, pairs: Sequence[WordPair]) -> CorrelationScore:
    """Return the same for words that are known already."""
    asked = [(ids, pair[2]) for pair in pairs if (ids := known.encode(pair[:2])) is not None]
    word_ids = np.array([ids for ids, _ in asked], np.int64).reshape(-1, 2)
    rows = read_unit_rows(known.vectors, word_ids)  # (P, 2, D)
    cosines = np.einsum("pd,pd->p", rows[:, 0], rows[:, 1])
    correlation = rank_correlation(cosines, np.array([rating for _, rating in asked]))
    return CorrelationScore(correlation, asked=len(asked), skipped=len(pairs) - len(asked))


def rank_correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Return Spearman's rho: Pearson's correlation of the ranks; None where it has no meaning.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    if len(first) < 2:  # noqa: PLR2004 - one pair has no order
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
    """Return the rank of each value, from 1; equal values share their average rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks
