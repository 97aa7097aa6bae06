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
        str, typer.Argument(help="A text file or a corpus name.", autocompletion=complete_corpus)
    ] = "demo",
    *,
    model: Annotated[
        Literal["both", "cbow", "skipgram"], typer.Option(metavar="both|cbow|skipgram", help="What to train.")
    ] = "both",
    trainers: Annotated[str, typer.Option(metavar="NAMES", help="Which trainers, with commas between.")] = "all",
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Passes over the corpus.")] = 3,
    dim: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Dimensions of a vector.")] = 100,
    min_count: Annotated[int, typer.Option(min=1, metavar="N", help="Leave out words that occur less often.")] = 5,
    tokens: Annotated[
        Literal["words", "whitespace"], typer.Option(metavar="words|whitespace", help="As corpus.tokens of `train`.")
    ] = "words",
    threads: Annotated[
        int | None, typer.Option(min=1, max=1024, metavar="N", help="Threads of every trainer. [one for each core]")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, metavar="N", help="Runs of each, in turns.")] = 3,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the first run; each turn takes the next.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="One epoch, one run, 1.5 million words: under two minutes.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Save the JSON here, too.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare speed, memory and quality with other trainers: gensim, fastText (floret), word2vec.c.

    \b
    Examples:
      w2v bench --quick
      w2v bench novels.txt --model skipgram --repeats 5 --output bench.json

    All read the same words with the same settings, in turns. The others come with pip install "w2v-cli[bench]"; one
    that is not there is left out with the reason. Quality needs the evaluation sets (w2v download wordsim353, ...).
    """
    from w2v_cli.bench.comparison import Comparison, choose_trainers, compare, find_left_out  # noqa: PLC0415
    from w2v_cli.datasets import registry  # noqa: PLC0415  NumPy is not needed for --help
    from w2v_cli.system import files  # noqa: PLC0415  NumPy is not needed for --help
    from w2v_cli.system.machine import available_cores  # noqa: PLC0415  NumPy is not needed for --help

    if output is not None:
        files.check_output(output, overwrite=overwrite)
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
    _warn_of(missing)
    report = compare(comparison, registry.data_folder(os.environ), lambda run: _tell(run, is_quiet=quiet))
    _warn_of({name: reason for name, reason in report["left_out"].items() if name not in missing})
    if output is not None:
        with files.atomic_write(output, overwrite=overwrite) as file:
            file.write((json.dumps(report, indent=1) + "\n").encode())
    if as_json:
        console.write_json("bench", report)
    else:
        _show(report)


def _warn_of(left_out: dict[str, str]) -> None:
    for name, reason in left_out.items():
        console.warn(f"{name} is left out: {reason}")


def _tell(run: "Run", *, is_quiet: bool) -> None:
    """Say that a run is over."""
    if not is_quiet:
        trial = run.trial
        console.note(f"{trial.model} {trial.trainer}, seed {trial.seed}: {run.words_per_second:,.0f} words/s")


def _show(report: dict[str, Any]) -> None:
    """Write the report as tables on stdout."""
    from w2v_cli.bench.report import note_lines, ratio_lines, table  # noqa: PLC0415

    machine = report["machine"]
    console.write(
        f"{report['corpus']['words']:,} words, {report['corpus']['vocabulary']:,} different; {machine['processor']}, "
        f"{machine['cores']} cores, plain matrix product {machine['sgemm_gigaflops_of_one_core']} GFLOP/s a core"
    )
    for name in report["sets_left_out"]:
        console.warn(f"no score of {name}: w2v download {name}")
    for row in table(report["results"]):
        console.write("\t".join(row))
    console.write(f"scores: {report['evaluator']}")
    for line in (*ratio_lines(report["results"]), *note_lines(report["results"])):
        console.write(line)
