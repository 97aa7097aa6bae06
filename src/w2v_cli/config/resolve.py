"""Merge of all sources of settings into one validated config; every problem is reported at once."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from w2v_cli.config import layers as sources
from w2v_cli.config.layers import Given
from w2v_cli.config.problems import hint
from w2v_cli.config.schema import FIELDS, SECTIONS, Config
from w2v_cli.config.shipped import shipped_configs
from w2v_cli.config.yaml import NOWHERE, Problem, read_document
from w2v_cli.errors import ConfigError

CorpusSettingsFor = Callable[[str | Sequence[str] | None], tuple[str, Mapping[str, object]] | None]


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """A config, and by dotted key the origin of each value: `--epochs`, `my.yaml:12:11`, `default`."""

    config: Config
    origins: Mapping[str, str]

    @property
    def given_keys(self) -> list[str]:
        """The keys of the settings that some source gives."""
        return [key for key, origin in self.origins.items() if origin != "default"]


def resolve(
    *,
    options: Mapping[str, tuple[str, object]] | None = None,
    sets: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
    corpus_settings_for: CorpusSettingsFor | None = None,
) -> ResolvedConfig:
    """Return the config of all sources, strongest first: option, `--set`, environment, file, corpus, default.

    Args:
        options: By dotted key, the name of the option and its value, for the options that were given.
        sets: The values of --set, `key=value`.
        environment: Environment variables, of which those like W2V_TRAINING__EPOCHS count.
        file: A YAML config.
        corpus_settings_for: Called with the given corpus.source, or None; returns the name of a known corpus with its
            settings of the section corpus, or None.

    Raises:
        ConfigError: A value or a key is wrong, also one that a stronger source overrides; one line per problem.
    """
    explicit = [
        sources.from_options(options or {}),
        sources.from_sets(sets),
        sources.from_environment(environment or {}),
        _from_file(file) if file else (),
    ]
    chosen: dict[str, Given] = {}
    _choose(chosen, explicit)
    if corpus_settings_for:
        source: Any = chosen["corpus.source"].value if "corpus.source" in chosen else None  # validated above
        if known := corpus_settings_for(source):
            _choose(chosen, [sources.from_corpus(*known)])
    return _build(chosen)


def _choose(chosen: dict[str, Given], strongest_first: Iterable[Iterable[Given | Problem]]) -> None:
    """Add the missing settings to `chosen`; raise ConfigError with the problems of all sources."""
    problems: list[str] = []
    for source in strongest_first:
        sound, wrong = sources.sort_out(source)
        problems += wrong
        # Within a source the last one counts: --set may repeat a key.
        chosen.update({given.key: given for given in sound if given.key not in chosen})
    if problems:
        raise ConfigError("\n".join(problems))


def _build(chosen: Mapping[str, Given]) -> ResolvedConfig:
    """Return the config of the chosen settings and the defaults."""
    values: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for key, given in chosen.items():
        section, name = key.split(".")
        values[section][name] = given.value
    origins = {key: chosen[key].origin if key in chosen else "default" for key in FIELDS}
    return ResolvedConfig(Config.model_validate(values), origins)


def find_config_file(name_or_path: str) -> Path:
    """Return the file of a shipped config, such as `book-cbow`, or else the path of that name.

    Raises:
        ConfigError: There is neither; the message lists the shipped configs.
    """
    shipped = shipped_configs()
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    with contextlib.suppress(OSError):  # the name may be too long for a file
        if path.exists():
            return path
    near = get_close_matches(path.stem, shipped, n=1)
    raise ConfigError(
        f"config {name_or_path!r} not found: it is neither a file nor one of the shipped configs, {', '.join(shipped)}"
        f"{hint(near[0]) if near else ''}"
    )


def _from_file(path: Path) -> Iterator[Given | Problem]:
    """Yield the settings of a YAML file; if it cannot be read, that is one problem among others."""
    try:
        yield from sources.from_document(read_document(path))
    except ConfigError as error:
        yield Problem(NOWHERE, str(error))
