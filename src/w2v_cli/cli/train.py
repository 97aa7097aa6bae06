"""`w2v train`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import JsonOption, QuietOption, given_settings, with_setting_options
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.settings import Config


@with_setting_options
def train(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts: files (.gz .bz2 .xz .zst, too), folders, patterns, URLs, - for stdin; or a corpus name; by "
            "default PTB where it is downloaded, else the built-in text."
        ),
    ] = None,
    *,
    gpu: Annotated[bool, typer.Option("--gpu", help="Train on an NVIDIA GPU; an error where there is none.")] = False,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="The same seed gives the same file, on any number of threads."),
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A YAML config: book-cbow, book-skipgram, default, or a file."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting, as training.batch_size=256.")
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="[w2v.safetensors]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help='Draw the loss (png, svg, pdf); needs the extra "plot".')
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    **settings: str | None,
) -> None:
    """Train word vectors on CORPUS.

    \b
    Examples:
      w2v train
      w2v train novels.txt --model skipgram --output novels.safetensors
      w2v train ptb --config book-cbow --plot loss.png
      w2v train speeches/ plays/*.txt.gz --set corpus.sentences=punctuation
      zstdcat dump.zst | w2v train - --epochs 5 --dim 300
    """
    given: dict[str, tuple[str, object]] = {
        "corpus.source": ("CORPUS", corpus or None),
        "training.backend": ("--gpu", "cupy" if gpu else None),
        "training.deterministic": ("--deterministic", deterministic or None),
        "output.path": ("--output", output),
        "output.overwrite": ("--overwrite", overwrite or None),
    }
    options = {key: option for key, option in given.items() if option[1] is not None}
    _train(_resolve(options, settings, set_ or [], config), plot, is_quiet=quiet, as_json=as_json)


def _resolve(
    options: dict[str, tuple[str, object]], settings: dict[str, str | None], sets: list[str], config: str | None
) -> "Config":
    """Return the config of all sources; raise ConfigError for what is wrong in any of them."""
    from w2v_cli import config as configs  # noqa: PLC0415  pydantic and NumPy are not needed for --help
    from w2v_cli import corpora, datasets  # noqa: PLC0415
    from w2v_cli.config_sources import read_value  # noqa: PLC0415

    data_folder = datasets.data_folder(os.environ)
    resolved = configs.resolve(
        options=options | {key: (flag, read_value(text)) for key, flag, text in given_settings(settings)},
        sets=sets,
        environment=os.environ,
        file=None if config is None else configs.find_config_file(config),
        corpus_settings_for=lambda source: corpora.corpus_settings_for(source, data_folder),
    )
    _refuse_dash(resolved.config)
    return resolved.config


def _refuse_dash(config: "Config") -> None:
    """Raise ConfigError where `-` stands for stdout, as it does elsewhere."""
    if config.output.path == "-":
        raise ConfigError("vectors cannot go to stdout (-): name a file with --output.")


def _train(config: "Config", plot: Path | None, *, is_quiet: bool, as_json: bool) -> None:
    """Train, save and draw, telling the user how it goes."""
    from w2v_cli import datasets, loss_plot, pipeline  # noqa: PLC0415  NumPy and Numba are not needed for --help
    from w2v_cli.cli.progress import TrainingDisplay  # noqa: PLC0415

    if plot is not None:
        loss_plot.check_plot(plot)
    with TrainingDisplay(is_quiet=is_quiet) as display:
        saved = pipeline.train_vectors(config, datasets.data_folder(os.environ), display.show)
    if plot is not None:
        loss_plot.save_plot(saved.trained.reports, plot)
    if as_json:
        console.write_json("train", pipeline.summary(saved))
