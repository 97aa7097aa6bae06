"""Messages about wrong settings: an invalid value, or an unknown key."""

from difflib import get_close_matches

from pydantic import ValidationError

from w2v_cli.config.schema import FIELDS, LIMITS, Config, allowed_values

_LONGEST_SHOWN = 60  # characters of a wrong value in a message
_MUST_BE = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list of texts",
}


def find_problem(key: str, value: object) -> str | None:
    """Return what is wrong with a key or its value, such as `must be from 1 to 1000, was 0`; None if it is valid."""
    if key not in FIELDS:
        return f"unknown setting{hint(suggest(key))}"
    section, name = key.split(".")
    try:
        Config.model_validate({section: {name: value}})
    except ValidationError as error:
        return _in_words(key, value, error)
    return None


def _in_words(key: str, value: object, error: ValidationError) -> str:
    """Return pydantic's error in words that do not presume pydantic."""
    details = error.errors(include_url=False)[0]
    context = details.get("ctx", {})
    allowed = allowed_values(FIELDS[key])
    if details["type"] == "literal_error":
        return f"must be {allowed}, was {_shown(value)}"
    if details["type"] == "finite_number" or any(name in context for name in LIMITS):
        bounds = allowed.replace(" to ", " and at most ") if allowed.startswith("above ") else f"from {allowed}"
        return f"must be {bounds}, was {_shown(value)}"
    must_be = _MUST_BE.get(details["type"]) or str(context.get("error", details["msg"]))
    return f"{must_be}, was {_shown(value)}"


def _shown(value: object) -> str:
    """Return a value as YAML writes it, abridged."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case "" | [""]:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list with an empty text" if "" in value else "a list"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def suggest(key: str) -> str | None:
    """Return the setting that a mistyped key probably means, None if none is near.

    >>> suggest("training.epoch")
    'training.epochs'
    """
    names = {name.rpartition(".")[2]: name for name in FIELDS}
    near = get_close_matches(key.rpartition(".")[2], names, n=1)
    return names[near[0]] if near else None


def hint(suggestion: str | None) -> str:
    """Return the end of a message: the likely meaning, or the page that lists all settings."""
    return f"; did you mean {suggestion}?" if suggestion else "; docs/reference/settings.md lists them all"
