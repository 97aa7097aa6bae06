"""What is read from a text and what counts as a word, whatever the block borders and the bytes."""

import codecs
import hashlib
import re
import tempfile
import tracemalloc
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v_cli import corpus
from w2v_cli.corpus import ProseSplitter, TextReader, split_whitespace
from w2v_cli.errors import CorpusError

# Letters whose case folding is odd, marks that combine, digits, apostrophes, and spaces of all kinds.
TRICKY = "aAzZßẞΣσςİıŉǰᾳÅ\u212bﬁꭰᎠéＡ가ᄀ\u1161٣Ⅷ²_-.'’‘\u0301\u0327\u0345\u200d\xa0\u2003\u2028 \t\n\r\f\v\x1c\0"
texts = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(codec="utf-8")), max_size=40)
split_prose = ProseSplitter()


def read(content, *, block_bytes=None, strict_utf8=False):
    """Return the reader after the last piece, and the pieces."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        if block_bytes:
            patch.setattr(corpus, "BLOCK_BYTES", block_bytes)
        path = Path(folder) / "x.txt"
        path.write_bytes(content)
        reader = TextReader(path, strict_utf8=strict_utf8)
        return reader, list(reader.iterate_pieces())


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


@settings(deadline=None)  # every example is a file
@given(text=st.text("aé東𝄞\u0301'Σ \n\r\f\xa0\ufffd", max_size=60), block_bytes=st.integers(1, 12))
def test_pieces_are_the_text_cut_at_white_space(text, block_bytes):
    """In blocks of a few bytes no word is cut; size, hash and the open line are those of the whole."""
    reader, pieces = read(text.encode(), block_bytes=block_bytes)

    assert b"".join(pieces) == text.encode()
    assert all(piece[-1:] in b" \n\r\f" for piece in pieces[:-1])
    assert reader.size_bytes == len(text.encode())
    assert reader.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert reader.has_open_line == (text != "" and not text.endswith("\n"))


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["plain", "BOM"])
@pytest.mark.parametrize("before", [0, 3, 50])
def test_strict_names_the_first_invalid_byte(mark, before):
    """The offset counts from the start of the file, in any block and after a byte order mark."""
    content = mark + "東 ".encode() * before + b"ab\xff\xfe c"
    offset = content.index(b"\xff")

    with pytest.raises(CorpusError, match=rf"x\.txt is not UTF-8 at byte {offset}: .*invalid_utf8=replace") as refusal:
        read(content, block_bytes=16, strict_utf8=True)

    assert refusal.value.exit_code == 3


@pytest.mark.parametrize("policy", [True, False], ids=["strict", "replace"])
def test_valid_text_is_read_alike_under_both_policies(policy):
    """Strict is about invalid bytes only."""
    _, pieces = read("naïve \ufffd 東京\n".encode(), strict_utf8=policy)

    assert b"".join(pieces) == "naïve \ufffd 東京\n".encode()


def test_byte_order_mark_is_dropped_at_the_start_alone():
    """The first word does not begin with U+FEFF; further on in the text it is a character like others."""
    reader, pieces = read(codecs.BOM_UTF8 + "a \ufeffb".encode())

    assert b"".join(pieces) == "a \ufeffb".encode()
    assert (reader.size_bytes, reader.sha256) == (9, hashlib.sha256(codecs.BOM_UTF8 + "a \ufeffb".encode()).hexdigest())


def test_a_file_that_changes_is_refused(tmp_path, monkeypatch):
    """Where somebody writes to the text while it is read, the scan ends in exit 3."""
    monkeypatch.setattr(corpus, "BLOCK_BYTES", 4)
    path = tmp_path / "x.txt"
    path.write_bytes(b"some words and more")
    pieces = TextReader(path, strict_utf8=False).iterate_pieces()
    next(pieces)
    with path.open("ab") as file:
        file.write(b" and more")

    with pytest.raises(CorpusError, match="changed while it was read"):
        list(pieces)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_refused_with_the_way_out(encoding):
    """A text in UTF-16 is not read as garbage: exit 3, and the command that converts it."""
    content = ("" if encoding == "utf-16" else "\ufeff") + "some words"

    with pytest.raises(CorpusError, match=r"x\.txt is UTF-16 and UTF-8 is needed: iconv -f UTF-16 -t UTF-8"):
        read(content.encode(encoding))


def test_nul_is_an_ordinary_byte():
    """A token may hold NUL; in prose it stands between words."""
    assert split_whitespace("a\0b c") == ["a\0b", "c"]
    assert split_prose("a\0b c") == ["a", "b", "c"]


def test_one_endless_line_is_read_in_bounded_memory(tmp_path, monkeypatch):
    """A line of 2 MB, read in blocks of 16 KB, never takes more than a few blocks."""
    monkeypatch.setattr(corpus, "BLOCK_BYTES", 1 << 14)
    path = tmp_path / "x.txt"
    path.write_bytes("größer ".encode() * 220_000)
    reader = TextReader(path, strict_utf8=True)
    tracemalloc.start()
    words = sum(piece.count(b" ") for piece in reader.iterate_pieces())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert words == 220_000
    assert peak < 10 * (1 << 14)
