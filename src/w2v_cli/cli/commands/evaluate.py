"""`w2v evaluate`."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.ask_inputs import OpenFile, open_files, warn_without_counts
from w2v_cli.cli.completion import complete_set
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonOption, QuietOption
from w2v_cli.errors import CorpusError

if TYPE_CHECKING:
    from w2v_cli.evaluation import EvaluationOptions, ScoreRow
    from w2v_cli.queries import AnalogyMethod


class _Method(StrEnum):
    """The values of `queries.search.AnalogyMethod`; Typer does not accept a list of a Literal."""

    ADD = "add"
    MUL = "mul"
    DOT = "dot"


def evaluate(
    vectors: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="VECTORS", help="Vectors files; several are compared.", show_default=str(DEFAULT_VECTORS)
        ),
    ] = None,
    *,
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on",
            metavar="SET",
            help="An evaluation set: a name, or your file of analogies or rated pairs; repeat for several.",
            show_default="the sets that are downloaded",
            autocompletion=complete_set,
        ),
    ] = None,
    method: Annotated[
        list[_Method] | None,
        typer.Option(
            metavar="|".join(_Method),
            help="How analogies are scored, as in `w2v analogy`; repeat to compare methods.",
            show_default="add",
        ),
    ] = None,
    restrict: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Use only the N most frequent words.")
    ] = None,
    min_count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Use only words that occur at least N times in the corpus.")
    ] = None,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", help="Ignore case, as gensim and word2vec do.")] = False,
    shared: Annotated[
        bool,
        typer.Option("--shared", help="Ask only questions that all files can answer, to make their scores comparable."),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score vectors on analogies and word similarity.

    \b
    Examples:
      w2v evaluate novels.safetensors
      w2v evaluate 1850.safetensors 1950.safetensors --shared
      w2v evaluate novels.safetensors --on questions-words --on my-pairs.txt --method add --method mul
      w2v evaluate novels.safetensors --restrict 30000 --json

    The score is the share of analogies answered correctly, or the rank correlation (Spearman) with people's ratings of
    word pairs. Each comes with its 95 % confidence interval and with how much of the set was asked: questions with a
    word outside the vocabulary are skipped.
    """
    from w2v_cli.datasets.registry import data_folder

    files = open_files(vectors)  # before NumPy is loaded
    from w2v_cli.cli.progress import StepBar
    from w2v_cli.evaluation import EvaluationOptions, changed_files, read_sets, score_files
    from w2v_cli.system.machine import available_cores

    folder = data_folder(os.environ)
    names, left_out = (list(on), []) if on else _choose_sets(folder)
    sets = read_sets(names, folder)
    for path in (path for name in names for path in changed_files(name, folder)):
        console.warn(f"{path} differs from the published set: its scores are not comparable with published ones.")
    warn_without_counts(files, restrict)
    methods = cast("tuple[AnalogyMethod, ...]", tuple(dict.fromkeys(one.value for one in method or [_Method.ADD])))
    options = EvaluationOptions(methods, restrict, min_count, ignore_case, shared, available_cores())
    titles = tables.distinct_names([file.path for file in files])
    with StepBar(is_quiet=quiet) as bar:

        def show(file: int, what: str, share: float) -> None:
            bar.show(f"{titles[file]}: {what}", share, 1)

        lines = list(score_files([file.word_vectors for file in files], sets, options, show))
    _warn(lines, titles, options)
    if as_json:
        content = {"sets_left_out": left_out, "scores": [_content(line, files) for line in lines]}
        console.write_json("evaluate", options.content | content)
    else:
        _show(lines, titles)


def _choose_sets(folder: Path) -> tuple[list[str], list[str]]:
    """Return the named sets that are downloaded, and those that are not, with a warning for each."""
    from w2v_cli.evaluation import named_sets

    installed, missing = named_sets(folder)
    if not installed:
        raise CorpusError(
            f"no evaluation sets in {folder}: run `w2v download {' '.join(missing)}`, or pass your own file with --on."
        )
    for name in missing:
        console.warn(f"skipping {name}, which is not downloaded: run `w2v download {name}`.")
    return installed, missing


def _warn(lines: "Sequence[ScoreRow]", titles: Sequence[str], options: "EvaluationOptions") -> None:
    """Warn of sets without a score, and of scores that are not comparable."""
    wholes = [line for line in lines if line.part == "set"]
    for line in wholes:
        if options.only_shared and not line.scores[0].asked:
            console.warn(f"no score on {line.name}: no question has words that all files contain.")
            continue
        for title, score in zip(titles, line.scores, strict=True):
            if score.value is None:
                cause = "too few pairs, or all are equal" if score.asked else "its vocabulary lacks the words"
                console.warn(f"{title} has no score on {line.name}: {cause}.")
    if not options.only_shared and any(len({score.asked for score in line.scores}) > 1 for line in wholes):
        console.warn("the files answered different questions, so their scores are not comparable; use --shared.")


def _content(line: "ScoreRow", files: Sequence[OpenFile]) -> dict[str, Any]:
    """Return the JSON of a row."""
    return {
        "set": line.set_name,
        "part": line.part,
        "name": line.name,
        "measure": "correlation" if line.method is None else "accuracy",
        "method": line.method,
        "files": [{"vectors": str(file.path), **score.content} for file, score in zip(files, line.scores, strict=True)],
    }


def _show(lines: "Sequence[ScoreRow]", titles: Sequence[str]) -> None:
    """Write the scores as an aligned table on a terminal, else tab-separated."""
    console.write("\n".join((tables.aligned_scores if sys.stdout.isatty() else tables.tabbed_scores)(lines, titles)))
