"""Questions from stdin: lines, answered as they come."""

from collections.abc import Iterator
from typing import Protocol

from w2v_cli.errors import ConfigError

READ_BYTES = 1 << 16  # that one look at stdin takes in at most
LONGEST_LINE = 1 << 20  # bytes; a longer one is no question
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class Readable(Protocol):
    """A binary stream: `read1` returns what is there, and waits only where nothing is."""

    def read1(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


def iterate_batches(stream: Readable) -> Iterator[list[str]]:
    """Yield the lines that are there, without those that are blank, until the stream ends.

    So a program that writes one line and waits gets its answer, and a file is read in batches. Spaces around a line
    go, a carriage return and a byte order mark among them; bytes that are no UTF-8 stay as they are, in no word.
    Raises ConfigError for a line of more than a megabyte.
    """
    rest, mark = b"", BYTE_ORDER_MARK
    while block := stream.read1(READ_BYTES):
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if len(rest) > LONGEST_LINE:
            raise ConfigError(f"a line of stdin is longer than {LONGEST_LINE:,} bytes: write a question a line.")
        if newline:
            yield from _batch(whole, mark)
            mark = ""
    yield from _batch(rest, mark)


def _batch(text: bytes, mark: str) -> Iterator[list[str]]:
    """Yield the lines of `text` where it has any, after a `mark` that may stand before them."""
    lines = text.decode("utf-8", "surrogateescape").removeprefix(mark).split("\n")
    if kept := [line.strip() for line in lines if line.strip()]:
        yield kept


def split_words(line: str) -> list[str]:
    r"""Return the words of a line: between tabs where it has any, so that words may hold spaces, else between spaces.

    >>> split_words("new york\tusa"), split_words("king  man")
    (['new york', 'usa'], ['king', 'man'])
    """
    return [word.strip() for word in line.split("\t")] if "\t" in line else line.split()
