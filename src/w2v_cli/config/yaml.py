"""Parse events of a YAML text → plain data, the place of each key and value, and every problem of its form."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
_DEEPEST_NESTING = 20  # levels: no file of ours needs five
_REFUSED = object()  # stands for a value that is a problem in itself

KeyPath = tuple[str, ...]  # ("training", "epochs") leads to a value, () is the whole


class Place(NamedTuple):
    """Where something stands in a file; both count from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)  # of a problem that lies in no file, or in all of one


class Problem(NamedTuple):
    """A whole line of the final message, and the place that sorts it among the problems of its file."""

    place: Place
    line: str


@dataclass(slots=True)
class Document:
    """What a YAML file holds as plain data, where each key and value stands, and what is wrong with its form."""

    name: str
    contents: object = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    key_places: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def locate(self, place: Place) -> str:
        """Return a place of this file for people: `my.yaml:12:18`."""
        return f"{self.name}:{place.line}:{place.column}"

    def problem_at(self, place: Place, text: str) -> Problem:
        """Return a problem at a place of this file."""
        return Problem(place, f"{self.locate(place)} {text}")


class SyntaxProblemError(Exception):
    """A YAML text that cannot be read any further."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place = place


class DocumentBuilder:
    """Fills a document from parse events.

    From events, not by ruamel's constructor: nothing but plain data is made, no alias is multiplied, both places
    of a duplicate key are known, and reading goes on after a problem to find the next.
    """

    def __init__(self, events: Iterator[Any], document: Document) -> None:
        self._events = events
        self._document = document

    def build(self) -> None:
        """Fill the document; an empty text leaves its contents None. Raises SyntaxProblemError."""
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent" and self._document.places:
                raise SyntaxProblemError(place_of(event.start_mark), "a second document begins; a file holds one")
            if kind not in {"StreamStartEvent", "DocumentStartEvent", "DocumentEndEvent", "StreamEndEvent"}:
                contents = self._value(event, ())
                self._document.contents = None if contents is _REFUSED else contents

    def _value(self, event: Any, path: KeyPath) -> object:
        """Return the value that `event` begins, or _REFUSED; note its place and its problems."""
        place = place_of(event.start_mark)
        if event.start_mark.index == event.end_mark.index:  # no text: ruamel marks what comes next, so take the key
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
        """Return the values up to the end of the list that has begun."""
        values: list[object] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            values.append(self._value(event, (*path, str(len(values)))))
        return values

    def _mapping(self, path: KeyPath) -> dict[str, object]:
        """Return the keys, as text, and values up to the end of the mapping that has begun."""
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
        """Note a problem with the key or value at `path`."""
        label = f"{'.'.join(path)}: " if path else ""
        self._document.problems.append(self._document.problem_at(place, label + text))


def _find_refusal(event: Any) -> str | None:
    """Return why a key or value is refused whatever it holds: aliases, anchors and tags are."""
    if type(event).__name__ == "AliasEvent":
        return f"the alias *{event.anchor} is refused; write out what it stands for"
    if event.anchor:
        return f"the anchor &{event.anchor} is refused; leave it out"
    if event.tag:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        return f"the tag {tag} is refused; leave it out"
    return None


def place_of(mark: Any) -> Place:
    """Return the place of ruamel's mark, which counts from 0."""
    return Place(mark.line + 1, mark.column + 1)


def read_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a YAML 1.2 scalar without quotes: `3` → 3, `1e-3` → 0.001, `no` → 'no', `012` → '012'."""
    if text in _NAMED_VALUES:
        return _NAMED_VALUES[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, base=0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else text
