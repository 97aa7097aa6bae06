"""docs/reference/json.md as a JSON Schema."""

import json
import re
from typing import Any

from documented import read_page

Schema = dict[str, Any]
_TYPES: dict[str, Schema] = {
    "whole number": {"type": "integer"},
    "number": {"type": "number"},
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "list": {"type": "array"},
    "null": {"type": "null"},
}


def json_schema() -> str:
    """Return the schema, as text: each part of the page is a definition, and an object is one of those it describes.

    Fields that the page does not name are allowed, because new ones may come with the same version.
    """
    page = read_page("json.md")
    parts = {part: fields for part, fields in page.parts.items() if fields}
    outer = [part for part in re.findall(r"^## (.+)$", page.text, re.MULTILINE) if part in parts]
    definitions = {part: _object(page.common | fields if part in outer else fields) for part, fields in parts.items()}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An object that w2v writes with --json, version 1",
        "anyOf": [_reference(part) for part in outer],
        "$defs": definitions,
    }
    return json.dumps(schema, indent=1) + "\n"


def _object(fields: dict[str, str]) -> Schema:
    required = [name for name, kind in fields.items() if not kind.endswith(", optional")]
    properties = {name: _any_of(kind.removesuffix(", optional").split(" or ")) for name, kind in fields.items()}
    if "schema" in properties:
        properties["schema"] = {"const": 1}
    return {"type": "object", "required": required, "properties": properties}


def _any_of(kinds: list[str]) -> Schema:
    schemas = [_one(kind) for kind in kinds]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _one(kind: str) -> Schema:
    if kind.startswith("list of "):
        return {"type": "array", "items": _one(kind.removeprefix("list of "))}
    return _TYPES.get(kind) or _reference(kind)


def _reference(part: str) -> Schema:
    return {"$ref": f"#/$defs/{part.replace(' ', '%20')}"}
