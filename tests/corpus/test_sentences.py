"""Where a sentence ends, by punctuation."""

import pytest

from w2v_cli.corpus.sentences import ENDS, TITLES, cut_sentences, ends_sentence


@pytest.mark.parametrize(
    "stretch",
    [
        *("sea.", "sea!", "sea?", "sea…", "...", "?!", "1861.", "5."),
        *('sea."', "sea.'", "sea.”", "sea.’", "sea.»", "sea.)", "sea.)]", "_sea._", "**sea!**", "sea.“", "etc.)"),
        *("isn't.", "isn’t.", "T-shirt.", "a-J.", "x1a.", "no.", "mister.", "xMr.", "...a!"),
        *("है।", "海。", "海？", "海！」", "سؤال؟", "ہے۔", "Ναι!", "Да.", "մի։", "ነው።"),
    ],
)
def test_a_sentence_ends(stretch):
    """After an end's mark, closing quotes, brackets and marks of emphasis aside."""
    assert ends_sentence(stretch)


@pytest.mark.parametrize(
    "stretch",
    [
        *("", ")", '"', "sea", "sea,", "sea;", "sea:", "sea-", ".sea", "3.14", "e.g", "sea.x", "!x"),
        *("J.", "j.", "É.", "(J.", '"J.', "“J.", "[J.", "U.S.", "e.g.", "i.e.)", "J.R.R."),
        *("Mr.", "mr.", "MRS.", "(Dr.", "“St.", "Messrs.", "Mme.", "vs."),
    ],
)
def test_a_sentence_goes_on(stretch):
    """Without such a mark, and after a full stop that belongs to an initial or a title."""
    assert not ends_sentence(stretch)


def test_only_a_full_stop_can_belong_to_a_word():
    """Other marks end a sentence after a single letter or a title, too; no mark is listed twice."""
    assert all(ends_sentence(f"{word}{mark}") for mark in ENDS if mark != "." for word in ("J", "Mr"))
    assert len(set(ENDS)) == len(ENDS)
    assert all(title.isascii() and title.islower() and len(title) <= 8 for title in TITLES)


@pytest.mark.parametrize(
    ("stretch", "parts"),
    [
        ("", []),
        ("好", [("好", False)]),
        ("好。", [("好。", True)]),
        ("“好。”他说", [("“好。”", True), ("他说", False)]),
        ("好！？」走｡ok.", [("好！？」", True), ("走｡", True), ("ok.", True)]),
        ("a.b.c", [("a.b.c", False)]),
    ],
)
def test_a_stretch_is_cut_after_marks_of_writing_without_spaces(stretch, parts):
    """The parts, joined, are the stretch; the last may go on."""
    assert list(cut_sentences(stretch)) == parts
