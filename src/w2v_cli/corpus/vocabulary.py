"""The vocabulary: the words kept for training, by falling count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import CorpusError, option
from w2v_cli.vectors import PackedWords

_LONGEST_QUOTED = 60  # characters


@dataclass(frozen=True)
class Vocabulary:
    """The words kept for training; a word's id is its place here and its row in both matrices.

    Attributes:
        words: (V,), by falling count, equal counts by word.
        counts: (V,) int64, occurrences in the corpus.
    """

    words: Sequence[str]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def kept_words(self) -> int:
        """The number of occurrences of the kept words."""
        return int(self.counts.sum())


def build_vocabulary(counts: Mapping[str, int], *, min_count: int) -> Vocabulary:
    """Return the words that occur at least `min_count` times, by falling count.

    >>> list(build_vocabulary({"sea": 2, "a": 3, "the": 3, "rare": 1}, min_count=2).words)
    ['a', 'the', 'sea']

    Raises CorpusError if fewer than two different words remain: a negative sample must differ from its target.
    """
    if not counts:
        raise no_words()
    if len(counts) == 1:
        word = next(iter(counts))
        raise CorpusError(
            f"the corpus holds one word only, {_quoted(word)}: word2vec needs at least 2 different words."
        )
    kept = sorted((word for word in counts if counts[word] >= min_count), key=lambda word: (-counts[word], word))
    if len(kept) < 2:  # noqa: PLR2004  a target and one negative
        commonest = max(counts, key=lambda word: (counts[word], word))
        raise CorpusError(
            f"{len(kept)} of {len(counts):,} different words occur at least min_count = {min_count} times and 2 are "
            f"needed; the most frequent, {_quoted(commonest)}, occurs {counts[commonest]:,} times: lower "
            f"{option('min_count')}."
        )
    return Vocabulary(PackedWords.of(kept), np.array([counts[word] for word in kept], dtype=np.int64))


def _quoted(word: str) -> str:
    """Return a word for a message, cut if it is long."""
    return repr(word) if len(word) <= _LONGEST_QUOTED else f"{word[:_LONGEST_QUOTED]!r}..."


def no_words() -> CorpusError:
    """Return the error for a text without words."""
    return CorpusError("the corpus holds no words: give a text with at least two different words.")
