"""`w2v vector`."""

from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.ask_inputs import answer_questions, open_files
from w2v_cli.cli.completion import complete_word
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonLinesOption, VectorsOption

if TYPE_CHECKING:
    from w2v_cli.queries import FloatArray, Sum


def vector(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD",
            help='Words, or sums such as "king - man + woman"; - to read one per line from stdin.',
            autocompletion=complete_word,
        ),
    ],
    *,
    vectors: VectorsOption = DEFAULT_VECTORS,
    unit: Annotated[
        bool,
        typer.Option("--unit", help="Scale to length 1; a sum is then one of unit vectors, as in `w2v similar`."),
    ] = False,
    as_json: JsonLinesOption = False,
) -> None:
    """Print the vector of each WORD, tab-separated.

    \b
    Examples:
      w2v vector king
      w2v vector king queen --unit --json
      w2v vector - < words.txt > vectors.tsv

    Each line has the word, then its numbers, in the fewest digits that give the same value in the file's precision.
    """
    [file] = open_files([vectors])
    from w2v_cli.queries import parse_sum, plain_vector, unit_vector

    find = unit_vector if unit else plain_vector

    def read(text: str) -> "tuple[Sum, FloatArray]":
        question = parse_sum(text, lambda word: word in file.word_vectors)
        return question, find(file.word_vectors, question)

    def show(asked: "tuple[Sum, FloatArray]", _: object) -> None:
        question, found = asked
        numbers = [str(number) for number in found]  # the fewest digits for a number of this type
        if as_json:
            content = {
                "word": question.text,
                "vectors": str(vectors),
                "unit": unit,
                "vector": list(map(float, numbers)),
            }
            console.write_json("vector", content)
        else:
            console.write(tables.tabbed(question.text, *numbers))

    answer_questions("vector", words, read=read, answer=lambda questions: questions, show=show, as_json=as_json)
