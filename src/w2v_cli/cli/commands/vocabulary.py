"""`w2v vocabulary`."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.ask_inputs import open_files
from w2v_cli.cli.options import DEFAULT_VECTORS, FileArgument, JsonLinesOption, MinCountOption
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.vectors import KeyedVectors

_LINES_PER_WRITE = 4096


def vocabulary(
    file: FileArgument = DEFAULT_VECTORS,
    *,
    top: Annotated[
        int | None, typer.Option("--top", "-n", min=1, metavar="N", help="Only the first N words.", show_default="all")
    ] = None,
    min_count: MinCountOption = None,
    as_json: JsonLinesOption = False,
) -> None:
    """Print the words of a vectors file with their counts.

    \b
    Examples:
      w2v vocabulary --top 20
      w2v vocabulary novels.safetensors --min-count 100 | cut -f 1 > words.txt
      w2v vocabulary novels.safetensors --json

    The most frequent words come first; a count is how often the word occurs in the corpus.
    """
    [opened] = open_files([file])
    word_vectors = opened.word_vectors
    if min_count is not None and word_vectors.counts is None:
        raise ConfigError(f"{file} has no counts, so --min-count has no effect: leave it out.")
    lines = islice(_iterate_lines(word_vectors, min_count, as_json=as_json), top)
    while lines_to_write := list(islice(lines, _LINES_PER_WRITE)):
        console.write("\n".join(lines_to_write))


def _iterate_lines(word_vectors: "KeyedVectors", min_count: int | None, *, as_json: bool) -> Iterator[str]:
    """Yield a line for each word, in the file's order."""
    counts = [None] * len(word_vectors) if word_vectors.counts is None else word_vectors.counts.tolist()
    for word_id, (word, count) in enumerate(zip(word_vectors.words, counts, strict=True)):
        if min_count is not None and (count or 0) < min_count:
            continue
        if as_json:
            content: dict[str, Any] = {"id": word_id, "word": word, "count": count}
            yield console.json_line("vocabulary", content)
        else:
            yield tables.tabbed(word, *([] if count is None else [count]))
