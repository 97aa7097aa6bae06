"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_VECTORS = Path("w2v.safetensors")

VectorsOption = Annotated[
    Path,
    typer.Option("--vectors", "-v", metavar="FILE", help="The vectors to ask: a file of w2v, or the book's pickle."),
]
TopOption = Annotated[int, typer.Option("--top", "-n", min=1, help="How many words to show.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON object instead of text.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr; warnings and errors remain.")]
