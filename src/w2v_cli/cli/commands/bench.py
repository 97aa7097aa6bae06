"""`w2v bench`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.completion import complete_corpus
from w2v_cli.cli.options import JsonOption, QuietOption

if TYPE_CHECKING:
    from w2v_cli.bench.running import Run

_QUICK_WORDS = 1_500_000
_MODELS: dict[str, tuple[Literal["cbow", "skipgram"], ...]] = {
    "both": ("cbow", "skipgram"),
    "cbow": ("cbow",),
    "skipgram": ("skipgram",),
}


def bench(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help="A text file or a corpus name.", autocompletion=complete_corpus)
    ] = "demo",
    *,
    model: Annotated[
        Literal["both", "cbow", "skipgram"], typer.Option(metavar="both|cbow|skipgram", help="Models to train.")
    ] = "both",
    trainers: Annotated[str, typer.Option(metavar="NAMES", help="Trainers to compare, separated by commas.")] = "all",
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Passes over the corpus.")] = 3,
    dim: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Dimensions of the vectors.")] = 100,
    min_count: Annotated[int, typer.Option(min=1, metavar="N", help="Drop words that occur fewer than N times.")] = 5,
    tokens: Annotated[
        Literal["words", "whitespace"],
        typer.Option(metavar="words|whitespace", help="How to split the text, as corpus.tokens for `w2v train`."),
    ] = "words",
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, metavar="N", help="Number of threads of each trainer.", show_default="one per core"
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, metavar="N", help="Runs of each trainer, in turns.")] = 3,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of the first run; later runs count up from it.")
    ] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="One epoch, one run and 1.5 million words, in under two minutes.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Save the report as JSON.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare speed, memory and quality with other trainers.

    \b
    Examples:
      w2v bench --quick
      w2v bench novels.txt --model skipgram --repeats 5 --output bench.json

    The others are gensim, fastText (as floret) and word2vec.c; install them with pip install "w2v-cli[bench]". All
    train on the same words with the same settings, in turns; a trainer that is not installed is skipped. Quality needs
    the evaluation sets: w2v download wordsim353 simlex999 questions-words.
    """
    from w2v_cli.bench.comparison import Comparison, choose_trainers, compare, find_left_out
    from w2v_cli.datasets.registry import data_folder
    from w2v_cli.system.files import atomic_write, check_output
    from w2v_cli.system.machine import available_cores

    if output is not None:
        check_output(output, overwrite=overwrite)
    comparison = Comparison(
        corpus=corpus,
        tokens=tokens,
        min_count=min_count,
        most_words=_QUICK_WORDS if quick else None,
        models=_MODELS[model],
        trainers=choose_trainers(trainers),
        dim=dim,
        epochs=1 if quick else epochs,
        threads=threads or available_cores(),
        repeats=1 if quick else repeats,
        seed=seed,
    )
    missing = find_left_out(comparison.trainers)
    _warn_skipped(missing)
    report = compare(comparison, data_folder(os.environ), lambda run: _show_run(run, is_quiet=quiet))
    _warn_skipped({name: reason for name, reason in report["left_out"].items() if name not in missing})
    if output is not None:
        with atomic_write(output, overwrite=overwrite) as file:
            file.write((json.dumps(report, indent=1) + "\n").encode())
    if as_json:
        console.write_json("bench", report)
    else:
        _show(report)


def _warn_skipped(left_out: dict[str, str]) -> None:
    for name, reason in left_out.items():
        console.warn(f"skipping {name}: {reason}")


def _show_run(run: "Run", *, is_quiet: bool) -> None:
    """Show the speed of a run."""
    if not is_quiet:
        trial = run.trial
        console.note(f"{trial.model} {trial.trainer}, seed {trial.seed}: {run.words_per_second:,.0f} words/s")


def _show(report: dict[str, Any]) -> None:
    """Write the report as tables on stdout."""
    from w2v_cli.bench.report import note_lines, ratio_lines, table

    machine = report["machine"]
    console.write(
        f"{report['corpus']['words']:,} words, {report['corpus']['vocabulary']:,} different; {machine['processor']}, "
        f"{machine['cores']} cores, plain matrix product {machine['sgemm_gigaflops_of_one_core']} GFLOP/s a core"
    )
    for name in report["sets_left_out"]:
        console.warn(f"no score on {name}, which is not downloaded: run `w2v download {name}`.")
    for row in table(report["results"]):
        console.write("\t".join(row))
    console.write(f"scores: {report['evaluator']}")
    for line in (*ratio_lines(report["results"]), *note_lines(report["results"])):
        console.write(line)
