"""Word ids in sentences → the pairs that stand side by side more often than chance has it; and those pairs joined.

Pairs are counted exactly, in bounded memory: where there are too many, only a part of them is counted, and the ids,
which lie in a file, are gone through again for the rest (docs/adr/0019). A pair runs across connector words, which are
part of what is joined, and never across the end of a sentence or a word that is too rare.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.compiled import njit
from w2v_cli.pair_table import MOST_LINKS, PairArrays, Pairs, PairTable, add, find, is_in_part

RARE, ORDINARY, CONNECTOR = 0, 1, 2
MOST_PAIRS = 1 << 23  # at a time: 256 MB
_IDS_AT_ONCE = 1 << 22  # so that a signal is heard
_NO_WORD, _NO_LINK = -1, 0
_DONE, _PAIRS_FULL, _LINKS_FULL = 0, 1, 2

# Where a pass over the ids is, in one array, for it may be left and taken up again.
_AT, _START, _LINK, _SENTENCE, _COUNT, _START_PLACE = range(6)


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


class PairCounter:
    """Counts pairs in ids of words. roles: (V,) uint8, what each word can be in a pair.

    links: the table of connectors in a row: the link before, 0, the connector → the link; empty links are 0.
    """

    def __init__(
        self, word_ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], roles: NDArray[np.uint8]
    ) -> None:
        self.links = PairTable()
        self._word_ids = word_ids
        self._offsets = sentence_offsets
        self._roles = roles

    def iterate_frequent(self, min_count: int) -> Iterator[Pairs]:
        """Yield all pairs that occur `min_count` times, in parts of bounded size, each with its whole count."""
        waiting = [(0, 1)]
        while waiting:
            part, parts = waiting.pop()
            pairs, state = PairTable(), _new_state()
            while (status := self._count(pairs, part, parts, state)) != _DONE:
                if status == _LINKS_FULL:
                    self.links.grow()
                elif len(pairs) < MOST_PAIRS:
                    pairs.grow()
                else:
                    waiting.append((part + parts, 2 * parts))
                    parts *= 2
                    pairs.keep_part(part, parts)
            yield pairs.at_least(min_count)

    def _count(self, pairs: PairTable, part: int, parts: int, state: NDArray[np.int64]) -> int:
        """Go on counting where `state` says; return which table is full, _DONE at the end of the ids."""
        while state[_AT] < len(self._word_ids):
            stop = min(int(state[_AT]) + _IDS_AT_ONCE, len(self._word_ids))
            status = int(
                _count_pairs(
                    self._word_ids,
                    self._offsets,
                    self._roles,
                    part,
                    parts,
                    self.links.arrays,
                    pairs.arrays,
                    state,
                    stop,
                )
            )
            if status != _DONE:
                return status
        return _DONE

    def join(self, joined: Pairs, counts: NDArray[np.int64]) -> tuple[int, int]:
        """Join pairs in place, left to right, none twice; return how many words there are now, and joins made.

        joined: the pairs to join, with the id of the joined word + 1 as count. counts: (V,), of words, is kept right;
        V counts the joined words, too. Sentences keep their number.
        """
        table, state = PairTable(), _new_state()
        table.put(joined)
        joins = 0
        while state[_AT] < len(self._word_ids):
            stop = min(int(state[_AT]) + _IDS_AT_ONCE, len(self._word_ids))
            joins += int(
                _join_pairs(
                    self._word_ids, self._offsets, self._roles, self.links.arrays, table.arrays, counts, state, stop
                )
            )
        self._offsets[-1] = state[_COUNT]
        return int(state[_COUNT]), joins


def _new_state() -> NDArray[np.int64]:
    state = np.zeros(6, np.int64)
    state[_START] = _NO_WORD
    return state


@njit()
def _count_pairs(
    ids: Any,
    offsets: Any,
    roles: Any,
    part: int,
    parts: int,
    links: PairArrays,
    pairs: PairArrays,
    state: Any,
    stop: int,
) -> int:
    """Count from where `state` says to before `stop`; return which table is full."""
    at, start, link, sentence = state[_AT], state[_START], state[_LINK], state[_SENTENCE]
    status = _DONE
    while at < stop:
        if at == offsets[sentence]:
            sentence += 1
            start, link = _NO_WORD, _NO_LINK
        word = np.int64(ids[at])
        role = roles[word]
        if role == CONNECTOR:
            if start != _NO_WORD:
                longer = find(links, link, _NO_LINK, word)
                if longer == 0 and links.used[0] == MOST_LINKS:
                    start = _NO_WORD
                elif longer == 0:
                    longer = links.used[0] + 1
                    if not add(links, link, _NO_LINK, word, longer):
                        status = _LINKS_FULL
                        break
                link = longer
        else:
            if (
                start != _NO_WORD
                and role == ORDINARY
                and (parts == 1 or is_in_part(pairs, start, link, word, part, parts))
                and not add(pairs, start, link, word, 1)
            ):
                status = _PAIRS_FULL
                break
            start, link = (word if role == ORDINARY else np.int64(_NO_WORD)), np.int64(_NO_LINK)
        at += 1
    state[_AT], state[_START], state[_LINK], state[_SENTENCE] = at, start, link, sentence
    return status


@njit()
def _join_pairs(
    ids: Any, offsets: Any, roles: Any, links: PairArrays, joined: PairArrays, counts: Any, state: Any, stop: int
) -> int:
    """Join from where `state` says to before `stop`; return the number of joins."""
    at, start, link, sentence = state[_AT], state[_START], state[_LINK], state[_SENTENCE]
    count, start_place = state[_COUNT], state[_START_PLACE]
    joins = 0
    while at < stop:
        if at == offsets[sentence]:
            offsets[sentence] = count
            sentence += 1
            start, link = _NO_WORD, _NO_LINK
        word = np.int64(ids[at])
        role = roles[word]
        at += 1
        if role == CONNECTOR:
            link = find(links, link, _NO_LINK, word)
            if link == 0:
                start = _NO_WORD
        else:
            found = np.int64(0)
            if start != _NO_WORD and role == ORDINARY:
                found = find(joined, start, link, word)
            if found:
                counts[word] -= 1
                for place in range(start_place, count):
                    counts[ids[place]] -= 1
                word, count = found - 1, start_place
                counts[word] += 1
                joins += 1
            start = word if role == ORDINARY and found == 0 else np.int64(_NO_WORD)
            link, start_place = np.int64(_NO_LINK), count
        ids[count] = word
        count += 1
    state[_AT], state[_START], state[_LINK], state[_SENTENCE] = at, start, link, sentence
    state[_COUNT], state[_START_PLACE] = count, start_place
    return joins
