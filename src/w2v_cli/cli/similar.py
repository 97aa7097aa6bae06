"""`w2v similar`."""

from typing import Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonOption, TopOption, VectorsOption


def similar(
    word: Annotated[str, typer.Argument(help="The word to start from, as the corpus spells it.")],
    *,
    vectors: VectorsOption = DEFAULT_VECTORS,
    top: TopOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Show the words nearest to WORD by cosine similarity.

    \b
    Examples:
      w2v similar you --top 5
      w2v similar toyota --vectors ptb.safetensors --json
    """
    from w2v_cli import formats, queries  # noqa: PLC0415  NumPy is not needed for --help

    neighbours = queries.similar(formats.open_vectors(vectors), word, top=top)
    if as_json:
        answers = [{"word": neighbour.word, "similarity": neighbour.score} for neighbour in neighbours]
        console.write_json("similar", {"word": word, "vectors": str(vectors), "neighbours": answers})
    else:
        console.show_neighbours(neighbours, score_name="similarity")
