"""What the commands print: data on stdout, everything else on stderr."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from w2v_cli.errors import StorageError, UnknownWordError, W2vError

if TYPE_CHECKING:
    from w2v_cli.queries import Neighbour

JSON_SCHEMA = 1
_CLOSED_PIPE_EXIT = 141  # 128 + SIGPIPE, as a program that the signal ends


def write(text: str) -> None:
    """Write data to stdout, now; a closed pipe ends the program quietly, a full disk is an error."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _exit_on_closed_pipe()
    except OSError as error:
        _silence_stdout()
        raise StorageError(f"cannot write to stdout: {error.strerror}.") from error


def write_json(command: str, content: dict[str, Any]) -> None:
    """Write one JSON object on one line; `schema` grows when a key changes its meaning."""
    write(json.dumps({"schema": JSON_SCHEMA, "command": command, **content}, ensure_ascii=False))


def note(text: str) -> None:
    """Tell the user something on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextlib.contextmanager
def json_errors(command: str, *, as_json: bool) -> Iterator[None]:
    """Write an error as a JSON object too, where JSON was asked for, and let it go on to the exit code."""
    try:
        yield
    except W2vError as error:
        if as_json:
            content: dict[str, Any] = {"exit_code": error.exit_code, "message": str(error)}
            if isinstance(error, UnknownWordError):
                content |= {"word": error.word, "suggestions": list(error.suggestions)}
            write_json(command, {"error": content})
        raise


def show_neighbours(neighbours: Sequence["Neighbour"], *, score_name: str) -> None:
    """Write words and scores: aligned under a heading on a terminal, tab-separated otherwise."""
    if not sys.stdout.isatty():
        write("\n".join(f"{neighbour.word}\t{neighbour.score:.4f}" for neighbour in neighbours))
        return
    width = max(len(neighbour.word) for neighbour in neighbours)
    lines = [f"{neighbour.word:<{width}}  {neighbour.score:>9.4f}" for neighbour in neighbours]
    note(f"{'word':<{width}}  {score_name:>9}")
    write("\n".join(lines))


def _exit_on_closed_pipe() -> NoReturn:
    _silence_stdout()
    raise SystemExit(_CLOSED_PIPE_EXIT)


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit says nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
