"""Look-up of the words of evaluation sets in a vocabulary: with or without case, in all words or the frequent ones."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from typing import Any, cast

import numpy as np

from w2v_cli.queries import Search, WordIds, allowed_rows
from w2v_cli.vectors import KeyedVectors, Matrix


@dataclass(frozen=True)
class KnownWords:
    """The words of evaluation sets that a vocabulary has.

    Attributes:
        vectors: (V, D) the rows.
        ids: the row of each word, by the word as a set writes it.
        cases: by each of these ids, the ids of all words that differ in case alone, itself included; empty if case
            matters.
    """

    vectors: Matrix
    ids: Mapping[str, int]
    cases: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def encode(self, words: Iterable[str]) -> list[int] | None:
        """Return the ids of `words`; None if one of them is unknown."""
        found = [self.ids.get(word) for word in words]
        known = [word_id for word_id in found if word_id is not None]
        return known if len(known) == len(found) else None

    def all_cases(self, word_ids: WordIds) -> WordIds:
        """Return for each row of `word_ids` (Q, 3) the ids of all cases of its words (Q, X), padded with -1."""
        if not self.cases:
            return word_ids
        rows = [[case for word_id in row for case in self.cases[word_id]] for row in word_ids.tolist()]
        longest = max(map(len, rows), default=0)
        return np.array([row + [-1] * (longest - len(row)) for row in rows], np.int64).reshape(-1, longest)

    def first_cases(self, word_ids: WordIds) -> WordIds:
        """Return for each id (Q,) that of the word of the sets that differs in case alone, or itself."""
        first = {case: word_id for word_id, cases in self.cases.items() for case in cases}
        return np.array([first.get(word_id, word_id) for word_id in word_ids.tolist()], np.int64)


def find_words(words: Iterable[str], vectors: Matrix, find: Callable[[str], int | None]) -> KnownWords:
    """Return the rows of `words`, each looked up as written, then casefolded."""
    found = {}
    for word in words:
        word_id = find(word)
        if word_id is None:
            word_id = find(word.casefold())
        if word_id is not None:
            found[word] = word_id
    return KnownWords(vectors, found)


def find_words_in_any_case(words: Iterable[str], vectors: Matrix, vocabulary: Iterable[str]) -> KnownWords:
    """Return the rows of `words`; of words that differ in case alone, that of the first, the most frequent."""
    asked = {word: word.casefold() for word in words}
    cases: dict[str, list[int]] = {folded: [] for folded in asked.values()}
    for word_id, word in enumerate(vocabulary):
        if (folded := word.casefold()) in cases:
            cases[folded].append(word_id)
    ids = {word: cases[folded][0] for word, folded in asked.items() if cases[folded]}
    return KnownWords(vectors, ids, {found[0]: tuple(found) for found in cases.values() if found})


def find_among(
    words: Iterable[str],
    word_vectors: KeyedVectors,
    *,
    restrict: int | None = None,
    min_count: int | None = None,
    ignore_case: bool = False,
) -> KnownWords:
    """Look words up among all words of a file, or among the frequent ones.

    Args:
        words: The words as sets write them.
        word_vectors: The vectors of a file.
        restrict: Only this many of the most frequent words are known.
        min_count: Only words that occur at least this often are known.
        ignore_case: Whether words that differ in case alone are the same.

    Returns:
        The rows of the words that are known; in memory for these words, and for V numbers if the file is not sorted by
        counts.

    Raises:
        ConfigError: A number is below 1, or `min_count` is given and the file has no counts.
    """
    allowed = allowed_rows(word_vectors, Search(restrict=restrict, min_count=min_count))
    if allowed is None:
        vectors, find, vocabulary = word_vectors.vectors, word_vectors.find, iter(word_vectors.words)
    else:
        kept = np.flatnonzero(allowed)
        vectors, find = _choose(word_vectors.vectors, kept), partial(_find_kept, word_vectors, kept)
        vocabulary = compress(word_vectors.words, allowed)
    return find_words_in_any_case(words, vectors, vocabulary) if ignore_case else find_words(words, vectors, find)


def _find_kept(word_vectors: KeyedVectors, kept: WordIds, word: str) -> int | None:
    """Return the position of the id of a word in `kept`, which is sorted; None if it is not there."""
    word_id = word_vectors.find(word)
    place = len(kept) if word_id is None else int(np.searchsorted(kept, word_id))
    return place if place < len(kept) and kept[place] == word_id else None


def _choose(vectors: Matrix, kept: WordIds) -> Matrix:
    """Return the rows `kept`; a view if they are the first."""
    if len(kept) == 0 or kept[-1] == len(kept) - 1:
        return vectors[: len(kept)]
    return cast("Matrix", _Chosen(vectors, kept))


class _Chosen:
    """Some rows of a matrix as a matrix that is read in parts."""

    def __init__(self, vectors: Matrix, kept: WordIds) -> None:
        self._vectors = vectors
        self._kept = kept
        self.dtype = vectors.dtype
        self.shape = (len(kept), vectors.shape[1])

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, rows: Any) -> Matrix:
        chosen: Matrix = self._vectors[self._kept[rows]]
        return chosen
