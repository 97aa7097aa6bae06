"""The answers to many analogies at once are those of each by itself, whatever the blocks, threads and methods."""

import time

import numpy as np
import pytest

from w2v_cli.evaluation import analogies_numba
from w2v_cli.evaluation.analogies_numba import first_answers
from w2v_cli.queries import rows as row_reader
from w2v_cli.queries.search import sum_scorer
from w2v_cli.queries.top_k import nearest

METHODS = ["add", "mul", "dot"]


@pytest.fixture
def rows():
    return np.random.default_rng(7).standard_normal((40, 5)).astype(np.float32)


@pytest.fixture
def questions():
    return np.random.default_rng(8).integers(0, 40, (50, 3))


def one_by_one(rows, questions, method, excluded):
    found = nearest(rows, sum_scorer(rows, questions, np.tile([-1, 1, 1], (len(questions), 1)), method), excluded, 1)
    return [int(ids[0]) for ids, _ in found]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("block_rows", "task_rows"), [(1, 1), (3, 7), (4096, 10), (4096, 1 << 15)])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_first_answers_are_the_nearest(rows, questions, method, block_rows, task_rows, threads, monkeypatch):
    """In any blocks and on any number of threads the answers are those of the scorer, question by question."""
    monkeypatch.setattr(row_reader, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(analogies_numba, "TASK_ROWS", task_rows)
    monkeypatch.setattr(analogies_numba, "LEAST_TASK_ROWS", 1)

    answers = first_answers(rows, questions, method=method, threads=threads)

    assert answers.tolist() == one_by_one(rows, questions, method, questions)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("most_words", [1, 3, 20])
def test_questions_of_many_words_are_asked_in_parts(rows, questions, method, most_words, monkeypatch):
    """The words of a part are as many as fit, or those of a single question."""
    monkeypatch.setattr(analogies_numba, "MOST_WORDS", most_words)

    answers = first_answers(rows, questions, method=method)

    assert answers.tolist() == one_by_one(rows, questions, method, questions)


def test_others_than_the_words_of_the_question_may_be_excluded(rows, questions):
    """What is excluded is told for each question; -1 is no word."""
    excluded = np.column_stack((questions[:, 0], np.full(50, -1), np.arange(50) % 40, np.arange(1, 51) % 40))

    answers = first_answers(rows, questions, excluded=excluded)

    assert answers.tolist() == one_by_one(rows, questions, "add", excluded)


@pytest.mark.parametrize("most_words", [3, 4096])
def test_the_share_that_is_done_rises_to_one(rows, questions, most_words, monkeypatch):
    """It is told in the thread that asks, after each part of the rows."""
    monkeypatch.setattr(analogies_numba, "MOST_WORDS", most_words)
    monkeypatch.setattr(analogies_numba, "LEAST_TASK_ROWS", 1)
    shares = []

    first_answers(rows, questions, threads=2, on_share=shares.append)

    assert len(shares) >= 8
    assert shares == sorted(shares)
    assert (shares[0] > 0, shares[-1]) == (True, 1)


@pytest.mark.parametrize("threads", [1, 3])
def test_ties_go_to_the_lower_id(rows, questions, threads, monkeypatch):
    """Of equal rows, each in a part of its own, the first one answers, whichever part is looked through first."""
    monkeypatch.setattr(analogies_numba, "TASK_ROWS", len(rows))
    monkeypatch.setattr(analogies_numba, "LEAST_TASK_ROWS", len(rows))

    answers = first_answers(np.tile(rows, (4, 1)), questions, threads=threads, excluded=questions[:, :1] * 0 - 1)

    assert (answers < len(rows)).all()


def test_an_exception_ends_the_work(rows, questions, monkeypatch):
    """What a signal raises while threads work comes out, and parts that were not begun are left."""
    monkeypatch.setattr(analogies_numba, "LEAST_TASK_ROWS", 1)
    monkeypatch.setattr(analogies_numba, "TASK_ROWS", 1)
    looked = []

    def look(*_):
        looked.append(1)
        time.sleep(0.002)
        return analogies_numba._Best.none(50)

    def stop(_share):
        raise KeyboardInterrupt

    monkeypatch.setattr(analogies_numba, "_search_rows", look)

    with pytest.raises(KeyboardInterrupt):
        first_answers(np.repeat(rows, 10, axis=0), questions, on_share=stop)
    assert len(looked) < 400


def test_a_row_of_zeros_and_a_question_of_one_word_have_answers():
    """Zero vectors score 0; a word may stand three times in a question."""
    rows = np.array([[0, 0], [1, 0], [0.5, 0.1], [-1, 0]], np.float32)

    answers = first_answers(rows, np.array([[1, 1, 1], [0, 0, 0], [0, 0, 3]]))

    assert answers.tolist() == [2, 1, 2]


@pytest.mark.parametrize("method", METHODS)
def test_where_all_words_are_asked_none_is_left(method):
    """With three words there is no answer; with no question, none either."""
    assert first_answers(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]]), method=method).tolist() == [-1]
    assert first_answers(np.eye(3, dtype=np.float32), np.empty((0, 3), np.int64), method=method).tolist() == []
