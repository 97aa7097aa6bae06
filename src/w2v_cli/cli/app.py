"""The app: its commands, and the one place where errors become a line and an exit code."""

import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from w2v_cli import __version__
from w2v_cli.cli import analogy, download, info, similar, train
from w2v_cli.errors import StorageError, W2vError

_EXIT_CODES = """\b
Exit codes: 0 done, 1 a bug or a diverged training, 2 usage or config, 3 corpus,
4 vectors, 5 network or hash, 6 disk, permission or memory, 7 unknown word,
8 in use by another run, 9 GPU or an extra missing, 128+n stopped by signal n."""


class _ReportingGroup(TyperGroup):
    """Runs a command and turns what it raises into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  Typer's context type has no public name
        try:
            return super().invoke(ctx)
        except W2vError as error:
            failure = error
        except MemoryError as error:
            failure = StorageError("out of memory: use a smaller --dim or a higher --min-count.")
            failure.__cause__ = error
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise
        if ctx.params.get("debug"):
            traceback.print_exception(failure)
        for line in str(failure).splitlines():
            typer.echo(f"error: {line}", err=True)
        raise typer.Exit(failure.exit_code)


def _show_version(value: bool) -> None:  # noqa: FBT001  Typer calls it so
    if value:
        typer.echo(f"w2v {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=_ReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in 0.1 s instead of 0.25
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXIT_CODES,
)


@app.callback()
def w2v(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
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
    """  # noqa: D301  \b is Click's mark for lines that are kept as they are


app.command()(download.download)
app.command()(train.train)
app.command()(similar.similar)
app.command()(analogy.analogy)
app.command()(info.info)
