"""`w2v import`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS, FormatOption, JsonOption, QuietOption
from w2v_cli.humanize import count


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to read, compressed or not; -: stdin.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The vectors file to write.")
    ] = DEFAULT_VECTORS,
    name: FormatOption = None,
    dtype: Annotated[
        Literal["float16", "float32"], typer.Option(help="Type of the numbers to keep; float32 is twice as large.")
    ] = "float16",
    unescape: Annotated[bool, typer.Option("--unescape", help="Read words as `export --escape` wrote them.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a vectors file of one of another tool, to ask it questions.

    \b
    Examples:
      w2v import glove.6B.100d.txt -o glove.safetensors
      w2v import GoogleNews-vectors-negative300.bin.gz -o news.safetensors
      zcat cc.de.300.vec.gz | w2v import - -o german.safetensors

    The content says which format it is; --format says it where that is not so. Numbers are rounded to float16 unless
    --dtype float32 is given; how much that changes them is told.
    """
    from w2v_cli.cli.bars import StepBar  # noqa: PLC0415  NumPy and tqdm are not needed for --help
    from w2v_cli.vectors.formats import import_vectors  # noqa: PLC0415

    with StepBar(is_quiet=quiet) as bar:
        read = import_vectors(
            file, output, format_name=name, dtype=dtype, unescape=unescape, overwrite=overwrite, on_step=bar.show
        )
    words, dim = read.word_vectors.vectors.shape
    if not quiet:
        rounded = f", rounded by {read.largest_rounding_error:.2g} at the most" if read.largest_rounding_error else ""
        what = f"{count(words, 'word')} of {count(dim, 'dimension')} from {read.form.title}, {dtype}{rounded}"
        console.note(f"{console.printable(str(output))}: {what}.")
    if as_json:
        content = {"file": file, "output": str(output), "format": read.form.name, "words": words, "dim": dim}
        numbers = {"number_format": dtype, "largest_rounding_error": read.largest_rounding_error}
        console.write_json("import", content | numbers | {"sha256": read.sha256})
