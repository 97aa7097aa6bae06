"""`w2v analogy`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli.ask_inputs import build_search, group_words, open_files, split_words
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
from w2v_cli.errors import ConfigError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.queries import Sum

_WORDS = 3  # of a question


def analogy(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="A B C",
            help="Three words per question, which are never the answer; - to read one question per line from stdin.",
            autocompletion=complete_word,
        ),
    ],
    *,
    vectors: FilesOption = None,
    top: TopOption = 5,
    method: MethodOption = "add",
    min_count: MinCountOption = None,
    restrict: RestrictOption = None,
    as_json: JsonLinesOption = False,
) -> None:
    """Complete "A is to B as C is to …".

    \b
    Examples:
      w2v analogy king man queen          king is to man as queen is to … woman
      w2v analogy take took go --top 3
      w2v analogy car cars child --vectors cbow_params.pkl --method dot
      w2v analogy - --json < questions.txt
    """
    arguments = group_words(context, words, size=_WORDS, usage="analogy A B C")
    files = open_files(vectors)
    search = build_search(files, top=top, method=method, min_count=min_count, restrict=restrict)

    def describe(question: "Sum") -> dict[str, Any]:
        a, b, c = (term.word for term in question.terms)
        return {"a": a, "b": b, "c": c, "method": method}

    AnswerDisplay("analogy", "answers", "score", files, as_json=as_json).answer(
        arguments, search, read=_read_analogy, describe=describe
    )


def _read_analogy(line: str) -> "Sum":
    """Return the question on a line; raise ConfigError unless it has three words."""
    from w2v_cli.queries import Sum

    words = split_words(line)
    if len(words) != _WORDS:
        raise ConfigError(
            f"{line!r} has {count(len(words), 'word')}, but an analogy has three: A B C, separated by spaces or tabs."
        )
    return Sum.of_analogy(*words)
