"""What counts as a word: prose, whatever stands between white space, or the matches of a pattern."""

import re
import signal
import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus import tokenizer
from w2v_cli.corpus.tokenizer import ProseSplitter, pattern_guard, regex_splitter, split_whitespace, splitter_for
from w2v_cli.errors import ConfigError

# Letters whose case folding is odd, marks that combine, digits, apostrophes, and spaces of all kinds.
TRICKY = "aAzZßẞΣσςİıŉǰᾳÅ\u212bﬁꭰᎠéＡ가ᄀ\u1161٣Ⅷ²_-.'’‘\u0301\u0327\u0345\u200d\xa0\u2003\u2028 \t\n\r\f\v\x1c\0"
texts = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(codec="utf-8")), max_size=40)
split_prose = ProseSplitter()


@given(texts)
def test_a_word_is_letters_marks_and_numbers_with_apostrophes_inside(text):
    """Nothing but the categories L, M and N, and single apostrophes between them, ever gets into a word."""
    words = split_prose(text)

    inner = "".join(words).replace("'", "")
    assert all(unicodedata.category(character)[0] in "LMN" for character in inner)
    assert not any(word.startswith("'") or word.endswith("'") or "''" in word or not word for word in words)


@given(texts)
def test_words_of_a_text_of_words_are_these_words(text):
    """Splitting its own output changes nothing."""
    words = split_prose(text)

    assert split_prose(" ".join(words)) == words


@given(texts, st.sampled_from(["NFC", "NFD"]))
def test_canonically_equal_texts_have_the_same_words_in_nfc(text, form):
    """It does not matter whether é comes as one character or as two; it leaves as one."""
    words = split_prose(text)

    assert split_prose(unicodedata.normalize(form, text)) == words
    assert words == [unicodedata.normalize("NFC", word) for word in words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Sea, the SEA!", ["the", "sea", "the", "sea"]),
        ("'tis rock'n'roll: the boys' don’t", ["tis", "rock'n'roll", "the", "boys", "don't"]),
        ("Straße STRASSE ΣΊΣΥΦΟΣ", ["strasse", "strasse", "σίσυφοσ"]),
        ("e-mail_box 1,000.5 x2 10%", ["e", "mail", "box", "1", "000", "5", "x2", "10"]),
        ("c\xa0d\u2003e\u2028f\fg\x1ch\0i", ["c", "d", "e", "f", "g", "h", "i"]),
        ("<unk> N $", ["unk", "n"]),
        ("naïve CAFE\u0301", ["naïve", "café"]),
        ("\u01f0 α\u0345\u0301 İ", ["\u01f0", "άι", "i\u0307"]),  # NFC before folding and after
        ("東京 हिन्दी", ["東京", "हिन्दी"]),
        ("' '' — …", []),
        ("x''y", ["x", "y"]),
    ],
)
def test_words_of_prose(text, words):
    """Prose is normalised, casefolded and cut at everything else."""
    assert split_prose(text) == words


@given(texts)
def test_whitespace_tokens_are_cut_at_ascii_white_space_only(text):
    """Other spaces, quotes, case and marks belong to the token."""
    assert split_whitespace(text) == [token for token in re.split("[ \t\n\r\v\f]", text) if token]


def test_nul_is_an_ordinary_byte():
    """A token may hold NUL; in prose it stands between words."""
    assert split_whitespace("a\0b c") == ["a\0b", "c"]
    assert split_prose("a\0b c") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\w+", ["Río", "2", "x"]),
        (r"[^\W\d_]+", ["Río", "x"]),
        (r"(\w)\w*|(-)", ["Río", "2", "-", "x"]),
        (r"\w*", ["Río", "2", "x"]),
        (r".", ["R", "í", "o", ".", "2", "-", "x", "!"]),
    ],
)
def test_a_pattern_s_matches_are_the_words(pattern, words):
    """The whole of each match, as it is, whether the pattern has groups or not; an empty match is no word."""
    assert regex_splitter(pattern)("Río.2-x!") == words


GUARDED = CorpusSettings(tokens="regex", token_pattern=r"(\w+)+$")  # noqa: S106  no password


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here, so no guard: NOT run")
def test_a_pattern_that_would_match_for_ever_is_stopped(monkeypatch):
    """Ever more ways to match end in exit 2 with the pattern, and the signal's handler is the old one again."""
    monkeypatch.setattr(tokenizer, "_PATTERN_SECONDS", 0.1)
    before = signal.getsignal(signal.SIGVTALRM)
    split = splitter_for(GUARDED)

    with (
        pytest.raises(ConfigError, match=r"token_pattern '\(\\\\w\+\)\+\$' tries ever more ways"),
        pattern_guard(GUARDED),
    ):
        split("a" * 50 + "!")

    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_the_guard_leaves_other_threads_alone():
    """Where no signal can be had, matching goes on without a guard."""
    found = []

    def match():
        with pattern_guard(GUARDED):
            found.extend(splitter_for(GUARDED)("abc"))

    thread = threading.Thread(target=match)
    thread.start()
    thread.join()

    assert found == ["abc"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("words", ["他说", "好", tokenizer.SENTENCE_END, "我们走", tokenizer.SENTENCE_END, "x"]),
        ("regex", ["他说", "好", tokenizer.SENTENCE_END, "我们走", tokenizer.SENTENCE_END, "x"]),
        ("whitespace", ["他说：“好。”我们走！x"]),
    ],
)
def test_sentences_end_within_a_stretch_of_writing_without_spaces(kind, words):
    """After 。 and its like, but for tokens: whitespace, where the stretch is one word."""
    assert splitter_for(CorpusSettings(tokens=kind, sentences="punctuation"))("他说：“好。”我们走！x") == words


def test_a_sentence_ends_with_its_stretch():
    """For every kind of token the end follows the words; by line there is none."""
    for kind, word in (("words", "río"), ("regex", "Río"), ("whitespace", "Río.”")):
        assert splitter_for(CorpusSettings(tokens=kind, sentences="punctuation"))("Río.”") == [word, ""]
        assert splitter_for(CorpusSettings(tokens=kind))("Río.”") == [word]
