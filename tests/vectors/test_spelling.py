"""Near spellings are difflib's, found sooner."""

import difflib

from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.vectors.spelling import LONGEST_WORD, Speller

WORDS = st.text("abcdé語", min_size=1, max_size=8) | st.text(min_size=1, max_size=5)


@given(words=st.lists(WORDS, max_size=40), asked=WORDS, most=st.integers(1, 4))
def test_near_words_are_those_of_difflib(words, asked, most):
    """The same words in the same order as get_close_matches gives, which looks at every one."""
    assert Speller(words).near(asked, most) == difflib.get_close_matches(asked, words, n=most)


def test_letters_that_are_counted_as_one_hide_no_word():
    """Letters whose codes are 64 apart only raise a bound."""
    words = [chr(ord("a") + 64 * place) * 3 for place in range(5)]

    assert [Speller(words).near(word, 3) for word in words] == [[word] for word in words]


def test_endless_words_are_left_out():
    """A word of a million letters is neither compared nor a reason to compare."""
    speller = Speller(["a" * 1_000_000, "b" * LONGEST_WORD])

    assert speller.near("b" * LONGEST_WORD, 3) == ["b" * LONGEST_WORD]
    assert speller.near("a" * 1_000_000, 3) == []
