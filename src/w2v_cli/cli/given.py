"""The settings of a training as they are given on the command line: for `train`, and for `config show`."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli.completion import complete_config, complete_corpus, complete_set
from w2v_cli.cli.options import given_settings
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.config import ResolvedConfig
    from w2v_cli.settings import Config

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
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting, as training.batch_size=256.")
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

_NAMES = {  # of what is no SettingOption
    "corpus.source": "CORPUS",
    "training.backend": "--gpu",
    "training.deterministic": "--deterministic",
    "output.path": "--output",
    "output.overwrite": "--overwrite",
    "training.evaluate": "--evaluate",
    "output.log": "--log",
}


def resolve(
    given: Mapping[str, object],
    settings: Mapping[str, str | None],
    sets: list[str] | None,
    config: str | None,
    *,
    is_resumed: bool = False,
) -> "ResolvedConfig":
    """Return the config of all sources; raise ConfigError for what is wrong in any of them.

    given: the values of _NAMES, by key, something that is not true where an option was not given; settings: those of
    SETTING_OPTIONS. A training that is resumed has what its corpus asks for already.
    """
    from w2v_cli import config as configs  # noqa: PLC0415  pydantic and NumPy are not needed for --help
    from w2v_cli import corpora, datasets  # noqa: PLC0415
    from w2v_cli.config_sources import read_value  # noqa: PLC0415

    data_folder = datasets.data_folder(os.environ)
    options = {key: (_NAMES[key], value) for key, value in given.items() if value is not None and value is not False}
    resolved = configs.resolve(
        options=options | {key: (flag, read_value(text)) for key, flag, text in given_settings(settings)},
        sets=sets or (),
        environment=os.environ,
        file=None if config is None else configs.find_config_file(config),
        corpus_settings_for=None if is_resumed else lambda source: corpora.corpus_settings_for(source, data_folder),
    )
    _refuse_dash(resolved.config)
    return resolved


def _refuse_dash(config: "Config") -> None:
    """Raise ConfigError where `-` stands for stdout, as it does elsewhere."""
    if config.output.path == "-":
        raise ConfigError("vectors cannot go to stdout (-): name a file with --output.")
