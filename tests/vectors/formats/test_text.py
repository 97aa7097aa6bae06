"""What other tools write is read, whatever it is called; what is damaged or hostile is refused with its place."""

import bz2
import gzip
import lzma
import struct
import tracemalloc

import numpy as np
import pytest
from exchanging import import_file
from numpy.testing import assert_array_equal

from w2v_cli.errors import ConfigError, StorageError, VectorsError
from w2v_cli.system.compression import zstd
from w2v_cli.vectors.formats import text

ROWS = [[0.5, -1], [2, 0.25]]
READABLE = {
    "word2vec": (b"2 2\nthe 0.5 -1\nsea 2 .25\n", "word2vec"),
    "word2vec without its last newline": (b"2 2\nthe 0.5 -1\nsea 2 .25", "word2vec"),
    "word2vec of Windows": (b"2 2\r\nthe 0.5 -1\r\nsea 2 .25\r\n", "word2vec"),
    "word2vec with a mark": (b"\xef\xbb\xbf2 2\nthe 0.5 -1\nsea 2 .25\n", "word2vec"),
    "fastText": (b"2 2\nthe 0.5 -1 \nsea 2 .25 \n", "word2vec"),
    "exponents": (b"2 2\nthe 5e-1 -1E0\nsea +2.0 2.5e-01\n", "word2vec"),
    "blank lines at the end": (b"2 2\nthe 0.5 -1\nsea 2 .25\n\n\n", "word2vec"),
    "GloVe": (b"the 0.5 -1\nsea 2 .25\n", "glove"),
    "GloVe of Windows": (b"the 0.5 -1\r\nsea 2 .25\r\n", "glove"),
    "binary": (
        b"2 2\nthe " + struct.pack("<2f", 0.5, -1) + b"\nsea " + struct.pack("<2f", 2, 0.25) + b"\n",
        "word2vec-binary",
    ),
    "binary of gensim": (
        b"2 2\nthe " + struct.pack("<2f", 0.5, -1) + b"sea " + struct.pack("<2f", 2, 0.25),
        "word2vec-binary",
    ),
}


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def parser(request, monkeypatch):
    """Let both parsers of text read everything."""
    if request.param == "compiled":
        monkeypatch.setattr(text, "_MANY_BYTES", 0)


def write(tmp_path, content, name="x"):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


@pytest.mark.parametrize(("content", "name"), READABLE.values(), ids=READABLE)
def test_the_content_says_the_format(tmp_path, content, name):
    """With a header or without, as text or binary, with the ends of lines and numbers that tools write."""
    found, told = import_file(write(tmp_path, content), tmp_path / "y")

    assert told.form.name == name
    assert tuple(found.words) == ("the", "sea")
    assert_array_equal(found.vectors, np.array(ROWS))
    assert found.counts is None


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
@pytest.mark.parametrize("case", ["word2vec", "GloVe", "binary"])
def test_compressed_files_are_unpacked_on_the_way(tmp_path, pack, case):
    """Whatever the name is."""
    found, _ = import_file(write(tmp_path, pack(READABLE[case][0])), tmp_path / "y")

    assert_array_equal(found.vectors, np.array(ROWS))


@pytest.mark.parametrize("word", ["new york", ". . .", "at name@domain.com"])
def test_words_with_spaces_of_foreign_files_are_read(tmp_path, word):
    """GloVe's largest file has such: the numbers are the last fields."""
    found, _ = import_file(write(tmp_path, f"the 0.5 -1\n{word} 2 .25\n".encode()), tmp_path / "y")

    assert tuple(found.words) == ("the", word)
    assert_array_equal(found.vectors, np.array(ROWS))


