"""`w2v ask`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import open_files, search_of
from w2v_cli.cli.options import DEFAULT_VECTORS, MethodOption, MinCountOption, RestrictOption, TopOption
from w2v_cli.cli.signals import SignalWatch
from w2v_cli.errors import ConfigError, W2vError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.cli.ask_session import Conversation

_PROMPT = "w2v> "


def ask(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A vectors file of w2v, or the book's pickle.")] = DEFAULT_VECTORS,
    *,
    top: TopOption = 10,
    method: MethodOption = "add",
    min_count: MinCountOption = None,
    restrict: RestrictOption = None,
) -> None:
    """Answer questions to FILE one after the other, on a terminal; /help there says what can be asked.

    \b
    Examples:
      w2v ask
      w2v ask novels.safetensors --top 5 --restrict 20000

    Tab completes words, and the lines of earlier sessions are there again.
    """
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("ask needs a terminal to talk on: `w2v similar -` answers questions from stdin.")
    from w2v_cli.cli.ask_session import Conversation  # noqa: PLC0415  not needed for --help

    [opened] = files = open_files([file], name="FILE")
    if min_count is not None and opened.word_vectors.counts is None:
        raise ConfigError(f"{file} has no counts, so --min-count chooses nothing: use --restrict.")
    search = search_of(files, top=top, method=method, min_count=min_count, restrict=restrict)
    console.note(
        f"{count(len(opened.word_vectors), 'word')} of {console.printable(str(file))}; /help helps, Ctrl-D ends."
    )
    _talk(Conversation(opened.word_vectors, search), context.obj)


def _talk(conversation: "Conversation", watch: SignalWatch) -> None:
    """Read lines and answer them until the user ends it."""
    import platformdirs  # noqa: PLC0415  not needed for --help

    from w2v_cli.cli.ask_session import Quit  # noqa: PLC0415
    from w2v_cli.cli.line_editor import line_editor  # noqa: PLC0415

    history = platformdirs.user_state_path("w2v", appauthor=False) / "history"
    with watch.interruptible(), line_editor(history, conversation.propose) as read_line:
        while True:
            try:
                conversation.reply(read_line(_PROMPT))
            except W2vError as error:
                console.fail(error.message)
            except KeyboardInterrupt:
                console.note("")
            except EOFError:
                console.note("")
                return
            except Quit:
                return
