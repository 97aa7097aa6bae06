"""`w2v ask`."""

import sys
from typing import TYPE_CHECKING

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import build_search, open_files
from w2v_cli.cli.options import (
    DEFAULT_VECTORS,
    FileArgument,
    MethodOption,
    MinCountOption,
    RestrictOption,
    TopOption,
)
from w2v_cli.cli.signals import SignalWatch
from w2v_cli.errors import ConfigError, W2vError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.cli.ask_session import AskSession

_PROMPT = "w2v> "


def ask(
    context: typer.Context,
    file: FileArgument = DEFAULT_VECTORS,
    *,
    top: TopOption = 10,
    method: MethodOption = "add",
    min_count: MinCountOption = None,
    restrict: RestrictOption = None,
) -> None:
    """Ask questions interactively, one after the other.

    \b
    Examples:
      w2v ask
      w2v ask novels.safetensors --top 5 --restrict 20000

    Type /help to see what can be asked. Tab completes words, and the history keeps the lines of earlier sessions.
    """
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("ask needs a terminal; to answer questions from stdin, use `w2v similar -`.")
    from w2v_cli.cli.ask_session import AskSession

    [opened] = files = open_files([file])
    if min_count is not None and opened.word_vectors.counts is None:
        raise ConfigError(f"{file} has no counts, so --min-count has no effect: use --restrict instead.")
    search = build_search(files, top=top, method=method, min_count=min_count, restrict=restrict)
    name = console.printable(str(file))
    console.note(f"{name}: {count(len(opened.word_vectors), 'word')}. Type /help for help, Ctrl-D to leave.")
    _talk(AskSession(opened.word_vectors, search), context.obj)


def _talk(session: "AskSession", watch: SignalWatch) -> None:
    """Read lines and answer them until the user leaves."""
    import platformdirs

    from w2v_cli.cli.ask_session import Quit
    from w2v_cli.cli.line_editor import line_editor

    history = platformdirs.user_state_path("w2v", appauthor=False) / "history"
    with watch.interruptible(), line_editor(history, session.propose) as read_line:
        while True:
            try:
                session.reply(read_line(_PROMPT))
            except W2vError as error:
                console.fail(error.message)
            except KeyboardInterrupt:
                console.note("")
            except EOFError:
                console.note("")
                return
            except Quit:
                return
