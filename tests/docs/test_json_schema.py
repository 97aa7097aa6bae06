"""The JSON Schema says what docs/reference/json.md says, and tells right from wrong."""

import json

import pytest

from documented import REFERENCE

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is missing: the JSON Schema was NOT checked")
SCHEMA = REFERENCE / "json.schema.json"
HEAD = {"schema": 1, "command": "similar"}
SIMILAR = HEAD | {"word": "a", "method": "add", "vectors": "f", "neighbours": [{"word": "b", "similarity": 0.5}]}


@pytest.fixture
def validator():
    """Return what validates against the file."""
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_schema_is_a_schema(validator):
    """It is sound by the rules of JSON Schema, and each part that it refers to is there."""
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    for part in validator.schema["anyOf"]:
        assert part["$ref"].removeprefix("#/$defs/").replace("%20", " ") in validator.schema["$defs"]


@pytest.mark.parametrize(
    ("content", "is_valid"),
    [
        (SIMILAR, True),
        (SIMILAR | {"new": 1}, True),  # fields may come with the same version
        (HEAD | {"command": None, "error": {"exit_code": 7, "message": "m", "word": "x", "suggestions": ["y"]}}, True),
        (HEAD, False),
        (SIMILAR | {"schema": 2}, False),
        (SIMILAR | {"neighbours": [{"similarity": 0.5}]}, False),
        (SIMILAR | {"neighbours": "b"}, False),
        (SIMILAR | {"vectors": 3}, False),
    ],
)
def test_schema_tells_right_from_wrong(validator, content, is_valid):
    """What a command writes is valid; what lacks a field, has another type or another version is not."""
    assert validator.is_valid(content) is is_valid
