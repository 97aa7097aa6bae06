"""The pages of docs/reference that describe JSON: their fields, and a check of objects against them."""

import json
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
TYPES = {
    "whole number": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float) and math.isfinite(value),
    "text": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


@dataclass(frozen=True)
class Page:
    """A page: the fields that every object has, and those of each part, name → type."""

    text: str
    common: dict[str, str]
    parts: dict[str, dict[str, str]]

    def check(self, content: dict[str, Any], part: str) -> None:
        """Assert that an object has the fields of a part, of the types that stand there, and no others."""
        self._check_fields(content, self.common | self.parts[part], part)

    def _check_fields(self, content: dict[str, Any], fields: dict[str, str], place: str) -> None:
        required = {name for name, kind in fields.items() if not kind.endswith(", optional")}
        assert required <= set(content) <= set(fields), (place, sorted(set(content) ^ required))
        for name, value in content.items():
            kinds = fields[name].removesuffix(", optional").split(" or ")
            assert any(self._is(value, kind, f"{place}.{name}") for kind in kinds), (place, name, value)

    def _is(self, value: Any, kind: str, place: str) -> bool:
        if kind in TYPES:
            return TYPES[kind](value)
        if kind.startswith("list of "):
            item = kind.removeprefix("list of ")
            return isinstance(value, list) and all(self._is(one, item, place) for one in value)
        if isinstance(value, dict):
            self._check_fields(value, self.parts[kind], place)
        return isinstance(value, dict)


def read_page(name: str) -> Page:
    """Return a page of docs/reference: its parts are under headings, their fields in tables."""
    text = (REFERENCE / name).read_text(encoding="utf-8")
    common, *parts = re.split(r"^##+ (.+)$", text, flags=re.MULTILINE)
    by_name = zip(parts[::2], parts[1::2], strict=True)
    return Page(text, _fields(common), {part: _fields(table) for part, table in by_name})


def _fields(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE))


def check_lines(text: str) -> list[dict[str, Any]]:
    """Return the events of a log after checking each line against docs/reference/log.md."""
    page = read_page("log.md")
    page = replace(page, parts=page.parts | {"epoch": page.parts["progress"] | page.parts["epoch"]})
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        page.check(event, event["event"])
    return events
