"""`w2v similar`."""

from typing import Annotated

import typer

from w2v_cli.cli.ask_inputs import build_search, open_files
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
            metavar="WORD",
            help='Words, or sums such as "king - man + woman"; - to read one question per line from stdin.',
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
    """Show the words most similar to each WORD.

    \b
    Examples:
      w2v similar you --top 5
      w2v similar "king - man + woman" --restrict 20000
      w2v similar war peace --vectors 1850.safetensors --vectors 1950.safetensors
      w2v similar - --vectors ptb.safetensors --json < words.txt

    Words are ranked by cosine similarity, unless --method chooses otherwise.
    """
    files = open_files(vectors)
    from w2v_cli.queries import parse_sum

    search = build_search(files, top=top, method=method, min_count=min_count, restrict=restrict)
    score_name = "similarity" if method == "add" else "score"
    AnswerDisplay("similar", "neighbours", score_name, files, as_json=as_json).answer(
        words,
        search,
        read=lambda text: parse_sum(text, lambda word: any(word in file.word_vectors for file in files)),
        describe=lambda question: {"word": question.text, "method": method},
    )
