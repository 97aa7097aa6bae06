"""`w2v vector`."""

from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import Asker, open_files
from w2v_cli.cli.completion import complete_word
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonLinesOption, VectorsOption

if TYPE_CHECKING:
    from w2v_cli.queries import FloatArray, Sum


def vector(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD...",
            help='Words, or sums such as "king - man + woman"; -: one a line.',
            autocompletion=complete_word,
        ),
    ],
    *,
    vectors: VectorsOption = DEFAULT_VECTORS,
    unit: Annotated[
        bool, typer.Option("--unit", help="At length 1; a sum is that of vectors of length 1, as `similar` takes it.")
    ] = False,
    as_json: JsonLinesOption = False,
) -> None:
    """Print the vector of each WORD: the word and its numbers, tabs between.

    \b
    Examples:
      w2v vector king
      w2v vector king queen --unit --json
      w2v vector - < words.txt > vectors.tsv

    The numbers are the shortest that give those of the file when they are read at its precision.
    """
    [file] = open_files([vectors])
    from w2v_cli.queries import parse_sum, plain_vector, unit_vector  # noqa: PLC0415  NumPy is not needed for --help

    find = unit_vector if unit else plain_vector

    def read(text: str) -> "tuple[Sum, FloatArray]":
        question = parse_sum(text, lambda word: word in file.word_vectors)
        return question, find(file.word_vectors, question)

    def show(asked: "tuple[Sum, FloatArray]", _: object) -> None:
        question, found = asked
        numbers = [str(number) for number in found]  # the shortest text of a number of this type
        if as_json:
            content = {
                "word": question.text,
                "vectors": str(vectors),
                "unit": unit,
                "vector": list(map(float, numbers)),
            }
            console.write_json("vector", content)
        else:
            console.write(console.tabbed(question.text, *numbers))

    Asker("vector", as_json=as_json).ask(words, read, lambda questions: questions, show)
