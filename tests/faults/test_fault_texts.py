"""Texts that are odd or too small: the exit code, one line, nothing half-written (faults 13 to 15, 17 to 20)."""

import json
import pickle

import pytest

from cli.running import FAST, TEXT, the_error

PARAGRAPH = TEXT.encode()
REGEX = ("--set", "corpus.tokens=regex")


@pytest.mark.fault(13, 14, 15, 20)
@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        (b"", "the corpus holds no words"),
        (b"... --- !!!", "the corpus holds no words"),
        (b"sea sea sea sea sea sea", "needs at least 2 different words"),
        (b"the sea the sea a the", "the most frequent, 'the', occurs 3 times: lower --min-count"),
        ("the sea".encode("utf-16"), "is UTF-16; w2v reads UTF-8"),
        ("the sea\n".encode("utf-16-le") * 9, "is UTF-16LE without a byte order mark; w2v reads UTF-8"),
        (b"sea\nthe\n" * 9, "no word of the corpus has a neighbour"),
    ],
    ids=["empty", "no word", "one word", "all rare", "utf-16", "utf-16 without a mark", "no neighbours"],
)
def test_a_text_of_no_use_is_refused(w2v, corpus, expected):
    """A text that nothing can be learned from ends with exit code 3 and leaves the folder as it was."""
    w2v.write("corpus.txt", corpus)
    before = w2v.files()

    message = the_error(w2v.run("train", "corpus.txt", *FAST), 3)

    assert expected in message
    assert w2v.files() == before


@pytest.mark.fault(17)
def test_invalid_utf8_is_replaced_with_a_warning(w2v):
    """Bytes that are no UTF-8 are read as U+FFFD and counted in one warning, also when quiet."""
    w2v.write("corpus.txt", b"the \xff sea \xfe\n" + PARAGRAPH)

    done = w2v.run("train", "corpus.txt", *FAST, "-q")

    assert done.returncode == 0
    assert done.stderr.startswith("warning: corpus.txt is not UTF-8 in 2 places")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.fault(17)
def test_invalid_utf8_is_refused_when_strict(w2v):
    """`corpus.invalid_utf8=strict` stops at the first such byte and tells its offset."""
    w2v.write("corpus.txt", PARAGRAPH + b"the \xff sea")
    before = w2v.files()

    message = the_error(w2v.run("train", "corpus.txt", *FAST, "--set", "corpus.invalid_utf8=strict"), 3)

    assert f"not UTF-8 at byte {len(PARAGRAPH) + 4:,}" in message
    assert w2v.files() == before


@pytest.mark.fault(18, 19, 20, 21)
@pytest.mark.parametrize(
    "corpus",
    [
        PARAGRAPH.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PARAGRAPH,
        PARAGRAPH.replace(b" sat ", b"\0sat\0"),
        PARAGRAPH + b"x" * 3_000_000,
    ],
    ids=["CRLF", "BOM", "NUL", "huge word"],
)
def test_odd_bytes_do_no_harm(w2v, corpus):
    """Line ends of Windows, a byte order mark, NUL bytes and an endless word leave the vocabulary as it is."""
    w2v.write("corpus.txt", corpus)

    done = w2v.run("train", "corpus.txt", *FAST)

    assert done.returncode == 0
    assert "Vocabulary: 18 words (" in done.stderr


def test_what_was_dropped_is_told(w2v):
    """One line says what was read and what was not taken as it stands; what there was none of is not mentioned."""
    w2v.write("corpus.txt", PARAGRAPH + b"\n\nrare \0 \xff words " + b"x" * 200)

    done = w2v.run("train", "corpus.txt", *FAST, "--set", "corpus.max_token_bytes=100", "--json")

    assert (
        "1 file, 3.7 kB, 60 sentences; also: 1 token too long (200 bytes), 1 invalid character, 1 NUL byte\n"
    ) in done.stderr
    assert "; 2 rarer than 5 dropped\n" in done.stderr
    report = json.loads(done.stdout)["corpus"]
    assert {name: number for name, number in report.items() if number} == {
        "files": 1,
        "size_bytes": len(PARAGRAPH) + 217,
        "words": 812,
        "sentences": 60,
        "rare_words": 2,
        "rare_occurrences": 2,
        "long_tokens": 1,
        "long_bytes": 200,
        "invalid_characters": 1,
        "nul_bytes": 1,
        "blank_lines": 2,
    }


@pytest.mark.fault(18)
def test_a_text_full_of_nuls_is_trained_on_and_warned_of(w2v):
    """NUL is an ordinary byte; where there are many, the file looks binary, and a warning says so."""
    w2v.write("corpus.txt", PARAGRAPH + b"\0 " * 90)

    done = w2v.run("train", "corpus.txt", *FAST, "-q")

    assert done.returncode == 0
    [line] = done.stderr.splitlines()
    assert line.startswith("warning: looks binary: corpus.txt (90 of its ")


@pytest.mark.fault(10)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04 word/document.xml", "is a zip archive (as docx"),
        (pickle.dumps({"words": ["the", "sea"]}), "is a pickle"),
    ],
)
def test_a_file_of_other_data_is_refused(w2v, content, kind):
    """Archives, pickles and the like are not taken for text, whatever their name; nothing of them is run."""
    w2v.write("corpus.txt", content + PARAGRAPH)
    before = w2v.files()

    message = the_error(w2v.run("train", "corpus.txt", *FAST), 3)

    assert message.startswith(f"corpus.txt {kind}")
    assert w2v.files() == before


def test_a_pattern_that_matches_for_ever_is_stopped(w2v):
    """A regular expression with a repeat inside a repeat ends with exit code 2 after its time, not never."""
    w2v.write("corpus.txt", PARAGRAPH + b"a" * 60 + b"! ")
    first = "import w2v_cli.corpus.tokenizer as t\nt._PATTERN_SECONDS = 0.2"

    done = w2v.run("train", "corpus.txt", *FAST, *REGEX, "--set", "corpus.token_pattern=(a+)+$", first=first)

    assert "corpus.token_pattern '(a+)+$' tries ever more ways to match" in the_error(done, 2)


def test_a_pattern_says_what_a_word_is(w2v):
    """tokens: regex takes the matches as they are."""
    done = w2v.run("train", "text.txt", *FAST, *REGEX, "--set", "corpus.token_pattern=[A-Z]|[qs]")

    assert done.returncode == 0, done.stderr
    assert "Read 210 words" in done.stderr
    assert "Vocabulary: 6 words (100.0 % of the text)\n" in done.stderr
