"""Compiled code (Numba) that encodes bytes as token codes in one pass, and resolves codes into word ids in another.

A token code is the id of a word; or NEWLINE, or BLANK_LINE for the end of a line of white space alone; or SENTENCE_END;
or FIRST_DEFERRED - i for the deferred stretch i: text between white space that Python splits into words later, once for
all its occurrences. Stretches that are not all ASCII are deferred, and with tokens: regex all of them.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.chunks import ASCII_SPACE, Chunk
from w2v_cli.corpus.report import TextCounts
from w2v_cli.corpus.sentences import ENDS, TITLES, is_closer, is_opener
from w2v_cli.corpus.word_table import IS_FULL, SAME, TableArrays, WordTable, intern
from w2v_cli.jit.njit import njit, njit_part

NEWLINE, BLANK_LINE, SENTENCE_END, FIRST_DEFERRED = -1, -2, -3, -4
_DONE, _WORDS_FULL, _DEFERRED_FULL = 0, 1, 2
_LINE_FEED, _APOSTROPHE, _FULL_STOP, _NOT_ASCII = 10, 39, 46, 128
_LONGEST_TITLE = 8
_EIGHT_BITS = np.uint64(8)

# The state of a pass over a chunk, in one array: the pass stops where a table is full, and is continued from there.
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
    """The settings that decide how bytes are encoded.

    Attributes:
        is_prose: words are letters and digits in lower case with apostrophes inside; otherwise everything between white
            space is one word.
        defers_all: Python splits every stretch.
        ends_sentences: a file ends a sentence.
        ends_by_punctuation: punctuation ends a sentence.
        longest: bytes; longer stretches are skipped.
    """

    is_prose: bool
    defers_all: bool
    ends_sentences: bool
    ends_by_punctuation: bool
    longest: int

    @classmethod
    def of(cls, config: CorpusSettings) -> "Rules":
        """Return the rules for the settings of a corpus."""
        return cls(
            is_prose=config.tokens == "words",
            defers_all=config.tokens == "regex",
            ends_sentences=config.sentences in {"paragraph", "punctuation"},
            ends_by_punctuation=config.sentences == "punctuation",
            longest=config.max_token_bytes,
        )


def encode_chunk(
    chunk: Chunk, rules: Rules, words: WordTable, deferred: WordTable
) -> tuple[NDArray[np.int32], TextCounts]:
    """Return the token codes of a chunk and what was counted in it, adding its words and deferred stretches to tables.

    Args:
        chunk: the bytes to encode.
        rules: how to encode them.
        words: receives the words; their ids in it are codes.
        deferred: receives the stretches that Python splits.
    """
    data = np.frombuffer(chunk.text, np.uint8)
    file_ends = np.array([*chunk.file_ends, len(data) + 1], np.int64)
    codes = np.empty(len(data) + len(file_ends), np.int32)
    state = np.zeros(8, np.int64)
    state[_IS_BLANK] = chunk.is_line_blank
    fold = _lower if rules.is_prose else SAME
    while (status := _encode(data, file_ends, rules, fold, words.arrays, deferred.arrays, codes, state)) != _DONE:
        (words if status == _WORDS_FULL else deferred).grow(word_bytes=min(rules.longest, len(data)))
    lines, blank_lines, long_tokens, long_bytes = state[_LINES : _LONG_BYTES + 1].tolist()
    counts = TextCounts(lines=lines, blank_lines=blank_lines, long_tokens=long_tokens, long_bytes=long_bytes)
    return codes[: state[_COUNT]].copy(), counts


@njit()
def _encode(
    data: Any,
    file_ends: Any,
    rules: Rules,
    fold: Any,
    words: TableArrays,
    deferred: TableArrays,
    codes: Any,
    state: Any,
) -> Any:
    """Encode from the place in `state` on; return which table is full, or _DONE."""
    at, count, status = state[_AT], state[_COUNT], _DONE
    while at < len(data) and status == _DONE:
        if _is_space[data[at]]:
            count = _encode_space(data, at, file_ends, rules.ends_sentences, codes, count, state)
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
        elif highest >= _NOT_ASCII or rules.defers_all:
            word_id = intern(deferred, data, at, stop, SAME, 1)
            if word_id == IS_FULL:
                status = _DEFERRED_FULL
            else:
                codes[count] = FIRST_DEFERRED - word_id
                count, at = count + 1, stop
        else:
            at, count = _encode_words(data, at, stop, rules.is_prose, fold, words, codes, count)
            if at < stop:
                status = _WORDS_FULL
            elif rules.ends_by_punctuation and _ends_sentence(data, stop):
                codes[count] = SENTENCE_END
                count += 1
    state[_AT], state[_COUNT] = at, count
    return status


@njit(inline="always")
def _encode_space(
    data: Any,
    at: int,
    file_ends: Any,
    ends_sentences: bool,  # noqa: FBT001  Numba calls by position
    codes: Any,
    count: int,
    state: Any,
) -> int:
    """Encode the end of a line or a file at a white space character; return the number of codes."""
    if data[at] == _LINE_FEED:
        codes[count] = BLANK_LINE if state[_IS_BLANK] else NEWLINE
        count += 1
        state[_LINES] += 1
        state[_BLANK_LINES] += state[_IS_BLANK]
        state[_IS_BLANK] = 1
    if at + 1 == file_ends[state[_FILE_ENDS]]:
        state[_FILE_ENDS] += 1
        if ends_sentences:
            codes[count] = SENTENCE_END
            count += 1
    return count


@njit(inline="always")
def _encode_words(
    data: Any,
    at: int,
    stop: int,
    is_prose: bool,  # noqa: FBT001  Numba calls by position
    fold: Any,
    words: TableArrays,
    codes: Any,
    count: int,
) -> Any:
    """Encode the words of an ASCII stretch; return the place reached, before `stop` if the table is full, and count."""
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
        codes[count] = word_id
        count += 1
        at = end
    return at, count


@njit(inline="always")
def _end_of_word(data: Any, start: int, stop: int) -> int:
    """Return where the prose word that begins at `start` ends; it may hold apostrophes between letters."""
    end = start + 1
    while end < stop and (
        _is_letter[data[end]] or (data[end] == _APOSTROPHE and end + 1 < stop and _is_letter[data[end + 1]])
    ):
        end += 1
    return end


@njit_part()
def _ends_sentence(data: Any, stop: int) -> bool:
    """Return whether a sentence ends with the ASCII stretch before `stop`, by the rule of sentences.ends_sentence."""
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


@njit()
def translate_codes(codes: Any, word_ids: Any, deferred_ids: Any) -> None:
    """Replace the ids in a chunk's tables by those in the tables of the whole text, in place."""
    for i in range(len(codes)):
        code = codes[i]
        if code >= 0:
            codes[i] = word_ids[code]
        elif code <= FIRST_DEFERRED:
            codes[i] = FIRST_DEFERRED - deferred_ids[FIRST_DEFERRED - code]


