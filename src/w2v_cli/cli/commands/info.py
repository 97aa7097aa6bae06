"""`w2v info`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import open_files
from w2v_cli.cli.options import DEFAULT_VECTORS, FileArgument, JsonOption

if TYPE_CHECKING:
    from w2v_cli.vectors import KeyedVectors

_FIRST_WORDS = 10
_LONGEST_LIST = 20  # items; the text of a longer list omits the middle


def info(
    file: FileArgument = DEFAULT_VECTORS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a vectors file contains and how it was trained.

    \b
    Examples:
      w2v info
      w2v info novels.safetensors --json
    """
    [opened] = open_files([file])
    word_vectors = opened.word_vectors
    facts, metadata = _facts(file, word_vectors), dict(word_vectors.metadata)
    if as_json:
        console.write_json("info", facts | {"metadata": metadata})
    else:
        console.write_text(_lines(facts) + _lines(metadata))


def _facts(file: Path, word_vectors: "KeyedVectors") -> dict[str, Any]:
    """Return the facts besides the metadata."""
    words, dim = word_vectors.vectors.shape
    first_words = "first_words" if word_vectors.counts is None else "frequent_words"  # with counts they are sorted
    return {
        "file": str(file),
        "size_bytes": file.stat().st_size,
        "words": words,
        "dim": dim,
        "number_format": str(word_vectors.vectors.dtype),
        first_words: list(word_vectors.words[:_FIRST_WORDS]),
    }


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Return facts as indented `name: value` lines."""
    lines = []
    for name, value in facts.items():
        label = f"{indent}{console.printable(name)}:"
        if isinstance(value, dict):
            lines += [label, *_lines(value, indent + "  ")]
        else:
            lines.append(f"{label} {console.printable(_value_text(value))}")
    return lines


def _value_text(value: object) -> str:
    """Return a value as text.

    >>> _value_text([0.25, "a", None])
    '0.25, a, none'
    """
    match value:
        case None | bool():
            return str(value).lower()
        case float():
            return f"{value:.5g}"
        case list() if len(value) > _LONGEST_LIST:
            half = _LONGEST_LIST // 2
            return f"{_value_text(value[:half])}, …, {_value_text(value[-half:])}"
        case list():
            return ", ".join(_value_text(item) for item in value)
        case dict():
            return ", ".join(f"{name} {_value_text(item)}" for name, item in value.items())
    return str(value)
