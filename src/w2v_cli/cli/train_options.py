"""Settings as they are given on the command line: those of a training for `train` and `config show`, and others."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli.completion import complete_config, complete_corpus, complete_set, complete_setting
from w2v_cli.cli.options import given_settings
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.config.resolve import ResolvedConfig
    from w2v_cli.config.schema import Config

CorpusArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Texts: files (.gz .bz2 .xz .zst, too), folders, patterns, URLs, - for stdin; or a corpus name; by "
        "default PTB where it is downloaded, else the built-in text.",
        autocompletion=complete_corpus,
    ),
]
GpuOption = Annotated[bool, typer.Option("--gpu", help="Train on an NVIDIA GPU; an error where there is none.")]
DeterministicOption = Annotated[
    bool, typer.Option("--deterministic", help="The same seed gives the same file, on any number of threads.")
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="A YAML config: book-cbow, book-skipgram, default, or a file.",
        autocompletion=complete_config,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any setting, as training.batch_size=256.",
        autocompletion=complete_setting,
    ),
]
OutputOption = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="[w2v.safetensors]")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists, and its snapshot.")]
EvaluateOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SET",
        help="Score the vectors after each epoch: wordsim353, simlex999, questions-words or a file like them; may "
        "be given several times.",
        autocompletion=complete_set,
    ),
]
LogOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write each event as a line of JSON, as it happens.")
]


def resolve_training(
    settings: Mapping[str, str | None],
    sets: list[str] | None,
    config: str | None,
    *,
    corpus: list[str] | None,
    gpu: bool,
    deterministic: bool,
    output: str | None,
    overwrite: bool,
    evaluate: list[str] | None,
    log: str | None,
    is_resumed: bool = False,
) -> "ResolvedConfig":
    """Return the config of a training that has these options and arguments; settings: the values of SETTING_OPTIONS."""
    from w2v_cli.config.layers import read_value  # noqa: PLC0415  pydantic is not needed for --help

    given: dict[str, tuple[str, object]] = {
        "corpus.source": ("CORPUS", corpus or None),
        "training.backend": ("--gpu", "cupy" if gpu else None),
        "training.deterministic": ("--deterministic", deterministic or None),
        "output.path": ("--output", output),
        "output.overwrite": ("--overwrite", overwrite or None),
        "training.evaluate": ("--evaluate", evaluate or None),
        "output.log": ("--log", log),
    }
    given |= {key: (flag, read_value(text)) for key, flag, text in given_settings(settings)}
    resolved = resolve(given, sets, config, is_resumed=is_resumed)
    _refuse_dash(resolved.config)
    return resolved


def resolve(
    given: Mapping[str, tuple[str, object]], sets: list[str] | None, config: str | None, *, is_resumed: bool = False
) -> "ResolvedConfig":
    """Return the config of all sources; raise ConfigError for what is wrong in any of them.

    given: by key the option and its value, None where it was not given. A training that is resumed has what its corpus
    asks for already.
    """
    from w2v_cli.config import resolve as configs  # noqa: PLC0415  pydantic and NumPy are not needed for --help
    from w2v_cli.corpus import find  # noqa: PLC0415
    from w2v_cli.datasets import registry  # noqa: PLC0415

    data_folder = registry.data_folder(os.environ)
    return configs.resolve(
        options={key: (flag, value) for key, (flag, value) in given.items() if value is not None},
        sets=sets or (),
        environment=os.environ,
        file=None if config is None else configs.find_config_file(config),
        corpus_settings_for=None if is_resumed else lambda source: find.corpus_settings_for(source, data_folder),
    )


def _refuse_dash(config: "Config") -> None:
    """Raise ConfigError where `-` stands for stdout, as it does elsewhere."""
    if config.output.path == "-":
        raise ConfigError("vectors cannot go to stdout (-): name a file with --output.")
