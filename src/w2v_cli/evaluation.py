"""How good word vectors are: analogies answered, rank correlation with human judgement, and how much was covered."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import CorpusError
from w2v_cli.queries import AnalogyMethod, WordIds, analogy_scorer, nearest, read_unit_rows
from w2v_cli.vectors import WordVectors

QUESTIONS_AT_ONCE = 512  # their scores of one block of rows take 8 MB at most

FloatArray = NDArray[np.floating[Any]]
AnalogyQuestion = tuple[str, str, str, str]  # a is to b as c is to d
WordPair = tuple[str, str, float]  # two words and how similar people find them


@dataclass(frozen=True)
class AnalogySection:
    """Analogy questions of one kind."""

    name: str
    questions: tuple[AnalogyQuestion, ...]


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
    return AnalogyScore(tuple(_score_section(word_vectors, section, method) for section in sections))


def similarity_correlation(word_vectors: WordVectors, pairs: Sequence[WordPair]) -> CorrelationScore:
    """Return Spearman's rank correlation of the pairs' cosines with what people said; ties get their average rank.

    A word is looked up as it is, else casefolded; a pair with an unknown word is skipped. The correlation is None
    below two pairs, and where all cosines or all ratings are equal.
    """
    encoded = [(_encode(word_vectors, (first, second)), rating) for first, second, rating in pairs]
    known = [(word_ids, rating) for word_ids, rating in encoded if word_ids is not None]
    word_ids = np.array([ids for ids, _ in known], np.int64).reshape(-1, 2)
    rows = read_unit_rows(word_vectors.vectors, word_ids)  # (P, 2, D)
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


def read_analogy_questions(path: Path) -> list[AnalogySection]:
    """Return the sections of a file like word2vec's questions-words.txt: `: name` lines, then four words a line.

    Raises CorpusError naming file and line.
    """
    sections: list[tuple[str, list[AnalogyQuestion]]] = []
    for number, line in _iterate_lines(path):
        fields = line.split()
        if fields[0].startswith(":"):
            sections.append((line[1:].strip(), []))
        elif not sections:
            raise CorpusError(f"{path}:{number}: a question before the first section: put a line ': name' above it.")
        elif len(fields) != 4:  # noqa: PLR2004 - a, b, c, d
            raise CorpusError(f"{path}:{number}: a question has 4 words, this line has {len(fields)}: {line!r}.")
        else:
            a, b, c, d = fields
            sections[-1][1].append((a, b, c, d))
    if not any(questions for _, questions in sections):
        raise CorpusError(f"{path} holds no analogy questions: name a file like questions-words.txt.")
    return [AnalogySection(name, tuple(questions)) for name, questions in sections]


def read_word_pairs(path: Path) -> list[WordPair]:
    """Return the pairs of a file like wordsim353.tsv: two words and a number a line, `#` begins a comment line.

    Raises CorpusError naming file and line.
    """
    pairs = []
    for number, line in _iterate_lines(path):
        fields = line.split()
        rating = _read_number(fields[2]) if len(fields) == 3 else None  # noqa: PLR2004 - two words and a number
        if rating is None:
            raise CorpusError(f"{path}:{number}: a pair is two words and a finite number, this line is {line!r}.")
        pairs.append((fields[0], fields[1], rating))
    if not pairs:
        raise CorpusError(f"{path} holds no word pairs: name a file like wordsim353.tsv.")
    return pairs


def _score_section(word_vectors: WordVectors, section: AnalogySection, method: AnalogyMethod) -> AnalogySectionScore:
    """Return the score of one section."""
    encoded = [ids for question in section.questions if (ids := _encode(word_vectors, question)) is not None]
    word_ids = np.array(encoded, np.int64).reshape(-1, 4)
    answers = _answer(word_vectors, word_ids[:, :3], method)
    correct = int(np.count_nonzero(answers == word_ids[:, 3]))
    return AnalogySectionScore(section.name, correct, len(encoded), skipped=len(section.questions) - len(encoded))


def _answer(word_vectors: WordVectors, questions: WordIds, method: AnalogyMethod) -> WordIds:
    """Return the word id of the first answer to each of `questions` (Q, 3), -1 where no word is left to answer."""
    answers = np.full(len(questions), -1, np.int64)
    for first in range(0, len(questions), QUESTIONS_AT_ONCE):
        part = questions[first : first + QUESTIONS_AT_ONCE]
        scorer = analogy_scorer(word_vectors, part, method)
        for place, (ids, _) in enumerate(nearest(word_vectors.vectors, scorer, part, top=1)):
            answers[first + place] = ids[0] if len(ids) else -1
    return answers


def _encode(word_vectors: WordVectors, words: Iterable[str]) -> list[int] | None:
    """Return the word ids of `words`, each as it is or else casefolded; None where one is unknown."""
    ids = word_vectors.ids_by_word
    found = [ids.get(word, ids.get(word.casefold())) for word in words]
    known = [word_id for word_id in found if word_id is not None]
    return known if len(known) == len(found) else None


def _rank(values: FloatArray) -> NDArray[np.float64]:
    """Return the rank of each value, from 1; equal values share their average rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _iterate_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is neither empty nor a `#` comment; raise CorpusError for a bad file."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                text = line.strip()
                if text and not text.startswith("#"):
                    yield number, text
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 text ({error}): name an evaluation set.") from error
    except OSError as error:
        raise CorpusError(f"cannot read the evaluation set {path}: {error.strerror}; check the name.") from error


def _read_number(text: str) -> float | None:
    """Return the finite number that `text` writes, None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
