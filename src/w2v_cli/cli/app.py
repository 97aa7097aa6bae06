"""The app: its commands, and the one place where failures and signals become a line and an exit code."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated, Any

import typer

from w2v_cli import __version__
from w2v_cli.cli import analogy, console, download, info, similar, train
from w2v_cli.errors import ConfigError, StorageError, UnknownWordError, W2vError

_EXIT_CODES = """\b
Exit codes: 0 done, 1 a bug or a diverged training, 2 usage or config, 3 corpus,
4 vectors, 5 network or hash, 6 disk, permission or memory, 7 unknown word,
8 in use by another run, 9 GPU or an extra missing, 128+n stopped by signal n."""

_COMMANDS: dict[str, Callable[..., None]] = {
    "download": download.download,
    "train": train.train,
    "similar": similar.similar,
    "analogy": analogy.analogy,
    "info": info.info,
}
_SECONDS_BETWEEN_SIGNALS = 0.05
_FLAGS_FOR_ALL = ("--debug", "--no-color")

# The class of every usage error, in the package click or in Typer's own copy of it: BadParameter is its public child.
_UsageError: Any = typer.BadParameter.__base__


class _Stopped(SystemExit):
    """A signal that asks the program to end: files are tidied up on its way out as with any exception."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


def _show_version(value: bool) -> None:  # noqa: FBT001  Typer calls it so
    if value:
        typer.echo(f"w2v {__version__}")
        raise typer.Exit


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in 0.1 s instead of 0.25
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXIT_CODES,
)


@app.callback()
def w2v(  # `run` has read the flags; they are declared for --help
    *,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    _no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR=1.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train word2vec embeddings and ask them questions.

    \b
    Examples:
      w2v train                           the built-in text, or PTB once downloaded
      w2v train novels.txt --model skipgram --output novels.safetensors
      w2v similar you --top 5             words nearest to "you"
      w2v analogy king man queen          king is to man as queen is to …
      w2v download ptb                    the corpus of Deep Learning from Scratch 2
    """


for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)


def run(arguments: Sequence[str]) -> int:
    """Run `w2v` with these arguments and return its exit code; a failure is one line on stderr, and JSON if asked for.

    A signal or a closed pipe comes out as SystemExit.
    """
    console.prepare_streams()
    _raise_on_signals()
    options, words = _split_at_dashes(arguments)
    flags = [option for option in options if option in _FLAGS_FOR_ALL]
    rest = [option for option in options if option not in _FLAGS_FOR_ALL]
    if "--no-color" in flags:
        os.environ["NO_COLOR"] = "1"
    try:
        return app([*flags, *rest, *words], prog_name="w2v", standalone_mode=False) or 0
    except (Exception, _Stopped) as error:  # noqa: BLE001  the last place that can turn a bug into a line
        if "--debug" in flags:
            traceback.print_exception(error)
        if isinstance(error, _UsageError) and not arguments:
            console.note(error.format_message())  # the whole help
            return 2
        return _report(_explain(error), command=_command_in(rest), as_json="--json" in rest)


def _split_at_dashes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments before and from `--` on: what follows it is no option, whatever it looks like."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return list(arguments[:end]), list(arguments[end:])


def _command_in(arguments: Sequence[str]) -> str | None:
    return next((argument for argument in arguments if argument in _COMMANDS), None)


def _explain(error: BaseException) -> W2vError:
    """Return any failure as one of ours, with its message and exit code."""
    if isinstance(error, W2vError):
        return error
    if isinstance(error, _UsageError):
        return ConfigError(_usage_message(error))
    if isinstance(error, MemoryError):
        return StorageError("out of memory: use a smaller --dim or a higher --min-count.")
    if isinstance(error, OSError) and error.strerror:
        return StorageError(f"{error.filename or 'w2v'}: {error.strerror}; check the name, permissions and disk.")
    if isinstance(error, _Stopped):
        stopped = W2vError(f"stopped by {error.signal.name}.")
        stopped.exit_code = 128 + error.signal
        return stopped
    return W2vError(f"a bug in w2v, {type(error).__name__}: {error}; `w2v --debug …` shows where.")


def _usage_message(error: Any) -> str:
    """Return Typer's words for a wrong option or argument, without pydantic's, and where to look."""
    message = error.format_message().replace("Value error, ", "")
    if not message.endswith((".", "?")):
        message += "."
    return f"{message} See `{error.ctx.command_path if error.ctx else 'w2v'} --help`."


def _report(error: W2vError, *, command: str | None, as_json: bool) -> int:
    """Tell the user of a failure and return its exit code."""
    message = str(error)
    for line in message.split("\n") if isinstance(error, ConfigError) else [message]:  # one for each wrong setting
        console.fail(line)
    if as_json:
        content: dict[str, Any] = {"exit_code": error.exit_code, "message": message}
        if isinstance(error, UnknownWordError):
            content |= {"word": error.word, "suggestions": list(error.suggestions)}
        with contextlib.suppress(StorageError):  # stdout is full: the exit code says enough
            console.write_json(command, {"error": content})
    return error.exit_code


def _raise_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP, where there are such and nobody had them ignored, end the program tidily."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = _send_again


def _stop(number: int, _frame: FrameType | None) -> None:
    raise _Stopped(number)


def _send_again(lost: Any) -> None:
    """Send a signal again that came during a callback of C code (LLVM's, say): Python drops exceptions there."""
    if isinstance(lost.exc_value, _Stopped):
        threading.Timer(_SECONDS_BETWEEN_SIGNALS, _send_to_main_thread, [lost.exc_value.signal]).start()
    else:
        sys.__unraisablehook__(lost)


def _send_to_main_thread(number: int) -> None:
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, number)  # interrupts what it waits for, too
