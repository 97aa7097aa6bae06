"""The commands, and the one place that turns failures and signals into a message and an exit code."""

import contextlib
import os
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from w2v_cli import __version__
from w2v_cli.cli import console, startup
from w2v_cli.cli.commands import (
    analogy,
    ask,
    bench,
    config,
    download,
    evaluate,
    export,
    gpu_check,
    import_,
    info,
    odd,
    phrases,
    plot,
    similar,
    similarity,
    train,
    vector,
    vocabulary,
    word_map,
)
from w2v_cli.cli.help import Command, Group, parameter_name
from w2v_cli.cli.signals import SignalWatch, Stopped
from w2v_cli.errors import ConfigError, StorageError, W2vError, explain_system_refusal

_EXIT_CODES = (
    "Exit codes: 0 success, 1 bug or diverged training, 2 usage or config, 3 corpus, 4 vectors file, 5 download, "
    "6 disk, permission or memory, 7 unknown word, 8 output in use by another run, 9 GPU or extra missing, "
    "128+n stopped by signal n."
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "download": download.download,
    "phrases": phrases.phrases,
    "train": train.train,
    "plot": plot.plot,
    "similar": similar.similar,
    "analogy": analogy.analogy,
    "similarity": similarity.similarity,
    "odd": odd.odd,
    "ask": ask.ask,
    "vector": vector.vector,
    "vocabulary": vocabulary.vocabulary,
    "info": info.info,
    "evaluate": evaluate.evaluate,
    "export": export.export,
    "import": import_.import_,
    "map": word_map.word_map,
    "bench": bench.bench,
    "gpu-check": gpu_check.gpu_check,
}
_TRAINING = ("phrases", "train", "evaluate", "bench", "gpu-check")  # commands that load Numba
_GROUPS = {"config": config.app}
_COMPLETION = "_W2V_COMPLETE"  # the variable that a shell sets to ask Typer for completions
# What pydantic says of a number that Typer passes it.
_PYDANTIC = re.compile(
    r"Input should be (a valid integer|a valid number|greater than or equal to|less than or equal to)(?:, .*|( .*)|)$"
)
_BOUNDS = {
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
}
_FLAGS_FOR_ALL = ("--debug", "--no-color")

# The base class of usage errors, in Click or in Typer's copy of it; BadParameter is its public child.
_UsageError: Any = typer.BadParameter.__base__


def _show_version(value: bool) -> None:  # noqa: FBT001  Typer calls it so
    if value:
        typer.echo(f"w2v {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help takes 0.1 s, Rich's 0.25
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXIT_CODES,
)


