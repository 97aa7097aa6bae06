"""Output of the commands: data on stdout, everything else on stderr, UTF-8 on both."""

import io
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TextIO, cast

import typer

from w2v_cli.cli.options import as_option
from w2v_cli.errors import StorageError, UnknownWordError, W2vError, render

JSON_SCHEMA = 1
_LEAST_COLUMNS = 40  # of a terminal wide enough for a bar, and for lines to be wrapped
_CLOSED_PIPE_EXIT = 141  # 128 + SIGPIPE, as for a program that the signal ends

# Characters that control a terminal or break a line: control codes, line separators, direction marks, lone surrogates.
_PIECE = re.compile(r" *(?:[^ `]*`[^`]*`[^ `]*|[^ ]+)")  # a word, or what is in backticks
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return `text` with everything escaped that controls a terminal: a file may hold anything.

    >>> printable("\x1b[2Jword")
    '\\x1b[2Jword'
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def write(text: str) -> None:
    """Write a line to stdout and flush."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_text(lines: Iterable[str]) -> None:
    """Write lines for people to stdout, wrapped at the width of the terminal if it is one."""
    write("\n".join(wrapped(line, sys.stdout) for line in lines))


def write_bytes(block: bytes) -> None:
    """Write UTF-8 bytes to stdout and flush."""
    cast("_Stream", sys.stdout).write_bytes(block)


def write_json(command: str | None, content: dict[str, Any]) -> None:
    """Write a JSON object as a line; `schema` grows when a key changes its meaning."""
    write(
        json_line(command, json.loads(json.dumps(content), parse_constant=str))
    )  # a file may hold NaN, which JSON lacks


def json_line(command: str | None, content: dict[str, Any]) -> str:
    """Return a JSON object as a line; `content` holds no NaN."""
    text = json.dumps({"schema": JSON_SCHEMA, "command": command, **content}, ensure_ascii=False)
    # Bytes of a file name that are not UTF-8 become \udc.., which is JSON's notation as well.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_error(error: W2vError) -> dict[str, Any]:
    """Return the JSON of a failure."""
    content: dict[str, Any] = {"exit_code": error.exit_code, "message": as_typed(error.message)}
    if isinstance(error, UnknownWordError):
        content |= {"word": error.word, "suggestions": list(error.suggestions)}
    return content


def as_typed(message: str) -> str:
    """Return a message with options in place of its references to settings."""
    return render(message, as_option)


def note(text: str) -> None:
    """Write text to stderr, its lines wrapped at the width of the terminal."""
    sys.stderr.write("\n".join(wrapped(line, sys.stderr) for line in as_typed(text).split("\n")) + "\n")
    sys.stderr.flush()


def warn(text: str) -> None:
    """Write a warning to stderr."""
    _label("warning:", typer.colors.YELLOW, text)


class _WarningHandler(logging.Handler):
    """Shows log messages of the library as warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record's message."""
        warn(record.getMessage())


def fail(text: str) -> None:
    """Write an error to stderr."""
    _label("error:", typer.colors.RED, text)


def _label(label: str, colour: str, text: str) -> None:
    has_colour = _takes_codes() and not os.environ.get("NO_COLOR")
    rest = wrapped(f"{label} {printable(as_typed(text))}", sys.stderr).removeprefix(label)
    typer.echo(typer.style(label, fg=colour, bold=True) + rest, err=True, color=has_colour)


def wrapped(text: str, stream: TextIO) -> str:
    """Return a line broken between words to fit the terminal; as it is if the stream is none, or a very narrow one.

    What is in backticks is not broken, so that a command can be copied.
    """
    room = shutil.get_terminal_size().columns
    if not stream.isatty() or room < _LEAST_COLUMNS or len(text) < room // 2 or cell_width(text) <= room:
        return text
    indent = " " * (len(text) - len(text.lstrip(" ")) + 2)
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1].strip() and cell_width(lines[-1] + piece) > room:
            lines.append(indent)
            piece = piece.lstrip(" ")  # noqa: PLW2901
        lines[-1] += piece
    return "\n".join(lines)


def can_redraw() -> bool:
    """Return whether stderr is a terminal that can show a bar: wide enough, and colours are not disabled."""
    is_wide = shutil.get_terminal_size().columns >= _LEAST_COLUMNS
    return _takes_codes() and is_wide and not os.environ.get("NO_COLOR")


def _takes_codes() -> bool:
    """Return whether stderr is a terminal that interprets control codes."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def cell_width(text: str) -> int:
    """Return how many columns of a terminal `text` takes: 語 takes two."""
    from rich.cells import cell_len

    return cell_len(text)


def prepare_streams() -> None:
    """Make stdout and stderr UTF-8 in every locale, and turn their failures into W2vErrors."""
    logging.basicConfig(handlers=[_WarningHandler()], level=logging.WARNING)
    # A closed stream is None; stdout is then replaced by one that refuses writing.
    sys.stdout = cast("TextIO", _Stream(sys.stdout or _open_null("r"), "stdout"))
    sys.stderr = cast("TextIO", _Stream(sys.stderr or _open_null("w"), "stderr"))


def _open_null(mode: Literal["r", "w"]) -> TextIO:
    return Path(os.devnull).open(mode, encoding="utf-8")


class _Stream:
    """A standard stream that handles its failures.

    A closed pipe ends the program quietly. Another failure of stdout raises StorageError; on stderr, text is lost.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        if isinstance(stream, io.TextIOWrapper) and isinstance(stream.buffer, io.RawIOBase):
            # PYTHONUNBUFFERED is set: a raw stream would silently lose what it does not write at once.
            buffer = io.BufferedWriter(io.FileIO(stream.fileno(), "wb", closefd=False))
            stream = io.TextIOWrapper(buffer, line_buffering=True)
        self._stream = stream
        self._name = name
        if isinstance(stream, io.TextIOWrapper):
            # File names that are not UTF-8 are written as they were read.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape" if name == "stdout" else "backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`."""
        if text == "":  # Typer probes the stream so, and hides failures
            return 0
        try:
            return self._stream.write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def write_bytes(self, block: bytes) -> None:
        """Write bytes after all text written before."""
        try:
            self._stream.flush()
            self._stream.buffer.write(block)
            self._stream.buffer.flush()
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Write the buffer."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # Redirect the stream to nothing, so that the interpreter's flush at exit fails silently.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(_CLOSED_PIPE_EXIT) from None
        if self._name == "stdout":
            cause = error.strerror or "it is closed"
            raise StorageError(f"cannot write to stdout: {cause}; redirect the output to another place.") from error
