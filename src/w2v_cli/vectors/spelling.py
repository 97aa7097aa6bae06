"""Words near to another in spelling: difflib's close matches, ten times as fast."""

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

CUTOFF = 0.6  # the least ratio, 2 matches / (length + length), that difflib calls close
LONGEST_WORD = 100  # letters; what is longer is no slip of the keyboard, and difflib's time grows with the square
_SIGNS = re.compile("([-+\N{MINUS SIGN}])")
LETTERS = 64  # that are counted; those whose codes are a multiple of it apart are counted as one


def as_sum(text: str, is_word: Callable[[str], bool]) -> str | None:
    """Return the sum of words that somebody may have meant by `text`, None where its parts are not all words.

    >>> as_sum("king-man+woman", lambda word: True), as_sum("king queen", lambda word: True)
    ('king - man + woman', 'king + queen')
    """
    parts = [part for part in _SIGNS.split(text) if part.strip()]
    terms = parts if len(parts) > 1 else [term for word in text.split() for term in ("+", word)][1:]
    words = [term.strip() for term in terms if not _SIGNS.fullmatch(term)]
    is_sum = len(words) > 1 and len(terms) == 2 * len(words) - 1  # a sign between each two
    return " ".join(map(str.strip, terms)) if is_sum and all(map(is_word, words)) else None


class Speller:
    """Finds words near to another among `words`.

    Two words have no more matches than letters in common. So the letters of all words are counted at once, which
    bounds the ratio of each, and difflib is asked in the order of the bounds until no other can be among the best.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [word for word in words if len(word) <= LONGEST_WORD]
        self._lengths = np.array([len(word) for word in self._words], np.int64)
        self._counts = _count_letters(self._words, self._lengths)  # (V, LETTERS)

    def near(self, word: str, most: int) -> list[str]:
        """Return `most` words at most whose ratio to `word` is CUTOFF or more, the nearest first.

        >>> Speller(["king", "queen", "kin"]).near("kingg", 2)
        ['king', 'kin']
        """
        if len(word) > LONGEST_WORD:
            return []
        bounds = self._bounds(word)
        matcher = SequenceMatcher(b=word)
        found: list[tuple[float, str]] = []
        for place in np.argsort(-bounds, kind="stable").tolist():
            if bounds[place] < (found[-1][0] if len(found) == most else CUTOFF):
                break
            matcher.set_seq1(self._words[place])
            if (ratio := matcher.ratio()) >= CUTOFF:
                found = sorted([*found, (ratio, self._words[place])], reverse=True)[:most]
        return [near for _, near in found]

    def _bounds(self, word: str) -> NDArray[np.float64]:
        """Return what the ratio of each word (V,) to `word` cannot exceed; 0 where the lengths alone rule it out."""
        bounds = np.zeros(len(self._words))
        total = self._lengths + len(word)
        places = np.flatnonzero(2 * np.minimum(self._lengths, len(word)) >= CUTOFF * total)
        own = _count_letters([word], np.array([len(word)]))
        common = np.minimum(self._counts[places], own).sum(axis=1, dtype=np.int64)
        bounds[places] = 2.0 * common / np.maximum(total[places], 1)
        return bounds


def _count_letters(words: Sequence[str], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return how often each letter, by its code modulo LETTERS, stands in each word (V, LETTERS)."""
    codes = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
    cells = np.repeat(np.arange(len(words)) * LETTERS, lengths) + codes % LETTERS
    return np.bincount(cells, minlength=len(words) * LETTERS).astype(np.uint8).reshape(len(words), LETTERS)
