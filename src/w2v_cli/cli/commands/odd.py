"""`w2v odd`."""

from typing import Annotated

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.ask_inputs import STDIN, answer_questions, is_single, open_files, split_words
from w2v_cli.cli.completion import complete_word
from w2v_cli.cli.options import DEFAULT_VECTORS, JsonLinesOption, TopOption, VectorsOption


def odd(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD",
            help="Three words or more; - to read one question per line from stdin.",
            autocompletion=complete_word,
        ),
    ],
    *,
    vectors: VectorsOption = DEFAULT_VECTORS,
    top: TopOption = 1,
    as_json: JsonLinesOption = False,
) -> None:
    """Show the word that does not fit among the others.

    \b
    Examples:
      w2v odd breakfast dinner lunch war
      w2v odd breakfast dinner lunch war --top 4
      w2v odd - --json < groups.txt

    It is the word farthest from the mean of all.
    """
    arguments = words if words == [STDIN] else ["\t".join(words)]
    [file] = open_files([vectors])
    from w2v_cli.queries import Neighbour, odd_one_out

    is_only = is_single(arguments)

    def show(_: list[Neighbour], found: list[Neighbour]) -> None:
        if as_json:
            ranked = [{"word": one.word, "similarity": one.score} for one in found]
            content = {"odd": found[0].word, "similarities": ranked, "vectors": str(vectors)}
            console.write_json("odd", content)
        elif is_only:
            tables.show_neighbours(found[:top], score_name="similarity")
        else:
            console.write(tables.tabbed(*(cell for one in found[:top] for cell in (one.word, f"{one.score:.4f}"))))

    answer_questions(
        "odd",
        arguments,
        read=lambda line: odd_one_out(file.word_vectors, split_words(line)),
        answer=lambda answers: answers,
        show=show,
        as_json=as_json,
    )
