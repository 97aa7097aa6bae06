"""A YAML file as plain data, with the place of each key and value, and every problem of its form.

From parse events of ruamel.yaml, not its nodes or constructors: those resolve aliases before one can refuse them, lose
the places of aliases and tags, and recurse as deep as the file says. After a problem, reading continues to find others.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from w2v_cli.errors import ConfigError

_LONGEST_FILE = 200_000  # bytes, which take seconds to parse; a config has a page
_SYNTAX_CURES = {
    "'\\t'": "indent with spaces, not tabs",
    "<block end>": "check the indentation",
    "mapping values": "check the indentation, and put a text that holds ': ' in quotes",
}
_MOST_PROBLEMS = 40  # shown for one source
_LONGEST_LINE = 600  # characters of a message
_LONGEST_NUMBER = 40  # characters: int() grows slow, then fails, on thousands of digits

# YAML 1.2's core schema, except that an integer with a leading zero stays text: YAML 1.1 reads it as octal.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NAMED_VALUES: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DEEPEST_NESTING = 20  # levels: a config needs fewer than five
_REFUSED = object()  # in place of a value that is refused

KeyPath = tuple[str, ...]  # ("training", "epochs") leads to a value, () is the whole


class Place(NamedTuple):
    """A place in a file; line and column count from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)  # of a problem without a place in a file


class Problem(NamedTuple):
    """A line of the final message, and the place by which the problems of a file are sorted."""

    place: Place
    line: str


@dataclass(slots=True)
class Document:
    """The contents of a YAML file as plain data, the place of each key and value, and the problems of its form."""

    name: str
    contents: object = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    key_places: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def locate(self, place: Place) -> str:
        """Return a place of this file as text: `my.yaml:12:18`."""
        return f"{self.name}:{place.line}:{place.column}"

    def problem_at(self, place: Place, text: str) -> Problem:
        """Return a problem at a place of this file."""
        return Problem(place, f"{self.locate(place)} {text}")


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Return the messages from top to bottom, printable and abridged; of very many, the first and their number."""
    ordered = sorted(problems, key=lambda problem: problem.place)
    lines = [_shortened(printable(problem.line)) for problem in ordered[:_MOST_PROBLEMS]]
    return lines if len(ordered) == len(lines) else [*lines, f"… and {len(ordered) - len(lines):,} more problems"]


def _shortened(line: str) -> str:
    """Return a line without the middle if it is very long: place and key are at the start, the advice at the end."""
    if len(line) <= _LONGEST_LINE:
        return line
    return f"{line[: _LONGEST_LINE * 2 // 3]}…{line[-_LONGEST_LINE // 3 :]}"


def printable(line: str) -> str:
    """Return a line with its control characters escaped: a key or file name may hold line breaks and terminal codes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


