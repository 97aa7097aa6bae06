"""YAML + environment + overrides → one validated config, every problem reported at once with line:column."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from w2v_cli.config import layers as sources
from w2v_cli.config.layers import Given
from w2v_cli.config.problems import hint
from w2v_cli.config.schema import FIELDS, SECTIONS, Config, describe_settings
from w2v_cli.config.shipped import shipped_configs
from w2v_cli.config.yaml import NOWHERE, Document, DocumentBuilder, Place, Problem, SyntaxProblemError, place_of
from w2v_cli.errors import ConfigError

__all__ = ["Config", "ResolvedConfig", "describe_settings", "find_config_file", "read_yaml", "resolve"]

_LONGEST_FILE = 200_000  # bytes, which take seconds: a config is a page; more is a mistake or an attack
_SYNTAX_CURES = {
    "'\\t'": "indent with spaces, not tabs",
    "<block end>": "check the indentation",
    "mapping values": "check the indentation, and put a text that holds ': ' in quotes",
}
CorpusSettingsFor = Callable[[str | Sequence[str] | None], tuple[str, Mapping[str, object]] | None]


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """A config, and for each dotted key where its value came from: `--epochs`, `my.yaml:12:11`, `default`."""

    config: Config
    origins: Mapping[str, str]

    @property
    def given_keys(self) -> list[str]:
        """The keys of the settings that somebody gave."""
        return [key for key, origin in self.origins.items() if origin != "default"]


def resolve(
    *,
    options: Mapping[str, tuple[str, object]] | None = None,
    sets: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
    corpus_settings_for: CorpusSettingsFor | None = None,
) -> ResolvedConfig:
    """Return the config that all sources together give: option > `--set` > environment > file > corpus > default.

    options: dotted key → (option's name, value), only those really given. corpus_settings_for: takes the explicit
    corpus.source, or None, and returns the corpus's name with its keys of section corpus, or None.
    Every value is checked, a stronger source's as well as one that it hides. Raises ConfigError, a line a problem.
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
        source: Any = chosen["corpus.source"].value if "corpus.source" in chosen else None  # it has been checked
        if known := corpus_settings_for(source):
            _choose(chosen, [sources.from_corpus(*known)])
    return _build(chosen)


def _choose(chosen: dict[str, Given], strongest_first: Iterable[Iterable[Given | Problem]]) -> None:
    """Add to `chosen` the settings that it lacks; raise ConfigError with the problems of all sources."""
    problems: list[str] = []
    for source in strongest_first:
        sound, wrong = sources.sort_out(source)
        problems += wrong
        # Of two `--set` for one key the last counts.
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
    """Return the file of a config that we ship, such as `book-cbow`, or the path that was given.

    Raises ConfigError, with the shipped names, where there is neither.
    """
    shipped = shipped_configs()
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    with contextlib.suppress(OSError):  # a name too long for a file is no file
        if path.exists():
            return path
    near = get_close_matches(path.stem, shipped, n=1)
    raise ConfigError(
        f"no config {name_or_path!r}: neither a file nor one of {', '.join(shipped)}{hint(near[0]) if near else ''}"
    )


def read_yaml(path: Path) -> object:
    """Return the plain Python contents of a YAML file of ours, such as the table of corpora.

    Keys are text; values are dict, list, str, int, float, bool or None. Raises ConfigError, naming every problem.
    """
    document = _read_document(path)
    if document.problems:
        raise ConfigError("\n".join(sources.told(document.problems)))
    return document.contents


def _from_file(path: Path) -> Iterator[Given | Problem]:
    """Yield the settings of a YAML file; one that cannot be read is a problem among the others."""
    try:
        yield from sources.from_document(_read_document(path))
    except ConfigError as error:
        yield Problem(NOWHERE, str(error))


def _read_document(path: Path) -> Document:
    """Return what a YAML file holds, with the problems of its form; raise ConfigError where it cannot be read."""
    document = Document(str(path))
    text = _read_text(path)
    try:
        DocumentBuilder(_iterate_events(text), document).build()
    except SyntaxProblemError as error:
        document.contents = None
        document.problems.append(document.problem_at(error.place, str(error)))
    return document


def _read_text(path: Path) -> str:
    """Return the text of a config file; raise ConfigError where it is missing, unreadable, huge or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read the config {path}: {error.strerror}; check its name and permissions."
        ) from error
    if len(data) > _LONGEST_FILE:
        raise ConfigError(f"{path} is no config: it is longer than {_LONGEST_FILE:,} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line} is not UTF-8 (byte 0x{data[error.start]:02x}); save it as UTF-8.") from error


def _iterate_events(text: str) -> Iterator[Any]:
    """Yield ruamel.yaml's parse events of a text; raise SyntaxProblemError where it is no YAML."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - only what reads YAML pays for this import
    from ruamel.yaml.error import MarkedYAMLError  # noqa: PLC0415 - as above
    from ruamel.yaml.reader import ReaderError  # noqa: PLC0415 - as above

    if directive := re.search(r"^%", text, re.MULTILINE):
        raise SyntaxProblemError(_place_at(text, directive.start()), "a directive (%) is refused; take the line out")
    place = Place(1, 1)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            place = place_of(event.end_mark)
            yield event
    except MarkedYAMLError as error:
        raise SyntaxProblemError(place_of(error.problem_mark), _explain_syntax(error)) from error
    except ReaderError as error:
        wrong = f"the character U+{error.character:04X} is not allowed"
        raise SyntaxProblemError(_place_at(text, error.position), f"YAML syntax: {wrong}") from error
    except (ValueError, OverflowError) as error:  # ruamel's chr() of an escape: "\U00110000", "\Uffffffff"
        raise SyntaxProblemError(place, "YAML syntax: an escape from here on names no character") from error


def _explain_syntax(error: Any) -> str:
    """Return the parser's complaint, where the broken thing began, and a likely cure."""
    began = error.context_mark and error.context_mark.line != error.problem_mark.line
    since = f" {error.context} begun in line {error.context_mark.line + 1}" if began else ""
    cures = [cure for sign, cure in _SYNTAX_CURES.items() if sign in error.problem]
    return "; ".join([f"YAML syntax: {error.problem}{since}", *cures])


def _place_at(text: str, index: int) -> Place:
    """Return the place of a character of a text."""
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
