"""Bytes → marks, in one pass over a piece of text (Numba).

A mark is the id of a word; or NEWLINE, or BLANK_LINE for that of a line of white space alone; or SENTENCE_END; or
FIRST_RUN - r for run r: a stretch between white space that Python takes apart later, once for all its occurrences. With
tokens: regex each stretch is a run, else each that is not all ASCII.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.chunks import ASCII_SPACE
from w2v_cli.corpus.reader import Piece
from w2v_cli.corpus.sentences import ENDS, TITLES, is_closer, is_opener
from w2v_cli.corpus.word_table import IS_FULL, SAME, TableArrays, WordTable, intern
from w2v_cli.jit.njit import njit, njit_part

NEWLINE, BLANK_LINE, SENTENCE_END, FIRST_RUN = -1, -2, -3, -4
_DONE, _WORDS_FULL, _RUNS_FULL = 0, 1, 2
_LINE_FEED, _APOSTROPHE, _FULL_STOP, _NOT_ASCII = 10, 39, 46, 128
_LONGEST_TITLE = 8
_EIGHT_BITS = np.uint64(8)

# Where a pass over a piece is, and what it has counted, in one array, for it may be left and taken up again.
_AT, _COUNT, _LINES, _BLANK_LINES, _LONG_TOKENS, _LONG_BYTES, _FILE_ENDS, _IS_BLANK = range(8)


def _ascii_flags(is_so: Any) -> NDArray[np.uint8]:
    """Return, for each byte, whether it is an ASCII character of which `is_so` is true."""
    return np.array([byte < _NOT_ASCII and bool(is_so(chr(byte))) for byte in range(256)], np.uint8)


_is_space = _ascii_flags(lambda character: ord(character) in ASCII_SPACE)
_is_letter = _ascii_flags(str.isalnum)
_is_alphabetic = _ascii_flags(str.isalpha)
_is_end, _is_closer, _is_opener = map(_ascii_flags, (ENDS.__contains__, is_closer, is_opener))
_lower = SAME.copy()
_lower[list(range(ord("A"), ord("Z") + 1))] += 32
_lower.flags.writeable = False  # as SAME
_titles = np.array([int.from_bytes(title.encode(), "big") for title in TITLES], np.uint64)


class Rules(NamedTuple):
    """What the pass over a piece has to know of the settings.

    is_prose: words are letters and digits in lower case with apostrophes inside; else all that stands between white
    space; all_runs: Python takes every stretch apart; marks_sentences: SENTENCE_END after files, and after punctuation
    where ends_by_punctuation says so; longest: bytes of a stretch.
    """

    is_prose: bool
    all_runs: bool
    marks_sentences: bool
    ends_by_punctuation: bool
    longest: int

    @classmethod
    def of(cls, config: CorpusSettings) -> "Rules":
        """Return those of the settings."""
        return cls(
            is_prose=config.tokens == "words",
            all_runs=config.tokens == "regex",
            marks_sentences=config.sentences in {"paragraph", "punctuation"},
            ends_by_punctuation=config.sentences == "punctuation",
            longest=config.max_token_bytes,
        )


@dataclass
class MarkedPiece:
    """The marks of a piece, the words and runs that they count in, and what else there was."""

    marks: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    words: WordTable = field(default_factory=WordTable)
    runs: WordTable = field(default_factory=WordTable)
    lines: int = 0
    blank_lines: int = 0
    long_tokens: int = 0
    long_bytes: int = 0

    def mark(self, piece: Piece, rules: Rules) -> None:
        """Fill in the marks of a piece, forgetting those of another."""
        self.words.clear()
        self.runs.clear()
        data = np.frombuffer(piece.text, np.uint8)
        file_ends = np.array([*piece.file_ends, len(data) + 1], np.int64)
        marks = np.empty(len(data) + len(file_ends), np.int32)
        state = np.zeros(8, np.int64)
        state[_IS_BLANK] = piece.is_line_blank
        fold = _lower if rules.is_prose else SAME
        while (
            status := _mark(data, file_ends, rules, fold, self.words.arrays, self.runs.arrays, marks, state)
        ) != _DONE:
            (self.words if status == _WORDS_FULL else self.runs).grow(word_bytes=min(rules.longest, len(data)))
        self.marks = marks[: state[_COUNT]].copy()
        self.lines, self.blank_lines, self.long_tokens, self.long_bytes = state[_LINES : _LONG_BYTES + 1].tolist()


@njit()
def _mark(
    data: Any, file_ends: Any, rules: Rules, fold: Any, words: TableArrays, runs: TableArrays, marks: Any, state: Any
) -> Any:
    """Mark from where `state` says; return which table is full."""
    at, count, status = state[_AT], state[_COUNT], _DONE
    while at < len(data) and status == _DONE:
        if _is_space[data[at]]:
            count = _mark_space(data, at, file_ends, rules.marks_sentences, marks, count, state)
            at += 1
            continue
        stop, highest = at, np.uint8(0)
        while stop < len(data) and not _is_space[data[stop]]:
            highest |= data[stop]
            stop += 1
        state[_IS_BLANK] = 0
        if stop - at > rules.longest:
            state[_LONG_TOKENS] += 1
            state[_LONG_BYTES] += stop - at
            at = stop
        elif highest >= _NOT_ASCII or rules.all_runs:
            word_id = intern(runs, data, at, stop, SAME, 1)
            if word_id == IS_FULL:
                status = _RUNS_FULL
            else:
                marks[count] = FIRST_RUN - word_id
                count, at = count + 1, stop
        else:
            at, count = _mark_words(data, at, stop, rules.is_prose, fold, words, marks, count)
            if at < stop:
                status = _WORDS_FULL
            elif rules.ends_by_punctuation and _ends_sentence(data, stop):
                marks[count] = SENTENCE_END
                count += 1
    state[_AT], state[_COUNT] = at, count
    return status


@njit(inline="always")
def _mark_space(
    data: Any,
    at: int,
    file_ends: Any,
    marks_sentences: bool,  # noqa: FBT001  Numba calls by position
    marks: Any,
    count: int,
    state: Any,
) -> int:
    """Mark what ends with a white space: a line, a file; return how many marks there are."""
    if data[at] == _LINE_FEED:
        marks[count] = BLANK_LINE if state[_IS_BLANK] else NEWLINE
        count += 1
        state[_LINES] += 1
        state[_BLANK_LINES] += state[_IS_BLANK]
        state[_IS_BLANK] = 1
    if at + 1 == file_ends[state[_FILE_ENDS]]:
        state[_FILE_ENDS] += 1
        if marks_sentences:
            marks[count] = SENTENCE_END
            count += 1
    return count


@njit(inline="always")
def _mark_words(
    data: Any,
    at: int,
    stop: int,
    is_prose: bool,  # noqa: FBT001  Numba calls by position
    fold: Any,
    words: TableArrays,
    marks: Any,
    count: int,
) -> Any:
    """Mark the words of an ASCII stretch; return where it came to, before `stop` where the table is full, and count."""
    while at < stop:
        end = stop
        if is_prose:
            if not _is_letter[data[at]]:
                at += 1
                continue
            end = _end_of_word(data, at, stop)
        word_id = intern(words, data, at, end, fold, 1)
        if word_id == IS_FULL:
            break
        marks[count] = word_id
        count += 1
        at = end
    return at, count


@njit(inline="always")
def _end_of_word(data: Any, start: int, stop: int) -> int:
    """Return where the prose word that begins at `start` ends: an apostrophe belongs to it where letters go on."""
    end = start + 1
    while end < stop and (
        _is_letter[data[end]] or (data[end] == _APOSTROPHE and end + 1 < stop and _is_letter[data[end + 1]])
    ):
        end += 1
    return end


@njit_part()
def _ends_sentence(data: Any, stop: int) -> bool:
    """Return whether a sentence ends with the ASCII stretch before `stop`, as sentences.ends_sentence says it."""
    start, end = stop, stop
    while start > 0 and not _is_space[data[start - 1]]:
        start -= 1
    while end > start and _is_closer[data[end - 1]]:
        end -= 1
    if end == start or not _is_end[data[end - 1]]:
        return False
    return data[end - 1] != _FULL_STOP or not _is_abbreviation(data, start, end - 1)


@njit_part()
def _is_abbreviation(data: Any, start: int, stop: int) -> bool:
    begin, code = stop, np.uint64(0)
    while begin > start and _is_alphabetic[data[begin - 1]]:
        begin -= 1
    if (begin > start and not _is_opener[data[begin - 1]]) or stop - begin > _LONGEST_TITLE:
        return False
    for i in range(begin, stop):
        code = (code << _EIGHT_BITS) | np.uint64(_lower[data[i]])
    if stop - begin == 1:
        return True
    for title in _titles:  # noqa: SIM110  Numba knows no generators
        if title == code:
            return True
    return False
