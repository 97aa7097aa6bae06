"""`w2v evaluate`."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import OpenFile, open_files, warn_of_order
from w2v_cli.cli.completion import complete_set
from w2v_cli.cli.options import JsonOption, QuietOption
from w2v_cli.errors import CorpusError

if TYPE_CHECKING:
    from w2v_cli.evaluation import EvaluationOptions, ScoreRow
    from w2v_cli.queries import AnalogyMethod


class _Method(StrEnum):
    """The methods of `queries.AnalogyMethod`: Typer takes no list of a Literal."""

    ADD = "add"
    MUL = "mul"
    DOT = "dot"


def evaluate(
    vectors: Annotated[
        list[Path] | None,
        typer.Argument(metavar="VECTORS", help="Vectors files, compared.  [default: w2v.safetensors]"),
    ] = None,
    *,
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on",
            metavar="SET",
            help="A file of questions or of rated pairs, or a name; give it for each.  [default: what is downloaded]",
            show_default=False,
            autocompletion=complete_set,
        ),
    ] = None,
    method: Annotated[
        list[_Method] | None,
        typer.Option(
            metavar="|".join(_Method),
            help="How analogies are answered, as in `analogy`; give it twice to compare.  [default: add]",
            show_default=False,
        ),
    ] = None,
    restrict: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the N most frequent words are asked and answer.")
    ] = None,
    min_count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only words that occur so often are asked and answer.")
    ] = None,
    ignore_case: Annotated[
        bool, typer.Option("--ignore-case", help="Capitals make no difference, as in gensim and word2vec's own test.")
    ] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="Ask only what all files know, so that their scores compare.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure vectors: analogies answered, and rank correlation with people's ratings of pairs of words.

    \b
    Examples:
      w2v evaluate novels.safetensors
      w2v evaluate 1850.safetensors 1950.safetensors --shared
      w2v evaluate novels.safetensors --on questions-words --on my-pairs.txt --method add --method mul
      w2v evaluate novels.safetensors --restrict 30000 --json

    Of each set and section the score, its 95 % confidence interval, and how much of it was asked: a question with a
    word that is not in the vocabulary is left out.
    """
    from w2v_cli.datasets import registry  # noqa: PLC0415  not needed for --help

    files = open_files(vectors, name="VECTORS")  # before NumPy is loaded: it sets the number of BLAS's threads
    from w2v_cli.evaluation import (  # noqa: PLC0415  not needed for --help
        EvaluationOptions,
        changed_files,
        read_sets,
        score_files,
    )

    folder = registry.data_folder(os.environ)
    names, left_out = (list(on), []) if on else _choose_sets(folder)
    sets = read_sets(names, folder)
    for path in (path for name in names for path in changed_files(name, folder)):
        console.warn(f"{path} has other bytes than the published set: its scores are no one else's.")
    from w2v_cli.cli.bars import StepBar  # noqa: PLC0415  NumPy is not needed for --help
    from w2v_cli.cli.score_table import distinct_names  # noqa: PLC0415  as above
    from w2v_cli.system.machine import available_cores  # noqa: PLC0415  as above

    warn_of_order(files, restrict)
    methods = cast("tuple[AnalogyMethod, ...]", tuple(dict.fromkeys(one.value for one in method or [_Method.ADD])))
    terms = EvaluationOptions(methods, restrict, min_count, ignore_case, shared, available_cores())
    titles = distinct_names([file.path for file in files])
    with StepBar(is_quiet=quiet) as bar:

        def show(file: int, what: str, share: float) -> None:
            bar.show(f"{titles[file]}: {what}", share, 1)

        lines = list(score_files([file.word_vectors for file in files], sets, terms, show))
    _warn(lines, titles, terms)
    if as_json:
        content = {"sets_left_out": left_out, "scores": [_content(line, files) for line in lines]}
        console.write_json("evaluate", terms.content | content)
    else:
        _show(lines, titles)


def _choose_sets(folder: Path) -> tuple[list[str], list[str]]:
    """Return the named sets that are downloaded, and those that are not, which is told."""
    from w2v_cli.evaluation import named_sets  # noqa: PLC0415  not needed for --help

    there, missing = named_sets(folder)
    if not there:
        raise CorpusError(
            f"no evaluation set is in {folder}: run `w2v download {' '.join(missing)}`, or name a file with --on."
        )
    for name in missing:
        console.warn(f"{name} is left out, it is not downloaded: w2v download {name}")
    return there, missing


def _warn(lines: "Sequence[ScoreRow]", titles: Sequence[str], terms: "EvaluationOptions") -> None:
    """Say what has no score and why, and where scores of files do not compare."""
    wholes = [line for line in lines if line.part == "set"]
    for line in wholes:
        if terms.only_shared and not line.scores[0].asked:
            console.warn(f"no score on {line.name}: nothing of it is known to all files.")
            continue
        for title, score in zip(titles, line.scores, strict=True):
            if score.value is None:
                cause = "it knows too few pairs, or all of them are equal" if score.asked else "it knows nothing of it"
                console.warn(f"{title} has no score on {line.name}: {cause}.")
    if not terms.only_shared and any(len({score.asked for score in line.scores}) > 1 for line in wholes):
        console.warn("the files lack different words, so they were not asked the same: --shared asks what all know.")


def _content(line: "ScoreRow", files: Sequence[OpenFile]) -> dict[str, Any]:
    """Return what JSON says of a line."""
    return {
        "set": line.set_name,
        "part": line.part,
        "name": line.name,
        "measure": "correlation" if line.method is None else "accuracy",
        "method": line.method,
        "files": [{"vectors": str(file.path), **score.content} for file, score in zip(files, line.scores, strict=True)],
    }


def _show(lines: "Sequence[ScoreRow]", titles: Sequence[str]) -> None:
    """Write a table for people on a terminal, else for programs."""
    from w2v_cli.cli.score_table import shown_lines, tabbed_lines  # noqa: PLC0415  as above

    console.write("\n".join((shown_lines if sys.stdout.isatty() else tabbed_lines)(lines, titles)))
