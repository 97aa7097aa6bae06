"""Sets of questions and pairs against the vectors of a training, as they are after each epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from w2v_cli import __version__
from w2v_cli.evaluation.lookup import KnownWords, find_words
from w2v_cli.evaluation.metrics import score_analogies, score_pairs
from w2v_cli.evaluation.sets import EvaluationSet

if TYPE_CHECKING:
    from w2v_cli.vectors.keyed_vectors import Matrix

EVALUATOR = f"w2v {__version__}: 3CosAdd over all words, a, b and c left out; Spearman's rank correlation of cosines"


@dataclass(frozen=True)
class SetScore:
    """The score on one set: of analogies the share answered as expected, of pairs the rank correlation with people's.

    score: None where it has no meaning; asked: the questions or pairs whose words are known; skipped: the others.
    """

    name: str
    measure: Literal["accuracy", "correlation"]
    score: float | None
    asked: int
    skipped: int

    @property
    def coverage(self) -> float:
        """The share of the set that was asked."""
        return self.asked / (self.asked + self.skipped)

    @property
    def content(self) -> dict[str, Any]:
        """All but the name, JSON-able."""
        return {
            self.measure: self.score,
            "asked": self.asked,
            "skipped": self.skipped,
            "coverage": self.coverage,
        }


class Evaluator:
    """Scores input vectors on evaluation sets, rounded as the vectors file will hold them: a file scores the same.

    words: the vocabulary by word id. Takes memory for some thousand rows at a time, never for all.
    """

    def __init__(self, sets: Sequence[EvaluationSet], words: Sequence[str], *, threads: int = 1) -> None:
        self._sets = sets
        self._threads = threads
        asked = {word for one in sets for word in one.words}
        wanted = asked | {word.casefold() for word in asked}
        ids_by_word = {word: word_id for word_id, word in enumerate(words) if word in wanted}
        self._find_words = partial(find_words, asked, find=ids_by_word.get)

    def score(self, vectors: NDArray[np.float32]) -> tuple[SetScore, ...]:
        """Return the scores of the vectors (V, D), finite as float16, on each set."""
        known = self._find_words(cast("Matrix", _AsPublished(vectors)))
        return tuple(self._score_set(known, one) for one in self._sets)

    def _score_set(self, known: KnownWords, one: EvaluationSet) -> SetScore:
        if one.pairs:
            found = score_pairs(known, one.pairs)
            return SetScore(one.name, "correlation", found.correlation, found.asked, found.skipped)
        answered = score_analogies(known, one.sections, threads=self._threads).total
        return SetScore(one.name, "accuracy", answered.accuracy, answered.asked, answered.skipped)


def contents_by_name(scores: Sequence[SetScore]) -> dict[str, Mapping[str, Any]]:
    """Return the scores JSON-able, by the names of their sets."""
    return {score.name: score.content for score in scores}


class _AsPublished:
    """Rows of float32 that are float16 when they are read: a matrix for those who read it in parts."""

    dtype = np.dtype(np.float16)

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self.shape = vectors.shape

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, rows: Any) -> NDArray[np.float16]:
        read: NDArray[np.float16] = self._vectors[rows].astype(np.float16)
        return read
