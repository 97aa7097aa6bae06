"""Words with a similar spelling, for a word that the vocabulary does not hold."""

import re
from collections.abc import Callable, Sequence

LONGEST_WORD = 100  # characters; a longer one is not a typing error
_LENGTH_OF_ONE_EDIT = 5
_SIGNS = re.compile("([-+\N{MINUS SIGN}])")


def as_sum(text: str, is_word: Callable[[str], bool]) -> str | None:
    """Return the sum of words that `text` may stand for; None unless all its parts are words.

    Args:
        text: A question that is not a word, such as `king-man+woman` without spaces, or words without signs.
        is_word: Says whether a part is in the vocabulary.

    >>> as_sum("king-man+woman", lambda word: True), as_sum("king queen", lambda word: True)
    ('king - man + woman', 'king + queen')
    """
    parts = [part for part in _SIGNS.split(text) if part.strip()]
    terms = parts if len(parts) > 1 else [term for word in text.split() for term in ("+", word)][1:]
    words = [term.strip() for term in terms if not _SIGNS.fullmatch(term)]
    is_sum = len(words) > 1 and len(terms) == 2 * len(words) - 1  # a sign between each two
    return " ".join(map(str.strip, terms)) if is_sum and all(map(is_word, words)) else None


class Speller:
    """Finds words with a similar spelling among `words`, which fall by frequency.

    Case is ignored. Words are kept by length: only those whose length differs by the allowed edits are compared.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._by_length: dict[int, tuple[list[str], list[int]]] = {}
        for rank, word in enumerate(map(str.casefold, words)):
            folded_words, ranks = self._by_length.setdefault(len(word), ([], []))
            folded_words.append(word)
            ranks.append(rank)

    def near(self, word: str, most: int) -> list[str]:
        """Return the words that the fewest edits turn into `word`; of those, the most frequent first.

        An edit inserts, deletes or replaces a letter, or swaps two adjacent ones (optimal string alignment distance).
        Up to five letters allow one edit, longer words two.

        Args:
            word: The unknown word.
            most: How many words to return at most.

        >>> Speller(["King", "queen", "kin"]).near("kign", 2)
        ['King', 'kin']
        """
        from rapidfuzz import process  # noqa: PLC0415  only a mistyped word pays for this import
        from rapidfuzz.distance import OSA  # noqa: PLC0415  as above

        if len(word) > LONGEST_WORD:
            return []
        word = word.casefold()
        edits = 1 if len(word) <= _LENGTH_OF_ONE_EDIT else 2
        found: list[tuple[int, int]] = []
        for length in range(len(word) - edits, len(word) + edits + 1):
            words, ranks = self._by_length.get(length, ([], []))
            matches = process.extract(word, words, scorer=OSA.distance, score_cutoff=edits, limit=None)
            found += [(int(distance), ranks[place]) for _, distance, place in matches]
        return [self._words[rank] for _, rank in sorted(found)[:most]]
