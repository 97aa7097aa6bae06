"""`w2v analogy`."""

from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli.ask_inputs import Asker, grouped, is_single, open_files, search_of
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
            metavar="A B C...",
            help="Three words a question, none of which answers; -: a question a line of stdin.",
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
    arguments = grouped(context, words, size=_WORDS, name="an analogy has three words, A B C,")
    files = open_files(vectors)
    from w2v_cli.queries import ask_files  # noqa: PLC0415  NumPy is not needed for --help

    opened = [file.word_vectors for file in files]
    search = search_of(files, top=top, method=method, min_count=min_count, restrict=restrict)
    display = AnswerDisplay(
        "analogy", [file.path for file in files], "answers", "score", is_only=is_single(arguments), as_json=as_json
    )
    Asker("analogy", as_json=as_json).ask(
        arguments,
        read_analogy,
        lambda questions: ask_files(opened, questions, search),
        lambda question, answers: display.show(question.text, _fields(question) | {"method": method}, answers),
    )


def read_analogy(line: str) -> "Sum":
    """Return the question that a line asks; raise ConfigError where it has not three words."""
    from w2v_cli.cli.question_lines import split_words  # noqa: PLC0415
    from w2v_cli.queries import Sum  # noqa: PLC0415  not needed for --help

    words = split_words(line)
    if len(words) != _WORDS:
        raise ConfigError(
            f"{line!r} has {count(len(words), 'word')}, an analogy has three: A B C, with spaces or tabs between."
        )
    return Sum.of_analogy(*words)


def _fields(question: "Sum") -> dict[str, str]:
    """Return the words of a question as JSON names them."""
    a, b, c = question.terms
    return {"a": a.word, "b": b.word, "c": c.word}
