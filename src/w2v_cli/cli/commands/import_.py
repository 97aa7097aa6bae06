"""`w2v import`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS, FormatOption, JsonOption, QuietOption
from w2v_cli.humanize import count


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to convert, compressed or not; - for stdin.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The vectors file to write.")
    ] = DEFAULT_VECTORS,
    name: FormatOption = None,
    dtype: Annotated[
        Literal["float16", "float32"],
        typer.Option(metavar="float16|float32", help="Number type to keep; float32 takes twice the space."),
    ] = "float16",
    unescape: Annotated[bool, typer.Option("--unescape", help="Undo the escapes of `export --escape`.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Convert vectors of another tool into a vectors file.

    \b
    Examples:
      w2v import glove.6B.100d.txt -o glove.safetensors
      w2v import GoogleNews-vectors-negative300.bin.gz -o news.safetensors
      zcat cc.de.300.vec.gz | w2v import - -o german.safetensors

    The format is detected from the content; --format overrides it. Numbers are rounded to float16 unless you pass
    --dtype float32, and the largest rounding error is reported.
    """
    from w2v_cli.cli.progress import StepBar
    from w2v_cli.vectors.formats import import_vectors

    with StepBar(is_quiet=quiet) as bar:
        read = import_vectors(
            file, output, format_name=name, dtype=dtype, unescape=unescape, overwrite=overwrite, on_step=bar.show
        )
    words, dim = read.word_vectors.vectors.shape
    if not quiet:
        rounded = f", largest rounding error {read.largest_rounding_error:.2g}" if read.largest_rounding_error else ""
        what = f"{count(words, 'word')}, {count(dim, 'dimension')} from {read.form.title}, {dtype}{rounded}"
        console.note(f"Wrote {console.printable(str(output))}: {what}")
    if as_json:
        content = {"file": file, "output": str(output), "format": read.form.name, "words": words, "dim": dim}
        numbers = {"number_format": dtype, "largest_rounding_error": read.largest_rounding_error}
        console.write_json("import", content | numbers | {"sha256": read.sha256})
