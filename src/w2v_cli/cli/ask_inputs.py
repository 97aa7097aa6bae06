"""What the commands that ask have in common: files to open, questions from arguments or stdin, failures that go on."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS
from w2v_cli.errors import ConfigError, VectorsError, W2vError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.queries import AnalogyMethod, Search
    from w2v_cli.vectors import KeyedVectors

STDIN = "-"
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class OpenFile(NamedTuple):
    """A vectors file that was read."""

    path: Path
    word_vectors: "KeyedVectors"


def open_files(paths: Sequence[Path] | None, *, name: str = "--vectors") -> list[OpenFile]:
    """Return the files, opened; w2v.safetensors of the current folder where none is named.

    name: of the option or argument that names them, for the message where one is not there.
    """
    for path in paths or [DEFAULT_VECTORS]:
        _check_there(path, name)
    # NumPy is not loaded yet. Queries have their own threads; BLAS's would wait for each other, using a core each.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from w2v_cli.vectors import open_vectors  # noqa: PLC0415  NumPy is not needed for --help

    return [OpenFile(path, open_vectors(path)) for path in paths or [DEFAULT_VECTORS]]


def _check_there(path: Path, name: str) -> None:
    """Raise VectorsError where there is no such file; whatever else is wrong with it, its reader finds."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        made = "`w2v train` writes it; " if path == DEFAULT_VECTORS else ""
        other = f"name another file with {name}" if name.startswith("-") else f"name another {name}"
        raise VectorsError(f"{path} does not exist: {made}{other}.") from error
    except OSError:
        pass


def search_of(
    files: Sequence[OpenFile], *, top: int, method: "AnalogyMethod", min_count: int | None, restrict: int | None
) -> "Search":
    """Return the search that the options ask for; say where a file's order stands for its counts."""
    from w2v_cli.queries import Search  # noqa: PLC0415
    from w2v_cli.system.machine import available_cores  # noqa: PLC0415  as above

    warn_of_order(files, restrict)
    return Search(top=top, method=method, min_count=min_count, restrict=restrict, threads=available_cores())


def warn_of_order(files: Sequence[OpenFile], restrict: int | None) -> None:
    """Say where a file's order stands for its counts."""
    for file in files:
        if restrict is not None and file.word_vectors.counts is None:
            console.warn(f"{file.path} has no counts: --restrict takes its first {count(restrict, 'word')}.")


@dataclass(frozen=True)
class Asker:
    """Asks all questions of a command, and shows each answer or failure in the order of the questions.

    A single question that fails ends the command; of several, those that fail are told, and the others answered.
    """

    command: str
    as_json: bool

    def ask(
        self,
        arguments: Sequence[str],
        read: Callable[[str], Question],
        answer: Callable[[list[Question]], Sequence[Answer | W2vError]],
        show: Callable[[Question, Answer], None],
    ) -> None:
        """Read the questions, one an argument or a line of stdin for `-`; raise typer.Exit where some have failed."""
        exit_code = 0
        for texts in iterate_texts(arguments):
            asked = [_attempt(read, text) for text in texts]
            answers = iter(answer([question for question in asked if not isinstance(question, W2vError)]))
            for question in asked:
                outcome = question if isinstance(question, W2vError) else next(answers)
                if isinstance(outcome, W2vError):
                    exit_code = exit_code or outcome.exit_code
                    self._tell(outcome, is_only=is_single(arguments))
                elif not isinstance(question, W2vError):
                    show(question, outcome)
        if exit_code:
            raise typer.Exit(exit_code)

    def _tell(self, error: W2vError, *, is_only: bool) -> None:
        if is_only:
            raise error
        console.fail(error.message)
        if self.as_json:
            console.write_json(self.command, {"error": console.json_error(error)})


def grouped(context: typer.Context, words: list[str], *, size: int, name: str) -> list[str]:
    """Return the questions of so many words each as lines of stdin have them; `-` stays.

    Raises a usage error, in which `name` says what a question is, where words are left over.
    """
    if words == [STDIN]:
        return words
    if len(words) % size:
        raise typer.BadParameter(f"{name} and {len(words)} were given: give {size} for each.", context)
    return ["\t".join(words[first : first + size]) for first in range(0, len(words), size)]


def is_single(arguments: Sequence[str]) -> bool:
    """Return whether the arguments are one question, so that answers need not say whose they are."""
    return len(arguments) == 1 and arguments[0] != STDIN


def iterate_texts(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Yield the questions in batches: the arguments, and in place of a `-` the lines of stdin as they come.

    Raises ConfigError where that is a terminal and there are words beside the `-`: somebody has forgotten quotes.
    """
    from w2v_cli.cli.question_lines import iterate_batches  # noqa: PLC0415  as above

    if STDIN not in arguments:
        yield list(arguments)
        return
    if len(arguments) > 1 and sys.stdin is not None and sys.stdin.isatty():
        raise ConfigError(
            "`-` beside words would wait for questions from the terminal: a sum is one argument, in quotes, such as "
            "'king - man + woman'."
        )
    place = arguments.index(STDIN)
    if place:
        yield list(arguments[:place])
    if sys.stdin is not None:
        stdin: Any = sys.stdin.buffer  # read1 is there, but not declared
        yield from iterate_batches(stdin)
    if rest := [argument for argument in arguments[place + 1 :] if argument != STDIN]:
        yield rest


def _attempt(read: Callable[[str], Question], text: str) -> Question | W2vError:
    try:
        return read(text)
    except W2vError as error:
        return error