class SyntaxProblemError(Exception):
    """A YAML text that cannot be read beyond a place."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place = place


class DocumentBuilder:
    """Fills a document from parse events."""

    def __init__(self, events: Iterator[Any], document: Document) -> None:
        self._events = events
        self._document = document

    def build(self) -> None:
        """Fill the document; an empty text leaves its contents None.

        Raises:
            SyntaxProblemError: The text is not YAML, holds a second document or is nested too deeply.
        """
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent" and self._document.places:
                raise SyntaxProblemError(
                    place_of(event.start_mark), "a second document starts; only one per file is supported"
                )
            if kind not in {"StreamStartEvent", "DocumentStartEvent", "DocumentEndEvent", "StreamEndEvent"}:
                contents = self._value(event, ())
                self._document.contents = None if contents is _REFUSED else contents

    def _value(self, event: Any, path: KeyPath) -> object:
        """Return the value that starts with `event`, or _REFUSED; record its place and its problems."""
        place = place_of(event.start_mark)
        if (
            event.start_mark.index == event.end_mark.index
        ):  # an empty value: ruamel marks what follows, so take the place of the key
            place = self._document.key_places.get(path, place)
        self._document.places[path] = place
        if len(path) > _DEEPEST_NESTING:
            raise SyntaxProblemError(place, f"nested deeper than {_DEEPEST_NESTING} levels")
        value: object = None
        match type(event).__name__:
            case "SequenceStartEvent":
                value = self._list(path)
            case "MappingStartEvent":
                value = self._mapping(path)
            case "ScalarEvent":
                value = read_scalar(event.value) if event.implicit[0] else event.value
        if refusal := _find_refusal(event):
            self._note(place, path, refusal)
            return _REFUSED
        return value

    def _list(self, path: KeyPath) -> list[object]:
        """Return the values up to the end of the current list."""
        values: list[object] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            values.append(self._value(event, (*path, str(len(values)))))
        return values

    def _mapping(self, path: KeyPath) -> dict[str, object]:
        """Return the keys, as text, and values up to the end of the current mapping."""
        contents: dict[str, object] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            place = place_of(event.start_mark)
            if type(event).__name__ != "ScalarEvent" or _find_refusal(event):
                if self._value(event, (*path, "?")) is not _REFUSED:
                    self._note(place, path, "a key must be plain text")
                self._value(next(self._events), (*path, "?"))
                continue
            at = (*path, event.value)
            first = self._document.key_places.setdefault(at, place)
            if first != place:
                self._note(place, at, f"given twice, first in line {first.line}")
            value = self._value(next(self._events), at)
            if value is not _REFUSED:
                contents[event.value] = value
        return contents

    def _note(self, place: Place, path: KeyPath, text: str) -> None:
        """Record a problem with the key or value at `path`."""
        label = f"{'.'.join(path)}: " if path else ""
        self._document.problems.append(self._document.problem_at(place, label + text))


def _find_refusal(event: Any) -> str | None:
    """Return why a key or value is refused regardless of its contents: for an alias, an anchor or a tag."""
    if type(event).__name__ == "AliasEvent":
        return f"the alias *{event.anchor} is not supported; write its value out"
    if event.anchor:
        return f"the anchor &{event.anchor} is not supported; remove it"
    if event.tag:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        return f"the tag {tag} is not supported; remove it"
    return None


def place_of(mark: Any) -> Place:
    """Return the place of a mark of ruamel.yaml, which counts from 0."""
    return Place(mark.line + 1, mark.column + 1)


def read_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a YAML 1.2 scalar without quotes: 3 for `3`, 0.001 for `1e-3`, text for `no` and `012`."""
    if text in _NAMED_VALUES:
        return _NAMED_VALUES[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, base=0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else text


def read_yaml(path: Path) -> object:
    """Return the contents of a YAML file that ships with w2v, such as the table of datasets.

    Returns:
        Plain data: dict with text keys, list, str, int, float, bool or None.

    Raises:
        ConfigError: The file cannot be read, or its form is wrong; the message names every problem.
    """
    document = read_document(path)
    if document.problems:
        raise ConfigError("\n".join(problem_lines(document.problems)))
    return document.contents


def read_document(path: Path) -> Document:
    """Return the contents of a YAML file, with the problems of its form.

    Raises:
        ConfigError: The file is missing, unreadable, too long or not UTF-8.
    """
    document = Document(str(path))
    text = _read_text(path)
    try:
        DocumentBuilder(_iterate_events(text), document).build()
    except SyntaxProblemError as error:
        document.contents = None
        document.problems.append(document.problem_at(error.place, str(error)))
    return document


def _read_text(path: Path) -> str:
    """Return the text of a config file; raise ConfigError if it is missing, unreadable, too long or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read the config {path}: {error.strerror}; check its name and permissions."
        ) from error
    if len(data) > _LONGEST_FILE:
        raise ConfigError(f"{path} is too long for a config: more than {_LONGEST_FILE:,} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line} is not UTF-8 (byte 0x{data[error.start]:02x}); save it as UTF-8.") from error


def _iterate_events(text: str) -> Iterator[Any]:
    """Yield the parse events of a text; raise SyntaxProblemError if it is not YAML."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - only what reads YAML pays for this import
    from ruamel.yaml.error import MarkedYAMLError  # noqa: PLC0415 - as above
    from ruamel.yaml.reader import ReaderError  # noqa: PLC0415 - as above

    if directive := re.search(r"^%", text, re.MULTILINE):
        raise SyntaxProblemError(
            _place_at(text, directive.start()), "directives (%) are not supported; remove the line"
        )
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
        raise SyntaxProblemError(place, "YAML syntax: an escape after this place is not a valid character") from error


def _explain_syntax(error: Any) -> str:
    """Return the parser's message, the line where the broken part began, and advice."""
    began = error.context_mark and error.context_mark.line != error.problem_mark.line
    since = f" {error.context} that started in line {error.context_mark.line + 1}" if began else ""
    cures = [cure for sign, cure in _SYNTAX_CURES.items() if sign in error.problem]
    return "; ".join([f"YAML syntax: {error.problem}{since}", *cures])


def _place_at(text: str, index: int) -> Place:
    """Return the place of a character of a text."""
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
