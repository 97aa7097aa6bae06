"""Collocations: pairs of neighbouring words, counted exactly, and scored against chance.

Memory is bounded: each thread counts a part of the pairs; if there are too many, it counts a part of its part, and
reads the ids, which lie in a file, again for the rest (docs/adr/0019). A pair runs across connector words, which become
part of the phrase, and never across the end of a sentence or across a word that cannot be in a pair.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus.phrases.pair_table import MOST_LINKS, PairArrays, Pairs, PairTable, add, find, write_entry
from w2v_cli.jit.njit import njit

_T = TypeVar("_T")

UNUSED, ORDINARY, CONNECTOR = 0, 1, 2
MOST_PAIRS = 1 << 23  # at a time, of all threads: 256 MB
_MOST_THREADS = 8  # each reads all ids
_IDS_AT_ONCE = 1 << 16
NO_WORD, NO_LINK = -1, 0

# The state of a pass over the ids, in one array: the pass stops where a table is full, and is continued from there.
_AT, _START, _LINK, _SENTENCE = range(4)


class PairText(NamedTuple):
    """A text in which pairs are counted or joined.

    Attributes:
        ids: (N,), of words.
        offsets: (S + 1,), where each sentence begins; the last one is N.
        roles: (V,) uint8, what each word can be in a pair: UNUSED, ORDINARY or CONNECTOR.
        links: numbers rows of connectors: maps (the link of the row without its last word, 0, that word) to the link of
            the row. NO_LINK is the empty row.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    roles: NDArray[np.uint8]
    links: PairArrays


def word2phrase_scores(
    pairs: NDArray[np.int64], lefts: NDArray[np.int64], rights: NDArray[np.int64], *, words: int, min_count: int
) -> NDArray[np.float64]:
    """Return (pair - min_count) / (left * right) * words for counts of pairs, of their words, and of all words.

    Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed Representations of Words and Phrases and their
    Compositionality", eq. 6, times the number of words as in their word2phrase.c.
    """
    return (pairs - min_count) / lefts / rights * words


def npmi_scores(
    pairs: NDArray[np.int64], lefts: NDArray[np.int64], rights: NDArray[np.int64], *, words: int
) -> NDArray[np.float64]:
    """Return ln(p(pair) / (p(left) p(right))) / -ln p(pair), from -1 to 1, where p is a count by the number of words.

    Bouma 2009, "Normalized (Pointwise) Mutual Information in Collocation Extraction".
    """
    together = pairs / words
    return np.log(together / (lefts / words * (rights / words))) / -np.log(together)


def number_connectors(
    word_ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], roles: NDArray[np.uint8]
) -> PairTable:
    """Return the links of a text, a number from 1 for each row of connectors that may stand inside a pair."""
    links, state = PairTable(), _new_state()
    if CONNECTOR not in roles:
        return links
    while state[_AT] < len(word_ids):
        text = PairText(word_ids, sentence_offsets, roles, links.arrays)
        if not _number_links(text, state, min(int(state[_AT]) + _IDS_AT_ONCE, len(word_ids))):
            links.grow()
    return links


class PairCounter:
    """Counts the pairs of a text that occur at least `min_count` times. An instance is used once."""

    def __init__(self, text: PairText, min_count: int) -> None:
        self._text = text
        self._min_count = min_count
        self._is_stopped = False  # whether the threads should stop

    def map(self, choose: Callable[[Pairs], _T], *, threads: int) -> list[_T]:
        """Return the results of `choose` for parts of the pairs, of bounded size, each pair with its whole count."""
        parts = 1 << min(threads, _MOST_THREADS).bit_length() - 1
        with ThreadPoolExecutor(parts, thread_name_prefix="w2v") as pool:
            calls = [pool.submit(lambda part: [*map(choose, self._iterate(part, parts))], k) for k in range(parts)]
            try:
                return [chosen for call in calls for chosen in call.result()]
            finally:
                self._is_stopped = True

    def _iterate(self, part: int, parts: int) -> Iterator[Pairs]:
        """Yield the pairs of a part, in smaller parts if there are too many."""
        waiting, most_pairs = [(part, parts)], MOST_PAIRS // parts
        room = np.empty((_IDS_AT_ONCE, 2), np.int64)
        while waiting:
            part, parts = waiting.pop()
            pairs, state = PairTable(), _new_state()
            while state[_AT] < len(self._text.ids) and not self._is_stopped:
                listed = room[: _list_pairs(self._text, part, parts, pairs.arrays.seed, state, room)]
                while len(listed := listed[pairs.add(listed) :]):
                    if len(pairs) < most_pairs:
                        pairs.grow()
                    else:
                        waiting.append((part + parts, 2 * parts))
                        parts *= 2
                        pairs.keep_part(part, parts)
                        listed = pairs.select_part(listed, part, parts)
            yield pairs.at_least(self._min_count)


def _new_state() -> NDArray[np.int64]:
    return np.array([0, NO_WORD, NO_LINK, 0])


@njit()
def _number_links(text: PairText, state: Any, stop: int) -> bool:
    """Continue from the place in `state` to before `stop`; return False if the table is full."""
    at, start, link, sentence = state[_AT], state[_START], state[_LINK], state[_SENTENCE]
    has_room = True
    while at < stop:
        if at == text.offsets[sentence]:
            sentence += 1
            start = NO_WORD
        word = np.int64(text.ids[at])
        role = text.roles[word]
        if role != CONNECTOR:
            start, link = (word if role == ORDINARY else np.int64(NO_WORD)), np.int64(NO_LINK)
        elif start != NO_WORD:
            longer = find(text.links, link, NO_LINK, word)
            if longer == 0 and text.links.used[0] == MOST_LINKS:
                start = NO_WORD
            elif longer == 0:
                longer = text.links.used[0] + 1
                has_room = add(text.links, link, NO_LINK, word, longer)
                if not has_room:
                    break
            link = longer
        at += 1
    state[_AT], state[_START], state[_LINK], state[_SENTENCE] = at, start, link, sentence
    return has_room


@njit()
def _list_pairs(text: PairText, part: int, parts: int, seed: Any, state: Any, room: Any) -> int:
    """Write the pairs of a part as entries into `room`; return their number.

    Continues from the place in `state`, for as many words as there is room. Whether a pair belongs to the part is not a
    branch: no processor could predict it.
    """
    at, start, link, sentence = state[_AT], state[_START], state[_LINK], state[_SENTENCE]
    stop = min(at + len(room), len(text.ids))
    count = 0
    while at < stop:
        if at == text.offsets[sentence]:
            sentence += 1
            start = NO_WORD
        word = np.int64(text.ids[at])
        role = text.roles[word]
        at += 1
        if role == CONNECTOR:
            link = find(text.links, link, NO_LINK, word)
            start = start if link else np.int64(NO_WORD)
        else:
            is_ours = write_entry(seed, start, link, word, room, count, part, parts)
            count += (start != NO_WORD) & (role == ORDINARY) & is_ours
            start, link = (word if role == ORDINARY else np.int64(NO_WORD)), np.int64(NO_LINK)
    state[_AT], state[_START], state[_LINK], state[_SENTENCE] = at, start, link, sentence
    return count
