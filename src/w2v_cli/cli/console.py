"""What the commands print: data on stdout, everything else on stderr, UTF-8 on both."""

import io
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import typer

from w2v_cli.cli.options import as_option
from w2v_cli.errors import StorageError, UnknownWordError, W2vError, render

if TYPE_CHECKING:
    from w2v_cli.queries import Neighbour

JSON_SCHEMA = 1
_LEAST_COLUMNS = 40  # of a terminal that a bar has room on
_CLOSED_PIPE_EXIT = 141  # 128 + SIGPIPE, as a program that the signal ends

# What steers a terminal or breaks a line: control codes, line separators, marks of direction, halves of characters.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return `text` with all that steers a terminal escaped: a foreign file may hold anything.

    >>> printable("\x1b[2Jword")
    '\\x1b[2Jword'
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def write(text: str) -> None:
    """Write data to stdout, now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_bytes(block: bytes) -> None:
    """Write data that is UTF-8 already to stdout, now."""
    cast("_Stream", sys.stdout).write_bytes(block)


def write_json(command: str | None, content: dict[str, Any]) -> None:
    """Write one JSON object on one line; `schema` grows when a key changes its meaning."""
    write(json_line(command, json.loads(json.dumps(content), parse_constant=str)))  # JSON has no NaN, a file may


def json_line(command: str | None, content: dict[str, Any]) -> str:
    """Return that line, for content without NaN."""
    text = json.dumps({"schema": JSON_SCHEMA, "command": command, **content}, ensure_ascii=False)
    # What is no Unicode in a file name becomes \udc.., which is also JSON's way to write it.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_error(error: W2vError) -> dict[str, Any]:
    """Return what JSON says of a failure."""
    content: dict[str, Any] = {"exit_code": error.exit_code, "message": as_typed(error.message)}
    if isinstance(error, UnknownWordError):
        content |= {"word": error.word, "suggestions": list(error.suggestions)}
    return content


def as_typed(message: str) -> str:
    """Return a message of ours with options in place of its references to settings."""
    return render(message, as_option)


def note(text: str) -> None:
    """Tell the user something on stderr."""
    sys.stderr.write(as_typed(text) + "\n")
    sys.stderr.flush()


def warn(text: str) -> None:
    """Tell the user on stderr of something to look at; also when quiet."""
    _label("warning:", typer.colors.YELLOW, text)


class _WarningHandler(logging.Handler):
    """Shows what the library warns of as the CLI's own warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's message."""
        warn(record.getMessage())


def fail(text: str) -> None:
    """Tell the user on stderr what went wrong."""
    _label("error:", typer.colors.RED, text)


def _label(label: str, colour: str, text: str) -> None:
    has_colour = _takes_codes() and not os.environ.get("NO_COLOR")
    typer.echo(f"{typer.style(label, fg=colour, bold=True)} {printable(as_typed(text))}", err=True, color=has_colour)


def can_redraw() -> bool:
    """Return whether stderr is a terminal on which a line may be drawn anew: one that is wide enough, and in colour."""
    is_wide = shutil.get_terminal_size().columns >= _LEAST_COLUMNS
    return _takes_codes() and is_wide and not os.environ.get("NO_COLOR")


def _takes_codes() -> bool:
    """Return whether stderr is a terminal that understands control codes."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def show_neighbours(neighbours: Sequence["Neighbour"], *, score_name: str) -> None:
    """Write words and scores: aligned under a heading on a terminal, tab-separated otherwise."""
    if not neighbours:
        note("no other word is left to answer with.")
        return
    rows = [(neighbour.word, f"{neighbour.score:.4f}") for neighbour in neighbours]
    if not sys.stdout.isatty():
        write("\n".join(tabbed(*row) for row in rows))
        return
    longest = max(width(printable(word)) for word, _ in rows)
    note(f"{'word':<{longest}}  {score_name:>10}")
    write("\n".join(aligned(rows, score_width=10)))


def tabbed(*cells: object) -> str:
    """Return a line of a table for programs: tabs between, those inside escaped."""
    return "\t".join(printable(str(cell)) for cell in cells)


def aligned(rows: Sequence[tuple[str, str]], *, score_width: int = 0) -> list[str]:
    """Return a line for each word and its score, the scores below each other."""
    words = [printable(word) for word, _ in rows]
    longest = max(map(width, words), default=0)
    padded = [word + " " * (longest - width(word)) for word in words]
    return [f"{word}  {score:>{score_width}}" for word, (_, score) in zip(padded, rows, strict=True)]


def width(text: str) -> int:
    """Return how many columns `text` takes on a terminal: 語 takes two."""
    from rich.cells import cell_len  # noqa: PLC0415  slow to load

    return cell_len(text)


def prepare_streams() -> None:
    """Make stdout and stderr UTF-8 in every locale, and their failures ours."""
    logging.basicConfig(handlers=[_WarningHandler()], level=logging.WARNING)
    # A stream that was closed beforehand is None; one that refuses writing takes the place of stdout.
    sys.stdout = cast("TextIO", _Stream(sys.stdout or _open_null("r"), "stdout"))
    sys.stderr = cast("TextIO", _Stream(sys.stderr or _open_null("w"), "stderr"))


def _open_null(mode: Literal["r", "w"]) -> TextIO:
    return Path(os.devnull).open(mode, encoding="utf-8")


class _Stream:
    """A standard stream whose failures end the program as they should.

    A reader that is gone (BrokenPipeError) ends it quietly; another failure is a StorageError for data on stdout,
    while of stderr only text is lost.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        if isinstance(stream, io.TextIOWrapper) and isinstance(stream.buffer, io.RawIOBase):
            # PYTHONUNBUFFERED is set. What a raw stream does not take at once would be lost without a word.
            buffer = io.BufferedWriter(io.FileIO(stream.fileno(), "wb", closefd=False))
            stream = io.TextIOWrapper(buffer, line_buffering=True)
        self._stream = stream
        self._name = name
        if isinstance(stream, io.TextIOWrapper):
            # File names that are no UTF-8 leave as they came in.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape" if name == "stdout" else "backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`."""
        if text == "":  # with which Typer tries what kind of stream it has, hiding what fails
            return 0
        try:
            return self._stream.write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def write_bytes(self, block: bytes) -> None:
        """Write bytes, after all text before them."""
        try:
            self._stream.flush()
            self._stream.buffer.write(block)
            self._stream.buffer.flush()
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Write what is in the buffer."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # Point the stream at nothing, so that the interpreter's own flush at exit says nothing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(_CLOSED_PIPE_EXIT) from None
        if self._name == "stdout":
            cause = error.strerror or "it is closed"
            raise StorageError(f"cannot write to stdout: {cause}; send the output somewhere else.") from error
