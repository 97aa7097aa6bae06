"""`w2v similarity`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import Asker, grouped, is_single, open_files
from w2v_cli.cli.completion import complete_word
from w2v_cli.cli.options import FilesOption, JsonLinesOption
from w2v_cli.errors import ConfigError, UnknownWordError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from w2v_cli.queries import Sum

_WORDS = 2  # of a question


class _Pair(NamedTuple):
    a: "Sum"
    b: "Sum"


def similarity(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...",
            help="Two words, or sums of words, a question; -: two a line.",
            autocompletion=complete_word,
        ),
    ],
    *,
    vectors: FilesOption = None,
    as_json: JsonLinesOption = False,
) -> None:
    """Show the cosine similarity of A and B, from -1 to 1.

    \b
    Examples:
      w2v similarity king queen
      w2v similarity "king - man + woman" queen
      w2v similarity war peace --vectors 1850.safetensors --vectors 1950.safetensors
      w2v similarity - < pairs.txt
    """
    arguments = grouped(context, words, size=2, name="a pair has two words, A B,")
    files = open_files(vectors)
    from w2v_cli.queries import measure_files, similarity  # noqa: PLC0415  NumPy is not needed for --help

    opened, paths = [file.word_vectors for file in files], [file.path for file in files]

    def measure(pairs: list[_Pair]) -> "list[list[float | UnknownWordError] | UnknownWordError]":
        return [measure_files(opened, partial(similarity, a=pair.a, b=pair.b)) for pair in pairs]

    def show(pair: _Pair, found: "list[float | UnknownWordError]") -> None:
        _show(pair, paths, found, is_only=is_single(arguments), as_json=as_json)

    Asker("similarity", as_json=as_json).ask(
        arguments, lambda line: _read_pair(line, lambda word: any(word in one for one in opened)), measure, show
    )


def _read_pair(line: str, is_word: "Callable[[str], bool]") -> _Pair:
    """Return the pair of a line; raise ConfigError where it has not two words."""
    from w2v_cli.cli.question_lines import split_words  # noqa: PLC0415
    from w2v_cli.queries import parse_sum  # noqa: PLC0415  not needed for --help

    words = split_words(line)
    if len(words) != _WORDS:
        raise ConfigError(f"{line!r} has {count(len(words), 'word')}, a pair has two; tabs go between sums of words.")
    return _Pair(*(parse_sum(word, is_word) for word in words))


def _show(
    pair: _Pair, paths: "Sequence[Path]", found: "Sequence[float | UnknownWordError]", *, is_only: bool, as_json: bool
) -> None:
    """Write the similarity in each file, which is empty, or null, in one that lacks a word."""
    columns = list(zip(paths, found, strict=True))
    for path, value in columns:
        if isinstance(value, UnknownWordError) and not as_json:
            console.warn(f"{path}: {value}")
    if as_json:
        contents = [_content(path, value) for path, value in columns]
        files = (
            {"files": contents} if len(contents) > 1 else {key: contents[0][key] for key in ("vectors", "similarity")}
        )
        console.write_json("similarity", {"a": pair.a.text, "b": pair.b.text} | files)
        return
    numbers = ["" if isinstance(value, UnknownWordError) else f"{value:.4f}" for value in found]
    console.write(console.tabbed(*([] if is_only else [pair.a.text, pair.b.text]), *numbers))


def _content(path: Path, value: float | UnknownWordError) -> dict[str, Any]:
    """Return what JSON says of the similarity in a file."""
    if isinstance(value, UnknownWordError):
        return {"vectors": str(path), "similarity": None, "suggestions": list(value.suggestions)}
    return {"vectors": str(path), "similarity": value, "suggestions": []}
