"""Similar spellings: what few edits make, the fewest first, and of equal ones the most frequent."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.vectors.spelling import LONGEST_WORD, Speller

WORDS = st.text("abcdé語", min_size=1, max_size=8) | st.text(min_size=1, max_size=5)


def edit_distance(a, b):
    """Return the optimal string alignment distance of two words, by its recurrence (Boytsov 2011, section 2.1)."""
    cells = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i, j in itertools.product(range(1, len(a) + 1), range(1, len(b) + 1)):
        replaced = cells[i - 1, j - 1] + (a[i - 1] != b[j - 1])
        cells[i, j] = min(cells[i - 1, j] + 1, cells[i, j - 1] + 1, replaced)
        if i > 1 and j > 1 and (a[i - 1], a[i - 2]) == (b[j - 2], b[j - 1]):
            cells[i, j] = min(cells[i, j], cells[i - 2, j - 2] + 1)
    return cells[len(a), len(b)]


@given(words=st.lists(WORDS, max_size=40, unique=True), asked=WORDS, most=st.integers(1, 4))
def test_near_words_are_those_of_the_fewest_edits(words, asked, most):
    """Within one edit (two beyond five letters), case ignored, the nearest come first, then the frequent."""
    asked_folded = asked.casefold()
    distances = {word: edit_distance(asked_folded, word.casefold()) for word in words}
    within = [word for word in words if distances[word] <= (1 if len(asked_folded) <= 5 else 2)]

    assert Speller(words).near(asked, most) == sorted(within, key=distances.get)[:most]


@pytest.mark.parametrize("typo", ["kign", "kng", "kinng", "kimg", "kings"])
def test_each_kind_of_slip_is_one_edit(typo):
    """Letters swapped, left out, doubled, replaced or added are put right."""
    assert Speller(["queen", "king", "kind"]).near(typo, 3)[0] == "king"


def test_endless_words_are_left_out():
    """A word of a million letters is neither compared nor a reason to compare."""
    speller = Speller(["a" * 1_000_000, "b" * LONGEST_WORD])

    assert speller.near("b" * LONGEST_WORD, 3) == ["b" * LONGEST_WORD]
    assert speller.near("a" * 1_000_000, 3) == []
