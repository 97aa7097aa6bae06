"""Marks → final word ids and the ends of sentences, in one pass (Numba)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus.encode_numba import BLANK_LINE, FIRST_RUN, SENTENCE_END
from w2v_cli.jit.njit import njit


@njit()
def translate_marks(marks: Any, word_ids: Any, run_ids: Any) -> None:
    """Exchange ids in the tables of a piece for those that they have among all, in place."""
    for i in range(len(marks)):
        mark = marks[i]
        if mark >= 0:
            marks[i] = word_ids[mark]
        elif mark <= FIRST_RUN:
            marks[i] = FIRST_RUN - run_ids[FIRST_RUN - mark]


@njit()
def follow_ids(ids: Any, next_ids: Any, followed: Any) -> None:
    """Write what has become of ids into `followed`, which may be `ids`; what is no id stays."""
    for i in range(len(ids)):
        followed[i] = next_ids[ids[i]] if ids[i] >= 0 else ids[i]


class CodeTable(NamedTuple):
    """What the marks of a part of the text finally mean.

    word_ids: of each word, -1 where it is dropped; run_offsets, run_words: the words of run r are
    run_words[run_offsets[r] : run_offsets[r + 1]], final ids, -1, or SENTENCE_END; end_of_line: the id of the word that
    ends a line, -1 for none; ends_with_line, ends_with_blank_line: whether a sentence does.
    """

    word_ids: NDArray[np.int32]
    run_offsets: NDArray[np.int64]
    run_words: NDArray[np.int32]
    end_of_line: int
    ends_with_line: bool
    ends_with_blank_line: bool


def resolve_marks(
    marks: NDArray[np.int32], meaning: CodeTable, words_before: int, last_offset: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the final word ids of marks, and the ends of the sentences that end there and are not empty.

    words_before: kept words before these marks; last_offset: where the sentence that is open began.
    """
    room = _count_words(marks, meaning)
    word_ids, ends = np.empty(room, np.int32), np.empty(room, np.int64)
    count, sentences = _resolve(marks, meaning, words_before, last_offset, word_ids, ends)
    return word_ids[:count], ends[:sentences]


@njit()
def _count_words(marks: Any, meaning: CodeTable) -> int:
    """Return the most words, or the most ends of sentences, that marks can mean."""
    count = len(marks)
    for mark in marks:
        if mark <= FIRST_RUN:
            run = FIRST_RUN - mark
            count += meaning.run_offsets[run + 1] - meaning.run_offsets[run]
    return count


@njit()
def _resolve(  # noqa: C901  one loop; a call for each mark would cost more than the mark
    marks: Any, meaning: CodeTable, words_before: int, last_offset: int, word_ids: Any, ends: Any
) -> Any:
    count = sentences = 0
    last = last_offset - words_before
    for mark in marks:
        if mark >= 0:
            word_id = meaning.word_ids[mark]
            if word_id >= 0:
                word_ids[count] = word_id
                count += 1
            continue
        ends_here = mark == SENTENCE_END
        if mark <= FIRST_RUN:
            run = FIRST_RUN - mark
            for i in range(meaning.run_offsets[run], meaning.run_offsets[run + 1]):
                word_id = meaning.run_words[i]
                if word_id >= 0:
                    word_ids[count] = word_id
                    count += 1
                elif word_id == SENTENCE_END and count > last:
                    last = count
                    ends[sentences] = words_before + count
                    sentences += 1
        elif not ends_here:
            if meaning.end_of_line >= 0:
                word_ids[count] = meaning.end_of_line
                count += 1
            ends_here = meaning.ends_with_line or (meaning.ends_with_blank_line and mark == BLANK_LINE)
        if ends_here and count > last:
            last = count
            ends[sentences] = words_before + count
            sentences += 1
    return count, sentences
