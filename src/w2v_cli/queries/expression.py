"""A question as a sum of words: "king - man + woman" → +king, -man, +woman."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from w2v_cli.errors import ConfigError

OPERATORS = {"+": 1, "-": -1, "\N{MINUS SIGN}": -1}


class Term(NamedTuple):
    """A word of a sum, and its sign: 1 or -1."""

    word: str
    sign: int


@dataclass(frozen=True)
class Sum:
    """The words whose vectors are added up, and the question as it was asked."""

    text: str
    terms: tuple[Term, ...]

    @classmethod
    def of_analogy(cls, a: str, b: str, c: str) -> "Sum":
        """Return "a is to b as c is to …": b - a + c."""
        return cls(f"{a} : {b} :: {c}", (Term(a, -1), Term(b, 1), Term(c, 1)))


def parse_sum(text: str, is_word: Callable[[str], bool]) -> Sum:
    """Return the sum that `text` is; a word of the vocabulary (`is_word`) is itself, whatever it is made of.

    Signs stand alone, between spaces: "well-known" and "-lrb-" are words. Words with no sign between them are one word
    with spaces, as "new york" is. Raises ConfigError for a sign without a word.

    >>> parse_sum("new york - usa + france", lambda word: False).terms[0]
    Term(word='new york', sign=1)
    """
    if is_word(text):
        return Sum(text, (Term(text, 1),))
    parts = text.split()
    if not parts:
        raise ConfigError("a question has no words: give one, or a sum as 'king - man + woman'.")
    if not OPERATORS.keys() & set(parts):
        return Sum(text, (Term(text, 1),))
    return Sum(text, _read_terms(text, parts))


def _read_terms(text: str, parts: list[str]) -> tuple[Term, ...]:
    """Return the terms of a sum; a sign may come before the first one."""
    terms, words, sign = [], list[str](), 1
    for place, part in enumerate([*parts, "+"]):
        if part not in OPERATORS:
            words.append(part)
            continue
        if words:
            terms.append(Term(" ".join(words), sign))
        elif place > 0:
            raise ConfigError(f"{text!r} has a sign without a word behind it: write sums as 'king - man + woman'.")
        words, sign = [], OPERATORS[part]
    return tuple(terms)
