"""`w2v export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import open_files
from w2v_cli.cli.options import FormatOption, JsonOption, QuietOption
from w2v_cli.humanize import count


def export(
    vectors: Annotated[Path, typer.Argument(metavar="VECTORS", help="A vectors file of w2v, or the book's pickle.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; its name may give the format.")],
    *,
    name: FormatOption = None,
    dtype: Annotated[
        Literal["float32", "float16", "int8"] | None,
        typer.Option(
            metavar="float32|float16|int8", help="Number type to write.", show_default="one that loses nothing"
        ),
    ] = None,
    escape: Annotated[
        bool,
        typer.Option(
            "--escape",
            help=r"Write characters that the format cannot hold in a word as \xHH, and \ as two backslashes.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Convert a vectors file to the format of another tool.

    \b
    Examples:
      w2v export w2v.safetensors novels.vec
      w2v export w2v.safetensors novels.bin.gz
      w2v export w2v.safetensors glove.w2v.txt --format glove

    Text and word2vec's binary format are compressed if the name ends in .gz, .bz2, .xz or .zst. Text has the fewest
    digits that give the same float32.
    """
    [opened] = open_files([vectors])
    from w2v_cli.cli.progress import StepBar
    from w2v_cli.vectors.formats import export_vectors

    with StepBar(is_quiet=quiet) as bar:
        written = export_vectors(
            str(vectors),
            opened.word_vectors,
            out,
            format_name=name,
            dtype=dtype,
            escaped=escape,
            overwrite=overwrite,
            on_step=bar.show,
        )
    words, dim = opened.word_vectors.vectors.shape
    if not quiet:
        escaped = f"; {count(written.escaped_words, 'word')} escaped" if written.escaped_words else ""
        what = f"{count(words, 'word')}, {count(dim, 'dimension')}, {written.form.title}, {written.dtype}{escaped}"
        console.note(f"Wrote {console.printable(str(out))}: {what}")
    if as_json:
        content = {"vectors": str(vectors), "output": str(out), "format": written.form.name, "words": words, "dim": dim}
        counted = {"number_format": written.dtype, "escaped_words": written.escaped_words}
        console.write_json("export", content | counted)
