"""One question to several vectors files, side by side: the answer of each, and what the answers share."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from w2v_cli.errors import UnknownWordError
from w2v_cli.queries.expression import Sum
from w2v_cli.queries.search import Neighbour, Search, answer_all
from w2v_cli.vectors import KeyedVectors

Answer = list[Neighbour] | UnknownWordError
Result = TypeVar("Result")


def ask_files(
    files: Sequence[KeyedVectors], questions: Sequence[Sum], search: Search
) -> list[list[Answer] | UnknownWordError]:
    """Return for each question the answers of each file, found in one pass over each file.

    The error of a file that lacks a word takes the place of its answers; if every file lacks one, the first error takes
    the place of the whole list.

    Args:
        files: The vectors of each file.
        questions: Sums of words.
        search: The number, the method and the candidates of answers.
    """
    columns = [_ask(word_vectors, questions, search) for word_vectors in files]
    return [_row(list(row)) for row in zip(*columns, strict=True)]


def measure_files(
    files: Sequence[KeyedVectors], measure: Callable[[KeyedVectors], Result]
) -> list[Result | UnknownWordError] | UnknownWordError:
    """Return what `measure` returns for each file, with errors placed as by `ask_files`.

    Args:
        files: The vectors of each file.
        measure: Computes a result from the vectors of a file.
    """
    return _row([_attempt(measure, word_vectors) for word_vectors in files])


def shared_words(answers: Sequence[Answer]) -> list[str]:
    """Return the words that occur in the answers of every file, in the order of the first.

    Args:
        answers: The answers of each file to one question.

    Returns:
        The words; none if a file had no answers.
    """
    lists = [[neighbour.word for neighbour in answer] for answer in answers if not isinstance(answer, UnknownWordError)]
    if len(lists) < len(answers):
        return []
    return [word for word in lists[0] if all(word in others for others in lists[1:])]


def _ask(word_vectors: KeyedVectors, questions: Sequence[Sum], search: Search) -> list[Answer]:
    """Return the answers of one file, an error for each question with an unknown word."""
    errors = [_find_unknown(word_vectors, question) for question in questions]
    known = [question for question, error in zip(questions, errors, strict=True) if error is None]
    answers = iter(answer_all(word_vectors, known, search))
    return [next(answers) if error is None else error for error in errors]


def _find_unknown(word_vectors: KeyedVectors, question: Sum) -> UnknownWordError | None:
    """Return the error for the first unknown word of a question; None if there is none."""
    found = _attempt(lambda vectors: [vectors.word_id(term.word) for term in question.terms], word_vectors)
    return found if isinstance(found, UnknownWordError) else None


def _attempt(measure: Callable[[KeyedVectors], Result], word_vectors: KeyedVectors) -> Result | UnknownWordError:
    """Return what `measure` returns, or the error that it raises for an unknown word."""
    try:
        return measure(word_vectors)
    except UnknownWordError as error:
        return error


def _row(found: list[Result | UnknownWordError]) -> list[Result | UnknownWordError] | UnknownWordError:
    """Return the results, or the first error if all of them are errors."""
    errors = [one for one in found if isinstance(one, UnknownWordError)]
    return errors[0] if len(errors) == len(found) else found
