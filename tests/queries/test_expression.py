"""Sums of words are read as people write them, and words that hold signs stay words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.errors import ConfigError
from w2v_cli.queries.expression import Sum, Term, parse_sum

WORDS = st.text("ab-+", min_size=1, max_size=4).filter(lambda word: word not in {"+", "-"})


def terms(text, vocabulary=()):
    return [tuple(term) for term in parse_sum(text, vocabulary.__contains__).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("king", [("king", 1)]),
        ("king - man + woman", [("king", 1), ("man", -1), ("woman", 1)]),
        ("king − man", [("king", 1), ("man", -1)]),
        ("- man + king", [("man", -1), ("king", 1)]),
        ("new york - usa", [("new york", 1), ("usa", -1)]),
        ("new  york", [("new  york", 1)]),
        ("-lrb- + well-known", [("-lrb-", 1), ("well-known", 1)]),
        ("king-man", [("king-man", 1)]),
        ("king + king", [("king", 1), ("king", 1)]),
    ],
)
def test_sums_are_read(text, expected):
    """Signs stand between spaces; what has none is a word."""
    assert terms(text) == expected


@pytest.mark.parametrize("text", ["-", "a - b", "c++ + "])
def test_a_word_of_the_vocabulary_is_itself(text):
    """Whatever it is made of."""
    assert terms(text, [text]) == [(text, 1)]


@pytest.mark.parametrize("text", ["", "  ", "king -", "king + - man", "+", "- -"])
def test_a_sign_without_a_word_is_refused(text):
    """The message shows how sums are written."""
    with pytest.raises(ConfigError, match="king - man"):
        parse_sum(text, lambda _: False)


@given(parts=st.lists(st.tuples(WORDS, st.sampled_from([1, -1])), min_size=1, max_size=6))
def test_what_is_written_is_read_again(parts):
    """A sum of any words, also with signs inside, gives its words and signs back."""
    text = " ".join(f"{'+' if sign == 1 else '-'} {word}" for word, sign in parts)

    assert terms(text) == parts


def test_an_analogy_is_a_sum():
    """A is to B as C is to …: B - A + C."""
    assert Sum.of_analogy("a", "b", "c").terms == (Term("a", -1), Term("b", 1), Term("c", 1))
