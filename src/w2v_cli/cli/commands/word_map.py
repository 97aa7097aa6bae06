"""`w2v map`."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import open_files
from w2v_cli.cli.options import DEFAULT_VECTORS, FileArgument, JsonOption, QuietOption
from w2v_cli.humanize import count, size

if TYPE_CHECKING:
    from w2v_cli.visual.word_map import MapOptions, WordMap

_MOST_WORDS = 100_000
_MOST_CLUSTERS = 32  # eight colours, four shapes
_MOST_NEIGHBOURS = 100
_PROJECTIONS = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}


def word_map(
    file: FileArgument = DEFAULT_VECTORS,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The HTML file to write.")] = Path(
        "map.html"
    ),
    words: Annotated[
        int, typer.Option(min=1, max=_MOST_WORDS, metavar="N", help="Show the N most frequent words.")
    ] = 10_000,
    min_count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show only words that occur at least N times in the corpus.")
    ] = None,
    projection: Annotated[
        Literal["pca", "umap", "tsne"],
        typer.Option(
            metavar="pca|umap|tsne",
            help='How vectors are projected onto the plane; umap and tsne need the extra "map".',
        ),
    ] = "pca",
    neighbours: Annotated[
        int, typer.Option(min=1, max=_MOST_NEIGHBOURS, metavar="N", help="Nearest words to list for each word.")
    ] = 10,
    clusters: Annotated[
        int, typer.Option(min=1, max=_MOST_CLUSTERS, metavar="K", help="Number of clusters, each with its colour.")
    ] = 8,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Title of the map.", show_default="the name of FILE")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the random numbers.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw an interactive map of the words, as an HTML file.

    \b
    Examples:
      w2v map
      w2v map novels.safetensors -o novels.html --title "Nineteenth-century novels"
      w2v map novels.safetensors --projection umap --words 20000 --clusters 16

    The file works in any browser, without a network.
    """
    started = time.monotonic()
    [opened] = open_files([file])
    from w2v_cli.cli.progress import StepBar
    from w2v_cli.system.files import check_output
    from w2v_cli.visual.word_map import MapOptions, check_method, draw_map, save_map

    check_method(projection)
    check_output(output, inputs=[file], overwrite=overwrite)
    options = MapOptions(words, min_count, projection, neighbours, clusters, seed)
    with StepBar(is_quiet=quiet) as bar:
        if projection != "pca":
            bar.say(f"Running {_PROJECTIONS[projection]}; many words take minutes")
        drawn = draw_map(opened.word_vectors, options, partial(bar.show, "finding neighbours"))
    size_bytes = save_map(
        output, drawn, title=title or file.stem, facts=_facts(file, drawn, options), overwrite=overwrite
    )
    if as_json:
        content = {
            "output": str(output),
            "words": len(drawn.words),
            "projection": projection,
            "explained_variance": drawn.explained,
            "neighbours": drawn.neighbours.shape[1],
            "clusters": [[drawn.words[place] for place in places] for places in drawn.typical],
            "size_bytes": size_bytes,
            "seconds": round(time.monotonic() - started, 3),
        }
        console.write_json("map", content)
    elif not quiet:
        name = console.printable(str(output))
        console.note(f"Wrote {name}: {count(len(drawn.words), 'word')}, {size(size_bytes)}. Open it in a browser.")


def _facts(file: Path, drawn: "WordMap", options: "MapOptions") -> str:
    """Return the line below the map: the vectors and the projection."""
    how = _PROJECTIONS[options.projection]
    if drawn.explained is not None:
        how += f", {100 * drawn.explained:.0f} % of the variance"
    return f"{count(len(drawn.words), 'word')} of {file.name} · {how}"
