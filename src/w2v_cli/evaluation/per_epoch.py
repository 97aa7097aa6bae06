"""Scores of a training on evaluation sets after each epoch."""

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
    from w2v_cli.vectors import Matrix

EVALUATOR = f"w2v {__version__}: 3CosAdd over all words, a, b and c left out; Spearman's rank correlation of cosines"


@dataclass(frozen=True)
class SetScore:
    """The score on one set.

    Attributes:
        name: the name of the set.
        measure: `accuracy` or `correlation`.
        score: the share of analogies answered as expected, or the rank correlation of pairs; None if not defined.
        asked: questions or pairs whose words are all known.
        skipped: questions or pairs with an unknown word.
    """

    name: str
    measure: Literal["accuracy", "correlation"]
    score: float | None
    asked: int
    skipped: int

    @property
    def coverage(self) -> float:
        """The share of the questions or pairs that were asked."""
        return self.asked / (self.asked + self.skipped)

    @property
    def content(self) -> dict[str, Any]:
        """All but the name, as JSON."""
        return {
            self.measure: self.score,
            "asked": self.asked,
            "skipped": self.skipped,
            "coverage": self.coverage,
        }


class Evaluator:
    """Scores input vectors on evaluation sets, rounded to float16 as in the vectors file, which scores the same.

    Takes memory for a few thousand rows at a time.

    Args:
        sets: The evaluation sets.
        words: The vocabulary, by word id.
        threads: The number of threads.
    """

    def __init__(self, sets: Sequence[EvaluationSet], words: Sequence[str], *, threads: int = 1) -> None:
        self._sets = sets
        self._threads = threads
        asked = {word for one in sets for word in one.words}
        forms = asked | {word.casefold() for word in asked}
        ids_by_word = {word: word_id for word_id, word in enumerate(words) if word in forms}
        self._find_words = partial(find_words, asked, find=ids_by_word.get)

    def score(self, vectors: NDArray[np.float32]) -> tuple[SetScore, ...]:
        """Score input vectors on each set.

        Args:
            vectors: (V, D) float32, within the range of float16.

        Returns:
            A score for each set, in their order.
        """
        known = self._find_words(cast("Matrix", _AsPublished(vectors)))
        return tuple(self._score_set(known, one) for one in self._sets)

    def _score_set(self, known: KnownWords, one: EvaluationSet) -> SetScore:
        """Return the score on one set."""
        if one.pairs:
            found = score_pairs(known, one.pairs)
            return SetScore(one.name, "correlation", found.correlation, found.asked, found.skipped)
        answered = score_analogies(known, one.sections, threads=self._threads).total
        return SetScore(one.name, "accuracy", answered.accuracy, answered.asked, answered.skipped)


def contents_by_name(scores: Sequence[SetScore]) -> dict[str, Mapping[str, Any]]:
    """Return the scores as JSON, by the names of their sets.

    Args:
        scores: The scores of an epoch.
    """
    return {score.name: score.content for score in scores}


class _AsPublished:
    """A float32 matrix whose rows are rounded to float16 when they are read."""

    dtype = np.dtype(np.float16)

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self.shape = vectors.shape

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, rows: Any) -> NDArray[np.float16]:
        read: NDArray[np.float16] = self._vectors[rows].astype(np.float16)
        return read
