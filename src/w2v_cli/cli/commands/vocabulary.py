"""`w2v vocabulary`."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import open_files
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonLinesOption, MinCountOption
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.vectors import KeyedVectors

_AT_ONCE = 4096  # lines that are written together


def vocabulary(
    file: Annotated[Path, typer.Argument(help="A vectors file of w2v, or the book's pickle.")] = DEFAULT_VECTORS,
    *,
    top: Annotated[
        int | None, typer.Option("--top", "-n", min=1, metavar="N", help="Only the first N words.  [default: all]")
    ] = None,
    min_count: MinCountOption = None,
    as_json: JsonLinesOption = False,
) -> None:
    """Print the words of FILE and how often each occurs in the corpus, the most frequent first.

    \b
    Examples:
      w2v vocabulary --top 20
      w2v vocabulary novels.safetensors --min-count 100 | cut -f 1 > words.txt
      w2v vocabulary novels.safetensors --json
    """
    [opened] = open_files([file], name="FILE")
    word_vectors = opened.word_vectors
    if min_count is not None and word_vectors.counts is None:
        raise ConfigError(f"{file} has no counts, so --min-count chooses nothing: leave it out.")
    lines = islice(_iterate_lines(word_vectors, min_count, as_json=as_json), top)
    while together := list(islice(lines, _AT_ONCE)):
        console.write("\n".join(together))


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
            yield console.tabbed(word, *([] if count is None else [count]))
