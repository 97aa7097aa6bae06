"""Questions as sums of words: "king - man + woman" is +king, -man, +woman."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from w2v_cli.errors import ConfigError

OPERATORS = {"+": 1, "-": -1, "\N{MINUS SIGN}": -1}


class Term(NamedTuple):
    """A word of a sum and its sign, 1 or -1."""

    word: str
    sign: int


@dataclass(frozen=True)
class Sum:
    """A question: a word, or a sum of words.

    Attributes:
        text: the question as asked.
        terms: the words whose vectors are added up, with their signs.
    """

    text: str
    terms: tuple[Term, ...]

    @property
    def is_word(self) -> bool:
        """Whether the question is a single word."""
        return len(self.terms) == 1 and self.terms[0].sign == 1

    @classmethod
    def of_analogy(cls, a: str, b: str, c: str) -> "Sum":
        """Return the question "a is to b as c is to …", b - a + c.

        Args:
            a: A word.
            b: A word.
            c: A word.
        """
        return cls(f"{a} : {b} :: {c}", (Term(a, -1), Term(b, 1), Term(c, 1)))


def parse_sum(text: str, is_word: Callable[[str], bool]) -> Sum:
    """Parse a question.

    Signs stand between spaces, so "well-known" and "-lrb-" are words. Words without a sign between them are one word
    with spaces, such as "new york".

    Args:
        text: The question.
        is_word: Whether a text is a word of the vocabulary; such a text is never parsed as a sum.

    Returns:
        The sum.

    Raises:
        ConfigError: The text is blank, or a sign has no word.

    >>> parse_sum("new york - usa + france", lambda word: False).terms[0]
    Term(word='new york', sign=1)
    """
    if is_word(text):
        return Sum(text, (Term(text, 1),))
    parts = text.split()
    if not parts:
        raise ConfigError("the question is empty; give a word, or a sum such as 'king - man + woman'.")
    if not OPERATORS.keys() & set(parts):
        return Sum(text, (Term(text, 1),))
    return Sum(text, _read_terms(text, parts))


def _read_terms(text: str, parts: list[str]) -> tuple[Term, ...]:
    """Return the terms of a sum; a sign may precede the first."""
    terms, words, sign = [], list[str](), 1
    for place, part in enumerate([*parts, "+"]):
        if part not in OPERATORS:
            words.append(part)
            continue
        if words:
            terms.append(Term(" ".join(words), sign))
        elif place > 0:
            raise ConfigError(f"{text!r} has a sign without a word after it; write sums as 'king - man + woman'.")
        words, sign = [], OPERATORS[part]
    return tuple(terms)
