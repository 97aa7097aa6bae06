"""The sources of settings, brought to one shape: options, `--set`, environment, YAML file, table of datasets."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from w2v_cli.config.problems import find_problem, hint, suggest
from w2v_cli.config.schema import FIELDS, SECTIONS
from w2v_cli.config.yaml import NOWHERE, Document, Place, Problem, problem_lines, read_scalar

_ENVIRONMENT_PREFIX = "W2V_"
_SECTION_MARK = "__"  # for the dot, which shells do not allow in a name
_QUOTED = re.compile(r"""(['"])(.*)\1""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Given:
    """A setting with the value that a source gives it.

    Attributes:
        key: The dotted key, which may be unknown.
        value: The value, not yet validated.
        origin: The source, as `w2v config show --origin` names it.
        label: The start of a message about the value.
        place: The place in a file, to sort problems by.
    """

    key: str
    value: object
    origin: str
    label: str
    place: Place = NOWHERE


def from_options(options: Mapping[str, tuple[str, object]]) -> Iterator[Given]:
    """Yield the settings of options such as `--epochs 3`.

    Args:
        options: By dotted key, the name of the option and its value.
    """
    for key, (option, value) in options.items():
        yield Given(key, value, origin=option, label=option)


def from_corpus(name: str, settings: Mapping[str, object]) -> Iterator[Given]:
    """Yield the settings of the corpus `name` in the table of datasets; their keys lack the section `corpus`."""
    for key, value in settings.items():
        yield Given(f"corpus.{key}", value, origin=f"corpus {name}", label=f"corpus {name}: corpus.{key}")


def from_document(document: Document) -> Iterator[Given | Problem]:
    """Yield the settings of a YAML config, and the problems of its form; an empty file has none."""
    yield from document.problems
    if isinstance(document.contents, dict):
        for section, settings in document.contents.items():
            yield from _from_section(document, section, settings)
    elif document.contents is not None:
        yield document.problem_at(
            document.places[()], f"must consist of sections ({', '.join(SECTIONS)}) with settings"
        )


def _from_section(document: Document, section: str, settings: object) -> Iterator[Given | Problem]:
    """Yield the settings of one section of a YAML config; an empty section has none."""
    if section not in SECTIONS:
        place = document.key_places[section,]
        yield document.problem_at(
            place, f"{section}: {_explain_unknown(section, is_section=isinstance(settings, dict))}"
        )
    elif isinstance(settings, dict):
        for name, value in settings.items():
            key = f"{section}.{name}"
            place = (document.places if key in FIELDS else document.key_places)[section, name]
            origin = document.locate(place)
            yield Given(key, value, origin=origin, label=f"{origin} {key}", place=place)
    elif settings is not None:
        yield document.problem_at(
            document.places[section,], f"{section}: is a section; write its settings below it, indented"
        )


def _explain_unknown(key: str, *, is_section: bool) -> str:
    """Return the problem of an unknown top-level key, and its likely meaning."""
    if key in FIELDS:
        section, _, name = key.partition(".")
        return f"move {name} into the section {section}"
    if not is_section:
        return f"unknown setting{hint(suggest(key))}"
    near = get_close_matches(key, SECTIONS, n=1)
    return f"unknown section{hint(near[0] if near else None)}"


def from_sets(assignments: Iterable[str]) -> Iterator[Given | Problem]:
    """Yield the settings of `--set key=value` options."""
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals:
            yield Problem(NOWHERE, f"--set {key}: must be KEY=VALUE, such as --set training.epochs=3")
        else:
            yield Given(key, read_value(text), origin="--set", label=f"--set {key}")


def from_environment(environment: Mapping[str, str]) -> Iterator[Given | Problem]:
    """Yield the settings of variables such as W2V_TRAINING__EPOCHS; W2V_DATA_DIR, without `__`, is not one."""
    keys = {_variable(key): key for key in FIELDS}
    for name, text in environment.items():
        if not name.startswith(_ENVIRONMENT_PREFIX) or _SECTION_MARK not in name:
            continue
        if name in keys:
            yield Given(keys[name], read_value(text), origin=name, label=name)
        else:
            near = suggest(name.removeprefix(_ENVIRONMENT_PREFIX).lower().replace(_SECTION_MARK, "."))
            yield Problem(NOWHERE, f"{name}: unknown setting{hint(near and _variable(near))}")


def _variable(key: str) -> str:
    """Return the environment variable of a setting: `W2V_TRAINING__EPOCHS` for `training.epochs`."""
    return _ENVIRONMENT_PREFIX + key.replace(".", _SECTION_MARK).upper()


def sort_out(source: Iterable[Given | Problem]) -> tuple[list[Given], list[str]]:
    """Return the valid settings of a source, and the messages about the others from top to bottom."""
    sound, problems = [], []
    for item in source:
        if isinstance(item, Problem):
            problems.append(item)
        elif wrong := find_problem(item.key, item.value):
            problems.append(Problem(item.place, f"{item.label}: {wrong}"))
        else:
            sound.append(item)
    return sound, problem_lines(problems)


def read_value(text: str) -> str | int | float | bool | None:
    """Return the value of a shell word: as in YAML, but without comments, lists and mappings.

    So a file named `#1` or `[a: b]` needs no quotes. Quotes inside the word make it text.

    >>> read_value("3"), read_value('"3"'), read_value("[a: b]")
    (3, '3', '[a: b]')
    """
    if quoted := _QUOTED.fullmatch(text):
        return quoted[2]
    return read_scalar(text.strip())
