"""`w2v similar`."""

from typing import Annotated

import typer

from w2v_cli.cli.ask_inputs import Asker, is_single, open_files, search_of
from w2v_cli.cli.completion import complete_word
from w2v_cli.cli.options import (
    FilesOption,
    JsonLinesOption,
    MethodOption,
    MinCountOption,
    RestrictOption,
    TopOption,
)
from w2v_cli.cli.tables import AnswerDisplay


def similar(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD...",
            help='Words, or sums such as "king - man + woman"; -: a question a line.',
            autocompletion=complete_word,
        ),
    ],
    *,
    vectors: FilesOption = None,
    top: TopOption = 10,
    method: MethodOption = "add",
    min_count: MinCountOption = None,
    restrict: RestrictOption = None,
    as_json: JsonLinesOption = False,
) -> None:
    """Show the words nearest to each WORD by cosine similarity.

    \b
    Examples:
      w2v similar you --top 5
      w2v similar "king - man + woman" --restrict 20000
      w2v similar war peace --vectors 1850.safetensors --vectors 1950.safetensors
      w2v similar - --vectors ptb.safetensors --json < words.txt
    """
    files = open_files(vectors)
    from w2v_cli.queries import ask_files, parse_sum  # noqa: PLC0415  NumPy is not needed for --help

    opened = [file.word_vectors for file in files]
    search = search_of(files, top=top, method=method, min_count=min_count, restrict=restrict)
    score_name = "similarity" if method == "add" else "score"
    display = AnswerDisplay(
        "similar", [file.path for file in files], "neighbours", score_name, is_only=is_single(words), as_json=as_json
    )
    Asker("similar", as_json=as_json).ask(
        words,
        lambda text: parse_sum(text, lambda word: any(word in one for one in opened)),
        lambda questions: ask_files(opened, questions, search),
        lambda question, answers: display.show(question.text, {"word": question.text, "method": method}, answers),
    )