@njit()
def follow_ids(ids: Any, next_ids: Any, followed: Any) -> None:
    """Write next_ids[id] for each id into `followed`, which may be `ids`; negative numbers stay as they are."""
    for i in range(len(ids)):
        followed[i] = next_ids[ids[i]] if ids[i] >= 0 else ids[i]


class CodeTable(NamedTuple):
    """The word ids that the codes of a part of the text stand for.

    Attributes:
        word_ids: (words,) int32, the final id of each word, -1 if it is dropped.
        deferred_offsets: (stretches + 1,) int64; the words of stretch i are deferred_words[deferred_offsets[i] :
            deferred_offsets[i + 1]].
        deferred_words: int32, final ids, -1 for a dropped word, or SENTENCE_END.
        end_of_line: the id of the word that ends a line, -1 for none.
        ends_with_line: whether each line ends a sentence.
        ends_with_blank_line: whether each blank line ends a sentence.
    """

    word_ids: NDArray[np.int32]
    deferred_offsets: NDArray[np.int64]
    deferred_words: NDArray[np.int32]
    end_of_line: int
    ends_with_line: bool
    ends_with_blank_line: bool


def resolve_codes(
    codes: NDArray[np.int32], table: CodeTable, words_before: int, last_offset: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the word ids that codes stand for, and the ends of the sentences that end there and are not empty.

    Args:
        codes: token codes.
        table: what they stand for.
        words_before: the kept words before these codes; sentence ends are counted from the first of them.
        last_offset: where the sentence began that is open before these codes.
    """
    room = _count_words(codes, table)
    word_ids, ends = np.empty(room, np.int32), np.empty(room, np.int64)
    count, sentences = _resolve(codes, table, words_before, last_offset, word_ids, ends)
    return word_ids[:count], ends[:sentences]


@njit()
def _count_words(codes: Any, table: CodeTable) -> int:
    """Return an upper bound of the words, and of the sentence ends, that codes stand for."""
    count = len(codes)
    for code in codes:
        if code <= FIRST_DEFERRED:
            stretch = FIRST_DEFERRED - code
            count += table.deferred_offsets[stretch + 1] - table.deferred_offsets[stretch]
    return count


@njit()
def _resolve(  # noqa: C901  one loop; a call for each code would cost more than the code
    codes: Any, table: CodeTable, words_before: int, last_offset: int, word_ids: Any, ends: Any
) -> Any:
    count = sentences = 0
    last = last_offset - words_before
    for code in codes:
        if code >= 0:
            word_id = table.word_ids[code]
            if word_id >= 0:
                word_ids[count] = word_id
                count += 1
            continue
        ends_here = code == SENTENCE_END
        if code <= FIRST_DEFERRED:
            stretch = FIRST_DEFERRED - code
            for i in range(table.deferred_offsets[stretch], table.deferred_offsets[stretch + 1]):
                word_id = table.deferred_words[i]
                if word_id >= 0:
                    word_ids[count] = word_id
                    count += 1
                elif word_id == SENTENCE_END and count > last:
                    last = count
                    ends[sentences] = words_before + count
                    sentences += 1
        elif not ends_here:
            if table.end_of_line >= 0:
                word_ids[count] = table.end_of_line
                count += 1
            ends_here = table.ends_with_line or (table.ends_with_blank_line and code == BLANK_LINE)
        if ends_here and count > last:
            last = count
            ends[sentences] = words_before + count
            sentences += 1
    return count, sentences
