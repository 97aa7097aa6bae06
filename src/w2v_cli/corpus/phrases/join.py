"""The joining of pairs in a text of word ids: in place, in ranges of the text, on several threads."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from w2v_cli.corpus.phrases.collocations import CONNECTOR, NO_LINK, NO_WORD, ORDINARY, PairText
from w2v_cli.corpus.phrases.pair_table import PairArrays, Pairs, PairTable, find
from w2v_cli.jit.njit import njit
from w2v_cli.system.prefetch import prefetch_calls

_IDS_AT_ONCE = 1 << 19
_RANGES_AHEAD = 2  # for each thread


def join_pairs(text: PairText, joined: Pairs, *, threads: int) -> tuple[int, int]:
    """Join pairs in place, from left to right; a joined word is not joined again in the same pass.

    Sentences keep their number. The result does not depend on the number of threads.

    Args:
        text: the text, whose ids and offsets are overwritten.
        joined: the pairs to join, with the id of the joined word + 1 as count.
        threads: how many threads join.

    Returns:
        The number of words left, and the number of joins made.
    """
    table, words, joins = PairTable(), 0, 0
    table.put(joined)
    calls = (partial(_join, text, table.arrays, *found) for found in _iterate_ranges(text, table.arrays))
    for begin, sentences, kept, made in prefetch_calls(calls, threads=threads, ahead=_RANGES_AHEAD * threads):
        text.ids[words : words + kept] = text.ids[begin : begin + kept]
        text.offsets[sentences] -= begin - words
        words, joins = words + kept, joins + made
    text.offsets[-1] = words
    return words, joins


def _iterate_ranges(text: PairText, joined: PairArrays) -> Iterator[tuple[int, int, slice]]:
    """Yield where each range begins and ends, and the sentences that begin in it."""
    begin = sentence = 0
    while begin < len(text.ids):
        end = int(_find_end(text, joined, begin + _IDS_AT_ONCE))
        next_sentence = sentence + int(np.searchsorted(text.offsets[sentence:-1], end))
        yield begin, end, slice(sentence, next_sentence)
        begin, sentence = end, next_sentence


def _join(text: PairText, joined: PairArrays, begin: int, end: int, sentences: slice) -> tuple[int, slice, int, int]:
    """Join a range; return its begin, its sentences, the words left in it, and the joins made."""
    kept, made = _join_range(text, joined, begin, end, sentences.start)
    return begin, sentences, int(kept), int(made)


@njit()
def _find_end(text: PairText, joined: PairArrays, at: int) -> int:
    """Return the first place from `at` on across which no pair is joined."""
    while at < len(text.ids):
        left, right = text.ids[at - 1], text.ids[at]
        stands_alone = text.roles[left] != CONNECTOR and text.roles[right] != CONNECTOR
        if stands_alone and not find(joined, left, NO_LINK, right):
            return at
        at += 1
    return len(text.ids)


@njit()
def _join_range(text: PairText, joined: PairArrays, begin: int, end: int, sentence: int) -> tuple[int, int]:
    """Join the words from `begin` to before `end`; return the words left and the joins made.

    `sentence` is the first sentence that begins there; offsets are replaced by the new places of sentences.
    """
    ids, offsets = text.ids, text.offsets
    start, link, start_place, count = np.int64(NO_WORD), np.int64(NO_LINK), begin, begin
    joins = 0
    for at in range(begin, end):
        if at == offsets[sentence]:
            offsets[sentence] = count
            sentence += 1
            start = np.int64(NO_WORD)
        word = np.int64(ids[at])
        role = text.roles[word]
        if role == CONNECTOR:
            link = find(text.links, link, NO_LINK, word)
            if link == NO_LINK:
                start = np.int64(NO_WORD)
        else:
            found = np.int64(0)
            if start != NO_WORD and role == ORDINARY:
                found = find(joined, start, link, word)
            if found:
                word, count = found - 1, start_place
                joins += 1
            start = word if role == ORDINARY and found == 0 else np.int64(NO_WORD)
            link, start_place = np.int64(NO_LINK), count
        ids[count] = word
        count += 1
    return count - begin, joins
