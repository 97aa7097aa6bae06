"""`w2v analogy`."""

from typing import Annotated, Literal

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonOption, TopOption, VectorsOption


def analogy(
    a: Annotated[str, typer.Argument(help="The first word of the known pair.")],
    b: Annotated[str, typer.Argument(help="The second word of the known pair.")],
    c: Annotated[str, typer.Argument(help="The first word of the pair to complete; none of the three is an answer.")],
    *,
    method: Annotated[
        Literal["add", "mul", "dot"],
        typer.Option(
            help="add: cosine with b - a + c of unit vectors (3CosAdd); mul: 3CosMul (Levy and Goldberg 2014); "
            "dot: the book's way, the dot product of b - a + c with vectors of any length."
        ),
    ] = "add",
    vectors: VectorsOption = DEFAULT_VECTORS,
    top: TopOption = 5,
    as_json: JsonOption = False,
) -> None:
    """Complete "A is to B as C is to …".

    \b
    Examples:
      w2v analogy king man queen          king is to man as queen is to … woman
      w2v analogy take took go --top 3
      w2v analogy car cars child --vectors cbow_params.pkl --method dot
    """
    from w2v_cli import formats, queries  # noqa: PLC0415  NumPy is not needed for --help

    answers = queries.analogy(formats.open_vectors(vectors), a, b, c, top=top, method=method)
    if as_json:
        found = [{"word": answer.word, "score": answer.score} for answer in answers]
        question = {"a": a, "b": b, "c": c, "method": method, "vectors": str(vectors)}
        console.write_json("analogy", question | {"answers": found})
    else:
        console.show_neighbours(answers, score_name="score")
