"""`w2v train`."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import JsonOption, QuietOption

_OPTION_OF_KEY = {
    "corpus.source": "CORPUS",
    "corpus.min_count": "--min-count",
    "model.model": "--model",
    "model.dim": "--dim",
    "model.window": "--window",
    "sampling.negatives": "--negatives",
    "sampling.subsample": "--subsample",
    "sampling.seed": "--seed",
    "training.algorithm": "--algorithm",
    "training.backend": "--gpu",
    "training.epochs": "--epochs",
    "training.learning_rate": "--learning-rate",
    "training.threads": "--threads",
    "output.path": "--output",
    "output.overwrite": "--overwrite",
}


def train(
    corpus: Annotated[
        str | None,
        typer.Argument(
            help="A text file or a corpus name; by default PTB where it is downloaded, else the built-in text."
        ),
    ] = None,
    *,
    model: Annotated[
        Literal["cbow", "skipgram"] | None,
        typer.Option(help="cbow: context → centre; skipgram: centre → context. [cbow]"),
    ] = None,
    algorithm: Annotated[Literal["minibatch", "block"] | None, typer.Option(help="[minibatch]")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Train on an NVIDIA GPU; an error where there is none.")] = False,
    config: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A YAML config: book-cbow, book-skipgram, default, or a file."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting, as training.batch_size=256.")
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="[w2v.safetensors]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    epochs: Annotated[int | None, typer.Option(help="Passes over the corpus. [15]")] = None,
    dim: Annotated[int | None, typer.Option(help="Dimensions of a vector. [100]")] = None,
    window: Annotated[int | None, typer.Option(help="Words each side of the centre, at most. [5]")] = None,
    negatives: Annotated[int | None, typer.Option(help="Negative samples for each target. [5]")] = None,
    min_count: Annotated[int | None, typer.Option(help="Leave out words that occur less often. [5]")] = None,
    subsample: Annotated[
        float | None,
        typer.Option(help="Share of the corpus above which a word's occurrences are thinned; 0: never. [1e-3]"),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Starting rate. [0.05 cbow, 0.025 skipgram, 0.001 with adam]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same file. [1]")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to work on; the result is the same. [all cores]")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help='Draw the loss (png, svg, pdf); needs the extra "plot".')
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train word vectors on CORPUS.

    \b
    Examples:
      w2v train
      w2v train novels.txt --model skipgram --output novels.safetensors
      w2v train ptb --config book-cbow --plot loss.png
      w2v train novels.txt --epochs 5 --dim 300 --set training.batch_size=256
    """  # noqa: D301  \b keeps the lines
    given: dict[str, object] = {
        "corpus.source": corpus,
        "corpus.min_count": min_count,
        "model.model": model,
        "model.dim": dim,
        "model.window": window,
        "sampling.negatives": negatives,
        "sampling.subsample": subsample,
        "sampling.seed": seed,
        "training.algorithm": algorithm,
        "training.backend": "cupy" if gpu else None,
        "training.epochs": epochs,
        "training.learning_rate": learning_rate,
        "training.threads": threads,
        "output.path": output,
        "output.overwrite": overwrite or None,
    }
    options = {key: (_OPTION_OF_KEY[key], value) for key, value in given.items() if value is not None}
    from w2v_cli import config as configs  # noqa: PLC0415  pydantic and NumPy are not needed for --help
    from w2v_cli import datasets, loss_plot, pipeline  # noqa: PLC0415
    from w2v_cli.cli.progress import TrainingDisplay  # noqa: PLC0415

    with console.json_errors("train", as_json=as_json), TrainingDisplay(is_quiet=quiet) as display:
        if plot is not None:
            loss_plot.check_plot(plot)
        data_folder = datasets.data_folder(os.environ)
        resolved = configs.resolve(
            options=options,
            sets=set_ or [],
            environment=os.environ,
            file=configs.find_config_file(config) if config else None,
            corpus_settings_for=lambda source: pipeline.corpus_settings_for(source, data_folder),
        )
        saved = pipeline.train_vectors(resolved.config, data_folder, display.show)
        if plot is not None:
            loss_plot.save_plot(saved.trained.reports, plot)
    if as_json:
        console.write_json("train", pipeline.summary(saved))
