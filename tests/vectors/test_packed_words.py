"""Words that lie packed in a file are what a tuple of strings would be, and hostile ones are refused."""

import re
import reprlib
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.errors import VectorsError
from w2v_cli.vectors import packed_words
from w2v_cli.vectors.packed_words import PackedWords

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.text("ab", min_size=1, max_size=70)
VOCABULARIES = st.lists(WORDS, min_size=1, max_size=30, unique=True)


def packed(words):
    encoded = [word.encode() for word in words]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64)
    return PackedWords(np.frombuffer(b"".join(encoded), np.uint8), offsets)


@given(words=VOCABULARIES, other=WORDS, at_once=st.integers(1, 7))
def test_packed_words_are_a_sequence_of_strings(words, other, at_once):
    """Length, items, slices, iteration, equality and membership are those of a tuple, in blocks of any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_words, "BLOCK_WORDS", at_once)
        found = packed(words)

        assert (len(found), list(found), found[-1], found[1:4]) == (len(words), words, words[-1], tuple(words[1:4]))
        assert found == tuple(words)
        assert found != [*words, other]
    assert [found.find(word) for word in words] == list(range(len(words)))
    assert found.find(other) == (words.index(other) if other in words else None)
    assert (other in found, 3 in found) == (other in words, False)


@given(words=VOCABULARIES, prefix=st.text("ab", max_size=3) | WORDS, most=st.integers(0, 5))
def test_words_are_found_by_their_beginning(words, prefix, most):
    """The first of them by id, as a look at each word would find them."""
    expected = [word for word in words if word.encode().startswith(prefix.encode())][:most]

    assert packed(words).starting_with(prefix, most) == expected


@given(words=VOCABULARIES)
def test_words_of_equal_hash_are_told_apart(words):
    """Where every hash is the same, all words are found, and no two are taken for one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_words, "_hash_all", lambda _, offsets: np.zeros(len(offsets) - 1, np.uint64))
        found = packed(words)

        assert [found.find(word) for word in words] == list(range(len(words)))


def test_hashes_differ_where_words_do():
    """A hundred thousand words, some of them prefixes of others, hardly collide: lookups stay quick."""
    words = [f"{'x' * (number % 40)}{number}" for number in range(100_000)]

    assert len(np.unique(packed(words)._hashes)) == len(words)


@pytest.mark.parametrize("twice", ["a", "long" * 30, "語"])
def test_a_word_that_comes_twice_is_refused(twice):
    """By name, the first of them, however far apart they are."""
    words = [f"w{number}" for number in range(50)]

    with pytest.raises(VectorsError, match=rf"the word {re.escape(reprlib.repr(twice))} occurs twice"):
        packed([twice, *words, twice, "w3", twice])


def test_half_a_character_is_no_word():
    """A lone surrogate, as bytes that are no UTF-8 become, is looked for and not found."""
    assert packed(["a"]).find("\udcff") is None
