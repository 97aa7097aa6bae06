"""Which rows the words of a set have: among all words or the frequent ones, in the case they stand in or in any."""

import numpy as np
import pytest

from w2v_cli.errors import ConfigError
from w2v_cli.evaluation.lookup import find_among
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

WORDS = ("the", "Turkey", "sea", "turkey", "TURKEY", "Sea", "Straße")


@pytest.fixture(params=["in memory", "from a file"])
def make(request, tmp_path):
    """Return a function that makes vectors of WORDS, row i being (i, i), with counts or without."""

    def build(counts=None):
        made = KeyedVectors(
            np.arange(7, dtype=np.float16)[:, np.newaxis].repeat(2, axis=1),
            WORDS,
            None if counts is None else np.array(counts),
        )
        if request.param == "in memory":
            return made
        keyed_vectors.save(tmp_path / "x", made, overwrite=False)
        return keyed_vectors.load(tmp_path / "x")

    return build


def test_a_word_is_looked_up_as_it_is_or_else_casefolded(make):
    """Capitals in a set find words in lower case, not the other way round."""
    known = find_among(["The", "Turkey", "TURKEY", "SEA", "tHE", "x", "straße"], make())

    assert known.ids == {"The": 0, "Turkey": 1, "TURKEY": 4, "SEA": 2, "tHE": 0}
    assert known.encode(["The", "SEA"]) == [0, 2]
    assert known.encode(["The", "x"]) is None


def test_in_any_case_the_first_word_stands_for_all(make):
    """Words that differ in capitals alone are one: the first asks, all are its cases."""
    known = find_among(["turkey", "SEA", "STRASSE", "x"], make(), ignore_case=True)

    assert known.ids == {"turkey": 1, "SEA": 2, "STRASSE": 6}
    assert known.all_cases(np.array([[1, 2, 6]])).tolist() == [[1, 3, 4, 2, 5, 6]]
    assert known.all_cases(np.array([[6, 6, 6], [1, 1, 6]])).tolist() == [
        [6, 6, 6, -1, -1, -1, -1],
        [1, 3, 4, 1, 3, 4, 6],
    ]
    assert known.first_cases(np.array([4, 5, 0, -1])).tolist() == [1, 2, 0, -1]


def test_only_frequent_words_are_known(make):
    """Without counts the first ones are; their rows are a part of the file."""
    known = find_among(["the", "sea", "turkey"], make(), restrict=3)

    assert known.ids == {"the": 0, "sea": 2}
    assert known.vectors[:, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("ignore_case", [False, True])
def test_a_file_that_is_not_sorted_by_counts_has_its_frequent_words_where_they_are(make, ignore_case):
    """Ids are places among the rows that are left, which keep their order."""
    known = find_among(
        ["the", "sea", "Sea", "turkey"], make([1, 2, 9, 8, 7, 9, 3]), restrict=4, ignore_case=ignore_case
    )

    expected = {"sea": 0, "Sea": 0, "turkey": 1} if ignore_case else {"sea": 0, "Sea": 3, "turkey": 1}
    assert known.ids == expected
    assert (len(known.vectors), known.vectors.shape) == (4, (4, 2))
    assert known.vectors[1:3][:, 0].tolist() == [3, 4]
    assert known.vectors[np.array([[3, 0]])][..., 0].tolist() == [[5, 2]]


def test_words_may_be_left_out_by_count(make):
    """With a count that no word has, none is known; without counts, there is nothing to go by."""
    counted = make([9, 5, 5, 4, 3, 2, 1])

    assert find_among(["the", "sea"], counted, min_count=5).ids == {"the": 0, "sea": 2}
    assert find_among(["the", "sea"], counted, min_count=10).ids == {}


def test_without_counts_no_word_is_left_out_by_count(make):
    """There is nothing to go by."""
    with pytest.raises(ConfigError, match="min_count needs"):
        find_among(["the"], make(), min_count=5)
