"""`w2v similarity`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.ask_inputs import answer_questions, group_words, is_single, open_files, split_words
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
            metavar="A B",
            help="Two words or sums of words per question; - to read one question per line from stdin.",
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
    arguments = group_words(context, words, size=_WORDS, usage="similarity A B")
    files = open_files(vectors)
    from w2v_cli.queries import measure_files
    from w2v_cli.queries import similarity as cosine

    opened, paths = [file.word_vectors for file in files], [file.path for file in files]

    def measure(pairs: list[_Pair]) -> "list[list[float | UnknownWordError] | UnknownWordError]":
        return [measure_files(opened, partial(cosine, a=pair.a, b=pair.b)) for pair in pairs]

    def show(pair: _Pair, found: "list[float | UnknownWordError]") -> None:
        _show(pair, paths, found, is_only=is_single(arguments), as_json=as_json)

    answer_questions(
        "similarity",
        arguments,
        read=lambda line: _read_pair(line, lambda word: any(word in one for one in opened)),
        answer=measure,
        show=show,
        as_json=as_json,
    )


def _read_pair(line: str, is_word: "Callable[[str], bool]") -> _Pair:
    """Return the pair on a line; raise ConfigError unless it has two words."""
    from w2v_cli.queries import parse_sum

    words = split_words(line)
    if len(words) != _WORDS:
        raise ConfigError(
            f"{line!r} has {count(len(words), 'word')}, but a pair has two: A B. Separate sums of words by a tab."
        )
    return _Pair(*(parse_sum(word, is_word) for word in words))


def _show(
    pair: _Pair, paths: "Sequence[Path]", found: "Sequence[float | UnknownWordError]", *, is_only: bool, as_json: bool
) -> None:
    """Write the similarity in each file; empty, or null in JSON, if the file lacks a word."""
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
    console.write(tables.tabbed(*([] if is_only else [pair.a.text, pair.b.text]), *numbers))


def _content(path: Path, value: float | UnknownWordError) -> dict[str, Any]:
    """Return the JSON of the similarity in a file."""
    if isinstance(value, UnknownWordError):
        return {"vectors": str(path), "similarity": None, "suggestions": list(value.suggestions)}
    return {"vectors": str(path), "similarity": value, "suggestions": []}
