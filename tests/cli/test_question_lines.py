"""Lines of stdin are answered as they come, however they are cut into blocks and whatever they end with."""

import io
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.cli import ask_inputs
from w2v_cli.cli.ask_inputs import iterate_batches
from w2v_cli.errors import ConfigError


class Cut:
    """A stream that gives a text in pieces of given sizes."""

    def __init__(self, content, sizes):
        self._content = io.BytesIO(content)
        self._sizes = iter(sizes)

    def read1(self, size):
        """Return the next piece."""
        return self._content.read(min(size, next(self._sizes, size)))


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff")), max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    sizes=st.lists(st.integers(1, 9)),
)
def test_lines_are_those_of_the_text(lines, end, mark, sizes):
    """Blank ones, carriage returns and a byte order mark go; the last line needs no end."""
    text = mark + end.join(lines)
    expected = [line.strip() for line in lines if line.strip()]

    assert [line for batch in iterate_batches(Cut(text.encode(), sizes)) for line in batch] == expected


def test_a_line_is_given_before_the_next_is_written():
    """Who writes a question and waits for its answer gets it: nothing is held back for a full batch."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as sink:
        batches = iterate_batches(stream)
        for question in ("one", "two"):
            sink.write(f"{question}\n".encode())
            answers = []
            thread = threading.Thread(target=lambda found=answers: found.append(next(batches)), daemon=True)
            thread.start()
            thread.join(timeout=20)

            assert answers == [[question]]


def test_bytes_that_are_no_utf8_stay():
    """They become no other word."""
    assert list(iterate_batches(io.BytesIO(b"a\xff\n"))) == [["a\udcff"]]


def test_a_line_without_end_is_refused(monkeypatch):
    """Memory is bounded by the longest line that may be."""
    monkeypatch.setattr(ask_inputs, "_LONGEST_LINE", 100)

    with pytest.raises(ConfigError, match="longer than 100 bytes"):
        list(iterate_batches(io.BytesIO(b"fine\n" + b"x" * 101)))
