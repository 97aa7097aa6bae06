"""Inputs of the commands that answer questions: vectors files, and questions from arguments or stdin."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import DEFAULT_VECTORS
from w2v_cli.errors import ConfigError, VectorsError, W2vError
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.queries import AnalogyMethod, Search
    from w2v_cli.vectors import KeyedVectors

STDIN = "-"
_READ_BYTES = 1 << 16  # the most that one read of stdin takes
_LONGEST_LINE = 1 << 20  # bytes
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class OpenFile(NamedTuple):
    """A vectors file that has been read."""

    path: Path
    word_vectors: "KeyedVectors"


def open_files(paths: Sequence[Path] | None) -> list[OpenFile]:
    """Return the vectors files, opened; w2v.safetensors of the current folder if none is named.

    Args:
        paths: the files.

    Raises:
        VectorsError: if a file is missing, damaged or of an unknown format.
    """
    for path in paths or [DEFAULT_VECTORS]:
        _check_exists(path)
    # Before NumPy is loaded: queries have their own threads, and BLAS's would only wait for each other, a core each.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from w2v_cli.vectors import open_vectors

    return [OpenFile(path, open_vectors(path)) for path in paths or [DEFAULT_VECTORS]]


def _check_exists(path: Path) -> None:
    """Raise VectorsError if there is no such file; other problems are found when it is read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise VectorsError(f"{path} not found; check the path, or train one: `w2v train TEXT`.") from error
    except OSError:
        pass


def build_search(
    files: Sequence[OpenFile], *, top: int, method: "AnalogyMethod", min_count: int | None, restrict: int | None
) -> "Search":
    """Return the search that the options describe; warn if a file has no counts to restrict by."""
    from w2v_cli.queries import Search
    from w2v_cli.system.machine import available_cores

    warn_without_counts(files, restrict)
    return Search(top=top, method=method, min_count=min_count, restrict=restrict, threads=available_cores())


def warn_without_counts(files: Sequence[OpenFile], restrict: int | None) -> None:
    """Warn of each file without counts, whose first words pass for the most frequent."""
    for file in files:
        if restrict is not None and file.word_vectors.counts is None:
            console.warn(f"{file.path} has no counts: --restrict uses its first {count(restrict, 'word')}.")


def answer_questions(
    command: str,
    arguments: Sequence[str],
    *,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer | W2vError]],
    show: Callable[[Question, Answer], None],
    as_json: bool,
) -> None:
    """Answer all questions of a command, in their order.

    Args:
        command: the command, for JSON.
        arguments: a question each; `-` stands for the lines of stdin.
        read: parses a question.
        answer: answers questions together.
        show: writes a question's answer.
        as_json: whether failures are written as JSON as well.

    Raises:
        W2vError: if the only question fails.
        Exit: if one of several questions fails, once the others are answered; with the first failure's exit code.
    """
    exit_code = 0
    for texts in iterate_texts(arguments):
        asked = [_attempt(read, text) for text in texts]
        answers = iter(answer([question for question in asked if not isinstance(question, W2vError)]))
        for question in asked:
            outcome = question if isinstance(question, W2vError) else next(answers)
            if isinstance(outcome, W2vError):
                if is_single(arguments):
                    raise outcome
                exit_code = exit_code or outcome.exit_code
                console.fail(outcome.message)
                if as_json:
                    console.write_json(command, {"error": console.json_error(outcome)})
            elif not isinstance(question, W2vError):
                show(question, outcome)
    if exit_code:
        raise typer.Exit(exit_code)


def _attempt(read: Callable[[str], Question], text: str) -> Question | W2vError:
    """Return the question, or the error about it."""
    try:
        return read(text)
    except W2vError as error:
        return error


def group_words(context: typer.Context, words: list[str], *, size: int, usage: str) -> list[str]:
    """Return questions of `size` words each as lines, as stdin would have them; `-` stays.

    Raises a usage error with `usage`, a question as it is typed, if words are left over.
    """
    if words == [STDIN]:
        return words
    if len(words) % size:
        needed = {2: "two", 3: "three"}[size]
        raise typer.BadParameter(
            f"{context.command.name} needs {needed} words per question, got {len(words)}: w2v {usage}", context
        )
    return ["\t".join(words[first : first + size]) for first in range(0, len(words), size)]


def is_single(arguments: Sequence[str]) -> bool:
    """Return whether the arguments are one question, so that its answer needs no label."""
    return len(arguments) == 1 and arguments[0] != STDIN


def iterate_texts(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Yield the questions in batches: the arguments, and in place of `-` the lines of stdin as they come.

    Raises:
        ConfigError: if stdin is a terminal and `-` stands among words: a sum without its quotes.
    """
    if STDIN not in arguments:
        yield list(arguments)
        return
    if len(arguments) > 1 and sys.stdin is not None and sys.stdin.isatty():
        raise ConfigError(
            "`-` among words reads questions from stdin, which is the terminal. A sum is one argument, in quotes: "
            "'king - man + woman'."
        )
    place = arguments.index(STDIN)
    if place:
        yield list(arguments[:place])
    if sys.stdin is not None:
        stdin: Any = sys.stdin.buffer  # has read1, though its type does not declare it
        yield from iterate_batches(stdin)
    if rest := [argument for argument in arguments[place + 1 :] if argument != STDIN]:
        yield rest


class Readable(Protocol):
    """A binary stream whose `read1` returns what there is, and waits only if there is nothing."""

    def read1(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


def iterate_batches(stream: Readable) -> Iterator[list[str]]:
    """Yield the lines that have arrived, without blank ones, until the stream ends.

    So a program that writes one line and waits gets its answer, and a file is read in large batches. Lines are
    stripped of spaces, carriage returns and a byte order mark; invalid UTF-8 is kept, and matches no word.

    Raises:
        ConfigError: for a line of more than a megabyte.
    """
    rest, mark = b"", _BYTE_ORDER_MARK
    while block := stream.read1(_READ_BYTES):
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise ConfigError(f"a line of stdin is longer than {_LONGEST_LINE:,} bytes: write one question per line.")
        if newline:
            yield from _batch(whole, mark)
            mark = ""
    yield from _batch(rest, mark)


def _batch(text: bytes, mark: str) -> Iterator[list[str]]:
    """Yield the lines of `text` as one batch, if there are any; `mark` is removed from the start."""
    lines = text.decode("utf-8", "surrogateescape").removeprefix(mark).split("\n")
    if kept := [line.strip() for line in lines if line.strip()]:
        yield kept


def split_words(line: str) -> list[str]:
    r"""Return the words of a line, split at tabs if it has any (words may hold spaces), else at spaces.

    >>> split_words("new york\tusa"), split_words("king  man")
    (['new york', 'usa'], ['king', 'man'])
    """
    return [word.strip() for word in line.split("\t")] if "\t" in line else line.split()
