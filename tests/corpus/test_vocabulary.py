"""Which words are kept, and in which order."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from w2v_cli.corpus.vocabulary import build_vocabulary
from w2v_cli.errors import CorpusError


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 6), min_size=2), st.integers(1, 6))
def test_kept_words_fall_by_count_and_rise_by_spelling(counts, min_count):
    """Exactly the words with min_count occurrences are kept; a word's count is never under the next one's."""
    assume(sum(count >= min_count for count in counts.values()) >= 2)
    vocabulary = build_vocabulary(counts, min_count=min_count)

    assert set(vocabulary.words) == {word for word in counts if counts[word] >= min_count}
    assert vocabulary.counts.tolist() == [counts[word] for word in vocabulary.words]
    keys = [(-counts[word], word) for word in vocabulary.words]
    assert keys == sorted(keys)
    assert len(vocabulary) == len(vocabulary.words)
    assert vocabulary.kept_words == sum(counts[word] for word in vocabulary.words)


def test_order_does_not_depend_on_the_order_of_counting():
    """Ties go by the word alone, so that the same text gives the same ids however it was read."""
    counts = {"sea": 2, "the": 3, "a": 3, "of": 2}

    assert build_vocabulary(counts, min_count=1).words == ("a", "the", "of", "sea")
    assert build_vocabulary(dict(reversed(counts.items())), min_count=1).words == ("a", "the", "of", "sea")


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        ({}, "holds no words"),
        ({"sea": 7}, "holds one word only, 'sea': word2vec needs at least 2"),
        ({"sea": 1_500, "a": 2}, r"0 of 2 .* min_count = 1501 .*'sea', occurs 1,500 times"),
    ],
)
def test_fewer_than_two_words_are_refused(counts, cause):
    """A negative sample must differ from its target: the message says what there is and what to change."""
    with pytest.raises(CorpusError, match=cause):
        build_vocabulary(counts, min_count=1501)


def test_the_message_names_the_way_out():
    """Where min_count is too high, the option that lowers it is named."""
    with pytest.raises(CorpusError, match=r"lower min_count\.$"):
        build_vocabulary({"sea": 3, "a": 2}, min_count=3)
