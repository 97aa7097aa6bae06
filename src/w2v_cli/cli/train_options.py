"""The command line of a training: its options for `train` and `config show`, and the config that they give."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli.completion import complete_config, complete_corpus, complete_setting
from w2v_cli.cli.options import COMMON, SETTING_OPTIONS, SettingOption
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.config.resolve import ResolvedConfig
    from w2v_cli.config.schema import Config

_Corpus = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CORPUS",
        help="Texts: files (also .gz, .bz2, .xz, .zst), folders, patterns or URLs; - for stdin; or a corpus name.",
        show_default="ptb if downloaded, else demo",
        autocompletion=complete_corpus,
    ),
]
_Config = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="A YAML file with settings, or a config shipped with w2v: book-cbow, book-skipgram or default.",
        rich_help_panel=COMMON,
        autocompletion=complete_config,
    ),
]
_Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any setting, for example training.batch_size=256; repeat for several.",
        rich_help_panel=COMMON,
        autocompletion=complete_setting,
    ),
]


@dataclass(frozen=True)
class TrainOptions:
    """The settings given on the command line of a training.

    Attributes:
        given: by key, the option or argument that sets it and its value, for those that were given.
        sets: the values of --set.
        config: the value of --config.
    """

    given: Mapping[str, tuple[str, object]]
    sets: Sequence[str]
    config: str | None

    @property
    def overwrites(self) -> bool:
        """Whether --overwrite was given."""
        return "output.overwrite" in self.given

    def resolve(self, *, is_resumed: bool = False) -> "ResolvedConfig":
        """Return the config that these options, the environment and the config file give.

        Args:
            is_resumed: whether a snapshot supplies the settings of the corpus.

        Raises:
            ConfigError: for everything wrong in any source, all problems at once.
        """
        resolved = resolve(self.given, self.sets, self.config, is_resumed=is_resumed)
        _refuse_stdout(resolved.config)
        return resolved


def with_train_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` for Typer: its parameter `options`, a TrainOptions, becomes the argument and options themselves.

    The options come where `options` stands, so that the help shows them in this order.
    """
    signature = inspect.signature(command)
    own = list(signature.parameters.values())
    place = list(signature.parameters).index("options")
    shared = [
        _keyword("corpus", _Corpus),
        *(_keyword(option.parameter, _declaration(option)) for option in SETTING_OPTIONS),
        _keyword("config", _Config),
        _keyword("set_", _Sets),
    ]

    def run(**values: Any) -> None:
        given = {parameter.name: values.pop(parameter.name) for parameter in shared}
        command(options=_read(given), **values)

    run.__doc__ = command.__doc__
    own_first = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own[:place]]
    run.__signature__ = signature.replace(parameters=[*own_first, *shared, *own[place + 1 :]])  # type: ignore[attr-defined]  # PEP 362: inspect reads it, functions do not declare it
    return run


def resolve(
    given: Mapping[str, tuple[str, object]],
    sets: Sequence[str] | None,
    config: str | None,
    *,
    is_resumed: bool = False,
) -> "ResolvedConfig":
    """Return the config of all sources.

    Args:
        given: by key, the option and its value.
        sets: the values of --set.
        config: the value of --config.
        is_resumed: whether a snapshot supplies the settings of the corpus.

    Raises:
        ConfigError: for everything wrong in any source, all problems at once.
    """
    from w2v_cli.config.resolve import find_config_file
    from w2v_cli.config.resolve import resolve as resolve_config
    from w2v_cli.corpus.find import corpus_settings_for
    from w2v_cli.datasets.registry import data_folder

    folder = data_folder(os.environ)
    return resolve_config(
        options=given,
        sets=sets or (),
        environment=os.environ,
        file=None if config is None else find_config_file(config),
        corpus_settings_for=None if is_resumed else lambda source: corpus_settings_for(source, folder),
    )


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    is_flag = annotation.__args__[0] is bool
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=False if is_flag else None, annotation=annotation
    )


def _declaration(option: SettingOption) -> Any:
    """Return the annotation by which Typer reads an option."""
    flags = option.flags or (option.flag,)
    texts: dict[str, Any] = {"help": option.help, "rich_help_panel": option.group}
    if not option.metavar:
        return Annotated[bool, typer.Option(*flags, **texts)]
    texts |= {"metavar": option.metavar, "show_default": option.default or False, "autocompletion": option.complete}
    return Annotated[list[str] | None if option.is_list else str | None, typer.Option(*flags, **texts)]


def _read(values: Mapping[str, Any]) -> TrainOptions:
    """Return the options that were given, of all parameters' values."""
    given: dict[str, tuple[str, object]] = {}
    if values["corpus"]:
        given["corpus.source"] = ("CORPUS", values["corpus"])
    for option in SETTING_OPTIONS:
        value = values[option.parameter]
        if value not in (None, False, []):
            given[option.key] = (option.flag, _value(option, value))
    return TrainOptions(given, values["set_"] or (), values["config"])


def _value(option: SettingOption, value: Any) -> object:
    """Return what a setting gets: a flag's value, a list, a path as it stands, or text read as YAML reads it."""
    from w2v_cli.config.layers import read_value

    if value is True:
        return option.stands_for
    if option.is_list or option.is_literal:
        return value
    return read_value(value)


def _refuse_stdout(config: "Config") -> None:
    """Raise ConfigError if the output is `-`, which means stdout elsewhere."""
    if config.output.path == "-":
        raise ConfigError("vectors cannot be written to stdout (-): pass a file with --output.")
