"""The app: its commands, and the one place where failures and signals become a line and an exit code."""

import contextlib
import os
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
from w2v_cli.cli.signals import SignalWatch, Stopped
from w2v_cli.errors import ConfigError, StorageError, W2vError, explain_system_refusal

_EXIT_CODES = """\b
Exit codes: 0 done, 1 a bug or a diverged training, 2 usage or config, 3 corpus,
4 vectors, 5 network or hash, 6 disk, permission or memory, 7 unknown word,
8 in use by another run, 9 GPU or an extra missing, 128+n stopped by signal n."""

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
_TRAINING = ("phrases", "train", "evaluate", "bench", "gpu-check")  # they load Numba
_GROUPS = {"config": config.app}
_COMPLETION = "_W2V_COMPLETE"  # the variable by which a shell asks Typer
_FLAGS_FOR_ALL = ("--debug", "--no-color")

# The class of every usage error, in the package click or in Typer's own copy of it: BadParameter is its public child.
_UsageError: Any = typer.BadParameter.__base__


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
      w2v similar "king - man + woman"    nearest to a sum of words
      w2v analogy king man queen          king is to man as queen is to …
      w2v ask                             questions, one after the other
      w2v evaluate novels.safetensors     how good the vectors are
      w2v phrases novels.txt -o new.txt   joins "new york" to "new_york"
      w2v map -o map.html                 the words as a map, to look at in a browser
      w2v download ptb                    the corpus of Deep Learning from Scratch 2
    """


for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
for _name, _group in _GROUPS.items():
    app.add_typer(_group, name=_name)


def run(arguments: Sequence[str]) -> int:
    """Run `w2v` with these arguments and return its exit code; a failure is one line on stderr, and JSON if asked for.

    A closed pipe comes out as SystemExit.
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
    except (Exception, Stopped) as error:  # noqa: BLE001  the last place that can turn a bug into a line
        watch.ending.set()
        if "--debug" in request.flags:
            traceback.print_exception(error)
        if isinstance(error, _UsageError) and (not arguments or list(arguments) in [[group] for group in _GROUPS]):
            console.note(error.format_message())  # the whole help
            return 2
        return request.report(error)


def _complete() -> int:
    """Write what the shell may propose and return an exit code; a failure is silent: the user is in mid-sentence."""
    try:
        return app([], prog_name="w2v", standalone_mode=False) or 0
    except Exception:  # noqa: BLE001  as above
        return 1


@dataclass(frozen=True)
class _Request:
    """The arguments, sorted before Typer reads them: an error may come earlier than that.

    flags: those of _FLAGS_FOR_ALL, wherever they stand; words: from `--` on, where nothing is an option.
    """

    flags: list[str]
    others: list[str]
    words: list[str]

    @property
    def sorted(self) -> list[str]:
        """The arguments as Typer takes them: flags first."""
        return [*self.flags, *self.others, *self.words]

    @property
    def command(self) -> str | None:
        """The command, None where none of ours is named."""
        return next((argument for argument in self.others if argument in {*_COMMANDS, *_GROUPS}), None)

    @property
    def wants_help(self) -> bool:
        """Whether only help is asked for, which loads nothing."""
        return self.command is None or not {"--help", "-h"}.isdisjoint(self.others)

    def report(self, error: BaseException) -> int:
        """Tell the user of a failure and return its exit code."""
        explained = _explain(error)
        message = console.as_typed(explained.message)
        for line in message.split("\n") if isinstance(explained, ConfigError) else [message]:  # a wrong setting each
            console.fail(line)
        if "--json" in self.others:
            with contextlib.suppress(StorageError):  # stdout is full: the exit code says enough
                console.write_json(self.command, {"error": console.json_error(explained)})
        return explained.exit_code


def _read(arguments: Sequence[str]) -> _Request:
    """Return the arguments, sorted."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    flags = [argument for argument in arguments[:end] if argument in _FLAGS_FOR_ALL]
    others = [argument for argument in arguments[:end] if argument not in _FLAGS_FOR_ALL]
    return _Request(flags, others, list(arguments[end:]))


def _explain(error: BaseException) -> W2vError:
    """Return any failure as one of ours, with its message and exit code."""
    if isinstance(error, W2vError):
        return error
    if isinstance(error, _UsageError):
        return ConfigError(_usage_message(error))
    if refusal := explain_system_refusal(error):
        return StorageError(refusal)
    if isinstance(error, OSError) and error.strerror:
        return StorageError(f"{error.filename or 'w2v'}: {error.strerror}; check the name, permissions and disk.")
    if isinstance(error, Stopped):
        stopped = W2vError(f"stopped by {error.signal.name}.{error.what_next and ' '}{error.what_next}")
        stopped.exit_code = 128 + error.signal
        return stopped
    return W2vError(f"a bug in w2v, {type(error).__name__}: {error}; `w2v --debug …` shows where.")


def _usage_message(error: Any) -> str:
    """Return Typer's words for a wrong option or argument, without pydantic's, and where to look."""
    message = error.format_message().replace("Value error, ", "")
    if not message.endswith((".", "?")):
        message += "."
    return f"{message} See `{error.ctx.command_path if error.ctx else 'w2v'} --help`."