@app.callback()
def w2v(  # `run` reads these flags itself; they are declared for --help
    *,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,
    _no_color: Annotated[bool, typer.Option("--no-color", help="Disable colours, like NO_COLOR=1.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train word2vec embeddings and query them.

    \b
    Examples:
      w2v train demo                      train on the built-in text
      w2v train novels.txt --model skipgram --output novels.safetensors
      w2v similar you --top 5             the words most similar to "you"
      w2v similar "king - man + woman"    or to a sum of words
      w2v analogy king man queen          king is to man as queen is to …
      w2v ask                             ask questions interactively
      w2v evaluate novels.safetensors     measure how good the vectors are
      w2v phrases novels.txt -o new.txt   join "new york" to "new_york"
      w2v map -o map.html                 draw the words as a map, for a browser
      w2v download ptb                    the corpus of Deep Learning from Scratch 2
    """


for _name, _command in _COMMANDS.items():
    app.command(_name, cls=Command)(_command)
for _name, _group in _GROUPS.items():
    app.add_typer(_group, name=_name)


def run(arguments: Sequence[str]) -> int:
    """Run `w2v` and return its exit code; failures are reported on stderr, and as JSON with --json.

    Args:
        arguments: the command line, without the program's name.

    Raises:
        SystemExit: if the reader of stdout or stderr has closed the pipe.
    """
    console.prepare_streams()
    if _COMPLETION in os.environ:
        return _complete()
    request = _read(arguments)
    if "--no-color" in request.flags:
        os.environ["NO_COLOR"] = "1"
    watch = SignalWatch(request.report)
    try:
        watch.start()
        if not request.wants_help:
            startup.prepare(to_train=request.command in _TRAINING)
        return app(request.sorted, prog_name="w2v", standalone_mode=False, obj=watch) or 0
    except (Exception, Stopped) as error:  # noqa: BLE001  the last place that can report a bug in a line
        watch.ending.set()
        if "--debug" in request.flags:
            traceback.print_exception(error)
        if isinstance(error, _UsageError) and (not arguments or list(arguments) in [[group] for group in _GROUPS]):
            console.note(error.format_message())  # the whole help
            return 2
        return request.report(error)


def _complete() -> int:
    """Write completions for the shell and return an exit code; failures are silent, as the user is still typing."""
    try:
        return app([], prog_name="w2v", standalone_mode=False) or 0
    except Exception:  # noqa: BLE001  as above
        return 1


@dataclass(frozen=True)
class _Request:
    """The arguments, sorted before Typer reads them, for errors that come earlier.

    Attributes:
        flags: those of _FLAGS_FOR_ALL, from anywhere.
        others: the other arguments before `--`.
        words: `--` and everything after it, which are not options.
    """

    flags: list[str]
    others: list[str]
    words: list[str]

    @property
    def sorted(self) -> list[str]:
        """The arguments in the order that Typer accepts: flags first."""
        return [*self.flags, *self.others, *self.words]

    @property
    def command(self) -> str | None:
        """The command, or None if there is none or it is unknown."""
        return next((argument for argument in self.others if argument in {*_COMMANDS, *_GROUPS}), None)

    @property
    def wants_help(self) -> bool:
        """Whether only help will be shown, which needs no libraries."""
        return self.command is None or not {"--help", "-h"}.isdisjoint(self.others)

    def report(self, error: BaseException) -> int:
        """Report a failure and return its exit code."""
        explained = _explain(error)
        message = console.as_typed(explained.message)
        lines = message.split("\n") if isinstance(explained, ConfigError) else [message]  # one wrong setting per line
        for line in lines:
            console.fail(line)
        if "--json" in self.others:
            with contextlib.suppress(StorageError):  # stdout cannot be written: the exit code must do
                console.write_json(self.command, {"error": console.json_error(explained)})
        return explained.exit_code


def _read(arguments: Sequence[str]) -> _Request:
    """Sort the arguments."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    flags = [argument for argument in arguments[:end] if argument in _FLAGS_FOR_ALL]
    others = [argument for argument in arguments[:end] if argument not in _FLAGS_FOR_ALL]
    return _Request(flags, others, list(arguments[end:]))


def _explain(error: BaseException) -> W2vError:
    """Return any exception as a W2vError, with a message for the user and an exit code."""
    if isinstance(error, W2vError):
        return error
    if isinstance(error, _UsageError):
        return ConfigError(_usage_message(error))
    if refusal := explain_system_refusal(error):
        return StorageError(refusal)
    if isinstance(error, OSError) and error.strerror:
        return StorageError(
            f"{error.filename or 'w2v'}: {error.strerror}; check the name, the permissions and the disk."
        )
    if isinstance(error, Stopped):
        stopped = W2vError(f"stopped by {error.signal.name}.{error.what_next and ' '}{error.what_next}")
        stopped.exit_code = 128 + error.signal
        return stopped
    return W2vError(f"bug in w2v: {type(error).__name__}: {error}; run `w2v --debug …` for the traceback.")


def _usage_message(error: Any) -> str:
    """Return Typer's message for a wrong option or argument, without pydantic's phrases, and where to look."""
    parameter = getattr(error, "param", None)
    named = "" if parameter is None else _named(parameter)
    problem = str(error.message).removeprefix("Value error, ")
    if parameter is None:
        message = error.format_message().removeprefix("Invalid value: ")
    elif not problem:
        message = f"missing {parameter.param_type_name} {named}"
    elif (found := _PYDANTIC.match(problem)) is not None:
        message = f"{named} must be {_BOUNDS[found[1]]}{found[2] or ''}"
    else:
        message = f"{named}: {problem}"
    if not message.endswith((".", "?")):
        message += "."
    return f"{message} See `{error.ctx.command_path if error.ctx else 'w2v'} --help`."


def _named(parameter: Any) -> str:
    """Return an option as it is typed, `--top`, or an argument as the help shows it."""
    flags = [flag for flag in parameter.opts if flag.startswith("--")]
    return flags[0] if flags else parameter_name(parameter)
