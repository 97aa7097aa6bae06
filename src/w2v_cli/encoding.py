"""Bytes → marks in one pass over a piece of text, and marks → final word ids in one pass afterwards (Numba).

A mark is the id of a word, or NEWLINE, or FIRST_RUN - r for run r: a stretch between white space that is not all ASCII,
and that Python takes apart later, once for all its occurrences.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.compiled import njit
from w2v_cli.corpus import ASCII_SPACE
from w2v_cli.word_table import IS_FULL, SAME, TableArrays, WordTable, intern

NEWLINE, FIRST_RUN = -1, -2
_DONE, _WORDS_FULL, _RUNS_FULL = 0, 1, 2
_LINE_FEED, _APOSTROPHE, _NOT_ASCII = 10, 39, 128

_is_space = np.zeros(256, np.uint8)
_is_space[list(ASCII_SPACE)] = 1
_is_letter = np.array([byte < _NOT_ASCII and chr(byte).isalnum() for byte in range(256)], np.uint8)
_lower = SAME.copy()
_lower[list(range(ord("A"), ord("Z") + 1))] += 32


class Meaning(NamedTuple):
    """What the marks of a piece finally mean.

    word_ids: of each word, -1 where it is dropped; run_offsets, run_words: the words of run r are
    run_words[run_offsets[r] : run_offsets[r + 1]], final ids or -1; end_of_line: the id of the word that ends a line,
    -1 for none; ends_sentence: whether a line is a sentence.
    """

    word_ids: NDArray[np.int32]
    run_offsets: NDArray[np.int64]
    run_words: NDArray[np.int32]
    end_of_line: int
    ends_sentence: bool


def mark_piece(piece: bytes, words: WordTable, runs: WordTable, *, is_prose: bool) -> NDArray[np.int32]:
    """Return the marks of a piece that ends with a word's end; words and runs are counted in their tables.

    is_prose: words are letters and digits in lower case with apostrophes inside; else all that stands between white
    space.
    """
    data = np.frombuffer(piece, np.uint8)
    marks = np.empty(len(data) + 1, np.int32)
    position = count = 0
    fold = _lower if is_prose else SAME
    while True:
        position, count, status = _mark(data, position, is_prose, fold, words.arrays, runs.arrays, marks, count)
        if status == _DONE:
            return marks[:count].copy()
        (words if status == _WORDS_FULL else runs).grow(word_bytes=len(data) - position)


@njit()
def _mark(
    data: Any,
    position: int,
    is_prose: bool,  # noqa: FBT001  Numba calls by position
    fold: Any,
    words: TableArrays,
    runs: TableArrays,
    marks: Any,
    count: int,
) -> Any:
    """Mark from `position` on; return where it came to, how many marks there are, and which table is full."""
    at = position
    while at < len(data):
        if _is_space[data[at]]:
            if data[at] == _LINE_FEED:
                marks[count] = NEWLINE
                count += 1
            at += 1
            continue
        stop, highest = at, np.uint8(0)
        while stop < len(data) and not _is_space[data[stop]]:
            highest |= data[stop]
            stop += 1
        if highest >= _NOT_ASCII or not is_prose:
            is_run = highest >= _NOT_ASCII
            word_id = intern(runs, data, at, stop, SAME, 1) if is_run else intern(words, data, at, stop, SAME, 1)
            if word_id == IS_FULL:
                return at, count, _RUNS_FULL if is_run else _WORDS_FULL
            marks[count] = FIRST_RUN - word_id if is_run else word_id
            count += 1
            at = stop
            continue
        while at < stop:
            if not _is_letter[data[at]]:
                at += 1
                continue
            end = _end_of_word(data, at, stop)
            word_id = intern(words, data, at, end, fold, 1)
            if word_id == IS_FULL:
                return at, count, _WORDS_FULL
            marks[count] = word_id
            count += 1
            at = end
    return at, count, _DONE


@njit(inline="always")
def _end_of_word(data: Any, start: int, stop: int) -> int:
    """Return where the prose word that begins at `start` ends: an apostrophe belongs to it where letters go on."""
    end = start + 1
    while end < stop and (
        _is_letter[data[end]] or (data[end] == _APOSTROPHE and end + 1 < stop and _is_letter[data[end + 1]])
    ):
        end += 1
    return end


def resolve_marks(
    marks: NDArray[np.int32], meaning: Meaning, words_before: int, last_offset: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the final word ids of marks, and the ends of the sentences that end there and are not empty.

    words_before: kept words before these marks; last_offset: where the sentence that is open began.
    """
    word_ids = np.empty(_count_words(marks, meaning), np.int32)
    ends = np.empty(len(marks), np.int64)
    count, sentences = _resolve(marks, meaning, words_before, last_offset, word_ids, ends)
    return word_ids[:count], ends[:sentences]


@njit()
def _count_words(marks: Any, meaning: Meaning) -> int:
    """Return the most words that marks can mean."""
    count = len(marks)
    for mark in marks:
        if mark <= FIRST_RUN:
            run = FIRST_RUN - mark
            count += meaning.run_offsets[run + 1] - meaning.run_offsets[run]
    return count


@njit()
def _resolve(marks: Any, meaning: Meaning, words_before: int, last_offset: int, word_ids: Any, ends: Any) -> Any:
    count = sentences = 0
    for mark in marks:
        if mark >= 0:
            word_id = meaning.word_ids[mark]
            if word_id >= 0:
                word_ids[count] = word_id
                count += 1
        elif mark == NEWLINE:
            if meaning.end_of_line >= 0:
                word_ids[count] = meaning.end_of_line
                count += 1
            if meaning.ends_sentence and words_before + count > last_offset:
                last_offset = words_before + count
                ends[sentences] = last_offset
                sentences += 1
        else:
            run = FIRST_RUN - mark
            for i in range(meaning.run_offsets[run], meaning.run_offsets[run + 1]):
                word_id = meaning.run_words[i]
                if word_id >= 0:
                    word_ids[count] = word_id
                    count += 1
    return count, sentences