@pytest.mark.parametrize("size", [16, 50, 1000])
@pytest.mark.parametrize("case", READABLE)
def test_borders_of_blocks_lie_anywhere(tmp_path, monkeypatch, case, size):
    """What is handled together does not show."""
    monkeypatch.setattr("w2v_cli.vectors.formats.reader._BLOCK_BYTES", size)
    monkeypatch.setattr("w2v_cli.vectors.formats.reader._CHUNK_BYTES", size // 3)
    monkeypatch.setattr("w2v_cli.vectors.formats.word2vec_binary._BLOCK_BYTES", size)

    found, _ = import_file(write(tmp_path, READABLE[case][0]), tmp_path / "y")

    assert_array_equal(found.vectors, np.array(ROWS))


def binary(*rows, header=b"2 2\n"):
    return header + b"".join(word + b" " + struct.pack("<2f", *numbers) for word, *numbers in rows)


REFUSED = {
    "a word twice": (b"a 1 2\nb 3 4\na 5 6\n", "x, line 3: the word 'a' occurs twice, first in line 1."),
    "a word twice under a header": (b"2 2\na 1 2\na 5 6\n", "x, line 3: the word 'a' occurs twice, first in line 2."),
    "a number too few": (b"a 1 2\nb 3\n", "x, line 2: 1 number after the word, expected 2."),
    "a number too many": (b"a 1 2\nb 3 4 5\n", "x, line 2: more than 2 numbers after the word."),
    "numbers that make up for each other": (
        b"2 2\na 1 2 3\nb 4\n",
        "x, line 2: more than 2 numbers after the word",
    ),
    "two numbers in one field, one in none": (b"a 1 2\nb 1-2 \nc  3\n", "x, line 2: 1 number after the word"),
    "a field that is empty": (b"a 1 2\nb 1-2 3\nc  3\n", "x, line 2: '1-2' is not a number; expected 2 after the word"),
    "no number": (b"a 1 2\nb 3 x\n", "x, line 2: 'x' is not a number; expected 2 after the word."),
    "a number with an underscore": (b"a 1 2\nb 3 1_0\n", "x, line 2: '1_0' is not a number"),
    "NaN": (b"a 1 2\nb 3 nan\n", "x, line 2: number 2 of its vector is nan, not a finite float32."),
    "infinity": (b"a 1 2\nb -inf 3\n", "x, line 2: number 1 of its vector is -inf"),
    "more than float32": (b"a 1 2\nb 1e39 3\n", "x, line 2: number 1 of its vector is inf"),
    "more than float16": (b"a 1 2\nb 1e9 3\n", 'beyond the range of float16 (65504); add dtype="float32".'),
    "no UTF-8": (b"a 1 2\nb\xff 3 4\n", r"x, line 2: the word 'b\\xff' is not UTF-8 (at its byte 2)."),
    "a character over two words": (b"a\xc3 1 2\n\xa9 3 4\n", r"x, line 1: the word 'a\\xc3' is not UTF-8"),
    "no word": (b"a 1 2\n 3 4\n", "x, line 2: the word is empty."),
    "a blank line": (b"a 1 2\n\nb 3 4\n", "x, line 2: the line is blank."),
    "more lines than claimed": (b"1 2\na 1 2\nb 3 4\n", "x, line 3: the header promises 1 word, and here is one more."),
    "fewer lines than claimed": (b"3 1\nabc 1\nabcd 2\n", "x is cut off: its header promises 3 words, it holds 2."),
    "no rows": (b"0 5\na 1 2\n", "x, line 1: a file with 0 words of 5 dimensions"),
    "no columns": (b"5 0\na 1 2\n", "x, line 1: a file with 5 words of 0 dimensions"),
    "a million million rows": (b"1000000000000 2\na 1 2\n", "x, line 1: the header promises 1,000,000,000,000 words"),
    "a million million columns": (b"2 1000000000000\na 1 2\n", "x, line 1: a file with 2 words of 1,000,000,000,000"),
    "a binary of a million million rows": (
        binary((b"a", 1, 2), header=b"1000000000000 2\n"),
        "the header promises 1,000,000,000",
    ),
    "a binary cut in a vector": (binary((b"a", 1, 2), (b"b", 3, 4))[:-1], "x, byte 14: after 1 of the 2 words"),
    "a binary cut in a longer word": (binary((b"abcd", 1, 2)) + b"abcdefghij", "x, byte 17: after 1 of the 2 words"),
    "a binary cut in a later vector": (binary((b"abcdefgh", 1, 2), (b"b", 3, 4))[:-3], "the next vector is incomplete"),
    "a binary that goes on": (
        binary((b"a", 1, 2), (b"b", 3, 4)) + b"x",
        "1 bytes or more follow the 2 words of 2 dimensions that its header promises, at byte 24",
    ),
    "a binary with a word twice": (
        binary((b"a", 1, 2), (b"a", 3, 4)),
        "x, word 2: the word 'a' occurs twice, first",
    ),
    "a binary with NaN": (binary((b"a", 1, 2), (b"b", 3, np.nan)), "x, word 2: number 2 of its vector is nan"),
    "a binary with no UTF-8": (binary((b"a", 1, 2), (b"\xff", 3, 4)), r"x, word 2: the word '\\xff' is not UTF-8"),
    "a text": (
        b"Once upon a time\nthere was a king.\n",
        "none of the formats that w2v imports (word2vec, ",
    ),
    "noise": (bytes(range(256)) * 9, "x looks like none of the formats that w2v imports"),
    "nothing": (b"", "x is empty"),
    "nothing, compressed": (gzip.compress(b""), "x is empty"),
    "a cut gzip": (gzip.compress(READABLE["GloVe"][0])[:-9], "x is cut off"),
    "a header and nothing": (b"2 2\n", "x, line 1: the header promises 2 words of 2 dimensions, at least "),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_its_place(tmp_path, monkeypatch, content, message):
    """One line, naming the line, the word or the byte; nothing is left behind, and no memory taken."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, content)
    tracemalloc.start()

    with pytest.raises(VectorsError) as caught:
        import_file("x", tmp_path / "y")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
    assert peak < 20_000_000


@pytest.mark.parametrize("size", [b"-2 2", b"2 -2", b"2.0 2", b"2", b"2 2 2", b"0x2 2", b"9" * 30 + b" 2"])
@pytest.mark.parametrize("name", ["word2vec", "word2vec-binary", "fasttext"])
def test_a_header_that_is_none_is_refused(tmp_path, name, size):
    """Negative numbers, fractions, too few, too many, too long ones."""
    with pytest.raises(VectorsError, match=r"x, line 1: expected the numbers of words and of dimensions, found '.*'"):
        import_file(write(tmp_path, size + b"\na 1 2\nb 3 4\n"), tmp_path / "y", name)


def test_a_claim_of_a_compressed_file_takes_no_memory(tmp_path):
    """Where the size cannot be known beforehand, only rows that are there are kept."""
    content = b"1000000000000 100\n" + b"a" + b" 1" * 100 + b"\n"

    with pytest.raises(VectorsError, match="promises 1,000,000,000,000 words, it holds 1"):
        import_file(write(tmp_path, gzip.compress(content)), tmp_path / "y")


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    """A file that unpacks to a thousand times its size is none of vectors; what to do is said."""
    monkeypatch.setattr("w2v_cli.system.compression._ALWAYS_BYTES", 640_000)  # 64 MB take half a minute
    bomb = gzip.compress(b"a 1 2\n" * (7_000_000 // 6), 9)

    with pytest.raises(VectorsError, match=r"more than 100 times its size .* decompress it yourself"):
        import_file(write(tmp_path, bomb), tmp_path / "y", name="glove")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_line_without_an_end_is_refused(tmp_path, monkeypatch):
    """However long it is, it is not read to its end."""
    monkeypatch.setattr("w2v_cli.vectors.formats.reader.LONGEST_LINE", 10_000)
    monkeypatch.setattr("w2v_cli.vectors.formats.reader._BLOCK_BYTES", 1000)

    with pytest.raises(VectorsError, match="has a line of more than 10,000 bytes at byte 6"):
        import_file(write(tmp_path, b"a 1 2\nb" + b" 1" * 50_000), tmp_path / "y")


def test_a_word_beyond_all_bounds_is_refused(tmp_path, monkeypatch):
    """The limit is named."""
    monkeypatch.setattr("w2v_cli.vectors.formats.builder.LONGEST_WORD", 1000)

    with pytest.raises(VectorsError, match="line 2: the word has more than 1,000 bytes"):
        import_file(write(tmp_path, b"a 1 2\n" + b"b" * 1001 + b" 1 2\n"), tmp_path / "y")


def test_missing_files_and_formats_are_named(tmp_path):
    """A file that is not there, a folder, a format that is none."""
    with pytest.raises(VectorsError, match="none not found"):
        import_file(tmp_path / "none", tmp_path / "y")
    with pytest.raises((StorageError, VectorsError), match=str(tmp_path)):
        import_file(tmp_path, tmp_path / "y")
    with pytest.raises(ConfigError, match='format="word3vec" is unknown; choose one of word2vec, '):
        import_file(tmp_path / "x", tmp_path / "y", "word3vec")
