"""Files in parts: nothing is read twice, nothing is left out, and no line is torn that ends within a megabyte."""

import gzip
import os
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.corpus import parts as parts_module
from w2v_cli.corpus.parts import inspect_file, line_begin, open_text
from w2v_cli.corpus.sources import Source
from w2v_cli.errors import CorpusError


def read(source):
    with open_text(source) as read_some:
        return b"".join(iter(lambda: read_some(7), b""))


def parts_of(path, cuts):
    """Return what is read of a file between each two cuts."""
    source = Source(str(path))
    facts, _ = inspect_file(source)
    return [read(facts.part(source, first, last)) for first, last in pairwise([0, *sorted(cuts), facts.size])]


@given(
    st.lists(st.sampled_from([b"sea", b"ship", b" ", b"\n", b"\r\n", b"\xc3\xa9"]), max_size=60).map(b"".join),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_parts_are_the_file_and_end_with_lines(text, cuts):
    """Parts between any cuts, one after the other, are the file; each but the last ends with a line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.txt")
        path.write_bytes(text)
        parts = parts_of(path, [min(cut, len(text)) for cut in cuts])

    assert b"".join(parts) == text
    begun = b""
    for part in parts[:-1]:
        begun += part
        assert begun.endswith(b"\n") or begun in (b"", text)


@given(
    st.lists(st.sampled_from([b"sea", b" ", b"\n"]), max_size=80).map(b"".join),
    st.lists(st.integers(0, 240), max_size=8),
)
def test_a_line_without_end_is_cut_at_white_space(text, cuts):
    """Where no line ends for long, a part ends after the next white space; still nothing is lost or read twice."""
    before, parts_module._LOOK_BYTES = parts_module._LOOK_BYTES, 8
    try:
        cuts = sorted(min(cut, len(text)) for cut in cuts)
        read_at = lambda first, count: text[first : first + count]  # noqa: E731  a fake of two words
        places = [line_begin(cut, len(text), read_at) for cut in [0, *cuts, len(text)]]
    finally:
        parts_module._LOOK_BYTES = before

    assert places == sorted(places)
    assert all(place in (0, len(text)) or text[place - 1 : place].isspace() for place in places)


def test_a_file_that_changes_is_refused(tmp_path):
    """A part is of the file that was looked at: one of another time or length is not read."""
    path = tmp_path / "x.txt"
    path.write_text("one\ntwo\n")
    facts, _ = inspect_file(Source(str(path)))
    part = facts.part(Source(str(path)), 0, 4)
    os.utime(path, ns=(1, 1))

    with pytest.raises(CorpusError, match=r"x\.txt changed while it was read"):
        read(part)


def test_what_is_compressed_is_one_part(tmp_path):
    """A compressed file cannot be read from its middle on."""
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\n" * 1000))
    source = Source(str(path))
    facts, _ = inspect_file(source)

    assert facts.parts(source, 10) == [(facts.whole(source), path.stat().st_size)]
    assert read(facts.whole(source)) == path.read_bytes()


def test_a_missing_file_is_named(tmp_path):
    """As where a text is read as a whole."""
    with pytest.raises(CorpusError, match="No such file"):
        inspect_file(Source(str(tmp_path / "none.txt")))
