"""How good word vectors are: analogies answered, rank correlation with human judgement, and how much was covered."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.evaluation_sets import AnalogySection, WordPair
from w2v_cli.first_answers import first_answers
from w2v_cli.queries import AnalogyMethod, WordIds, analogy_scorer, nearest, read_unit_rows
from w2v_cli.vectors import Matrix, WordVectors

QUESTIONS_AT_ONCE = 512  # their scores of one block of rows take 8 MB at most

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class AnalogySectionScore:
    """Of a section: questions `asked`, answered as expected (`correct`), and `skipped` for an unknown word."""

    name: str
    correct: int
    asked: int
    skipped: int


@dataclass(frozen=True)
class AnalogyScore:
    """The scores of all sections and their sums."""

    sections: tuple[AnalogySectionScore, ...]

    @property
    def correct(self) -> int:
        """The number of questions answered as expected."""
        return sum(section.correct for section in self.sections)

    @property
    def asked(self) -> int:
        """The number of questions whose four words are known."""
        return sum(section.asked for section in self.sections)

    @property
    def skipped(self) -> int:
        """The number of questions with an unknown word."""
        return sum(section.skipped for section in self.sections)

    @property
    def accuracy(self) -> float | None:
        """The share of the asked questions that were answered as expected; None where none was asked."""
        return self.correct / self.asked if self.asked else None

    @property
    def coverage(self) -> float | None:
        """The share of all questions that were asked; None where there are none."""
        total = self.asked + self.skipped
        return self.asked / total if total else None


@dataclass(frozen=True)
class CorrelationScore:
    """Spearman's rank correlation over `pairs` pairs, None where it has no meaning; `skipped` had an unknown word."""

    correlation: float | None
    pairs: int
    skipped: int

    @property
    def coverage(self) -> float | None:
        """The share of all pairs that were compared; None where there are none."""
        total = self.pairs + self.skipped
        return self.pairs / total if total else None


def analogy_accuracy(
    word_vectors: WordVectors,
    sections: Sequence[AnalogySection],
    *,
    method: AnalogyMethod = "add",
    restrict: int | None = None,
) -> AnalogyScore:
    """Return how many questions have the expected word as first answer, a, b and c left out.

    A question's word is looked up as it is, else casefolded; a question with an unknown word is skipped. `restrict`
    keeps only that many of the first, most frequent, words: as questions and as answers. As in word2vec's
    compute-accuracy and in gensim, a question that expects a, b or c counts as asked and cannot be answered.
    NOTE: gensim restricts to 300,000 words unasked, and folds the case of the vocabulary too (of Turkey and turkey the
    more frequent one stands for both); where all words are lower case the scores are the same.
    """
    if restrict is not None:
        word_vectors = WordVectors(word_vectors.vectors[:restrict], word_vectors.words[:restrict])
    return score_analogies(word_vectors.vectors, word_vectors.ids_by_word, sections, method=method)


def score_analogies(
    vectors: Matrix,
    ids_by_word: Mapping[str, int],
    sections: Sequence[AnalogySection],
    *,
    method: AnalogyMethod = "add",
    threads: int = 1,
) -> AnalogyScore:
    """Return the same for rows whose words are looked up in `ids_by_word`, on several threads."""
    encoded = [_encode_all(ids_by_word, section.questions, words=4) for section in sections]
    word_ids = np.concatenate([np.empty((0, 4), np.int64), *encoded])
    is_correct = _answer(vectors, word_ids[:, :3], method, threads) == word_ids[:, 3]
    borders = [0, *accumulate(len(ids) for ids in encoded)]
    return AnalogyScore(
        tuple(
            AnalogySectionScore(
                section.name, int(is_correct[first:last].sum()), last - first, len(section.questions) - (last - first)
            )
            for section, (first, last) in zip(sections, pairwise(borders), strict=True)
        )
    )


def similarity_correlation(word_vectors: WordVectors, pairs: Sequence[WordPair]) -> CorrelationScore:
    """Return Spearman's rank correlation of the pairs' cosines with what people said; ties get their average rank.

    A word is looked up as it is, else casefolded; a pair with an unknown word is skipped. The correlation is None
    below two pairs, and where all cosines or all ratings are equal.
    """
    return score_pairs(word_vectors.vectors, word_vectors.ids_by_word, pairs)


def score_pairs(vectors: Matrix, ids_by_word: Mapping[str, int], pairs: Sequence[WordPair]) -> CorrelationScore:
    """Return the same for rows whose words are looked up in `ids_by_word`."""
    known = [(ids, pair[2]) for pair in pairs if (ids := _encode(ids_by_word, pair[:2])) is not None]
    word_ids = np.array([ids for ids, _ in known], np.int64).reshape(-1, 2)
    rows = read_unit_rows(vectors, word_ids)  # (P, 2, D)
    cosines = np.einsum("pd,pd->p", rows[:, 0], rows[:, 1])
    correlation = rank_correlation(cosines, np.array([rating for _, rating in known]))
    return CorrelationScore(correlation, pairs=len(known), skipped=len(pairs) - len(known))


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


def _answer(vectors: Matrix, questions: WordIds, method: AnalogyMethod, threads: int) -> WordIds:
    """Return the word id of the first answer to each of `questions` (Q, 3), -1 where no word is left to answer."""
    if method == "add":
        return first_answers(vectors, questions, threads=threads)
    answers = np.full(len(questions), -1, np.int64)
    for first in range(0, len(questions), QUESTIONS_AT_ONCE):
        part = questions[first : first + QUESTIONS_AT_ONCE]
        scorer = analogy_scorer(vectors, part, method)
        for place, (ids, _) in enumerate(nearest(vectors, scorer, part, top=1)):
            answers[first + place] = ids[0] if len(ids) else -1
    return answers


def _encode_all(ids_by_word: Mapping[str, int], questions: Iterable[Sequence[str]], *, words: int) -> WordIds:
    """Return the word ids (Q, words) of the questions whose words are all known."""
    encoded = [ids for question in questions if (ids := _encode(ids_by_word, question)) is not None]
    return np.array(encoded, np.int64).reshape(-1, words)


def _encode(ids_by_word: Mapping[str, int], words: Iterable[str]) -> list[int] | None:
    """Return the word ids of `words`, each as it is or else casefolded; None where one is unknown."""
    found = [ids_by_word.get(word, ids_by_word.get(word.casefold())) for word in words]
    known = [word_id for word_id in found if word_id is not None]
    return known if len(known) == len(found) else None


def _rank(values: FloatArray) -> NDArray[np.float64]:
    """Return the rank of each value, from 1; equal values share their average rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks
