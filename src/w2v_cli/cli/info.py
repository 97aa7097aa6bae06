"""`w2v info`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonOption

if TYPE_CHECKING:
    from w2v_cli.vectors import WordVectors

_FREQUENT_WORDS = 10


def info(
    file: Annotated[Path, typer.Argument(help="A vectors file of w2v, or the book's pickle.")] = DEFAULT_VECTORS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say what FILE is and how it was made.

    \b
    Examples:
      w2v info
      w2v info novels.safetensors --json
    """  # noqa: D301  \b keeps the lines
    from w2v_cli import formats  # noqa: PLC0415  NumPy is not needed for --help

    with console.json_errors("info", as_json=as_json):
        word_vectors = formats.open_vectors(file)
    facts = _facts(file, word_vectors)
    if as_json:
        console.write_json("info", facts)
    else:
        console.write("\n".join(_lines(facts)))


def _facts(file: Path, word_vectors: "WordVectors") -> dict[str, Any]:
    """Return what there is to say, the sizes first."""
    words, dim = word_vectors.vectors.shape
    return {
        "file": str(file),
        "size_bytes": file.stat().st_size,
        "words": words,
        "dim": dim,
        "number_format": str(word_vectors.vectors.dtype),
        "frequent_words": list(word_vectors.words[:_FREQUENT_WORDS]),
        **word_vectors.metadata,
    }


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Return facts as indented `name: value` lines."""
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list):
            shown = ", ".join(f"{item:.4f}" if isinstance(item, float) else str(item) for item in value)
            lines.append(f"{indent}{name}: {shown}")
        else:
            lines.append(f"{indent}{name}: {value}")
    return lines
