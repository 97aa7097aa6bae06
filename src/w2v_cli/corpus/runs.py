"""Runs, the stretches that compiled code leaves to Python, → their words, each different run once."""

from itertools import chain

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.encode_numba import SENTENCE_END
from w2v_cli.corpus.tokenizer import decode, pattern_guard, splitter_for
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.system.disk_array import DiskArray

_RUNS_AT_ONCE = 4096


class DeferredSplitter:
    """Takes runs apart as the settings say."""

    def __init__(self, config: CorpusSettings) -> None:
        self._config = config
        self._split_words = splitter_for(config)

    def split(self, runs: WordTable, words: WordTable, run_offsets: DiskArray, run_words: DiskArray) -> int:
        """Add the words of the runs to `words`; return how many places were no UTF-8.

        run_offsets, run_words: receive, for these runs, where each begins among their words and the last ends, and the
        words' ids or SENTENCE_END. Raises ConfigError where a pattern takes for ever.
        """
        run_offsets.write(np.zeros(1, np.int64))
        invalid = before = 0
        for begin in range(0, len(runs), _RUNS_AT_ONCE):
            end = min(begin + _RUNS_AT_ONCE, len(runs))
            counts = runs.counts[begin:end]
            stretches, replaced = _decode(runs.joined(begin, end))
            with pattern_guard(self._config):
                found = list(map(self._split_words, stretches))
            invalid += int(replaced @ counts)
            sizes = np.fromiter(map(len, found), np.int64, len(found))
            run_offsets.write(before + np.cumsum(sizes))
            before += run_words.write(_add_words(words, found, np.repeat(counts, sizes)))
        return invalid


def _decode(lines: bytes) -> tuple[list[str], NDArray[np.int64]]:
    """Return the stretches of lines as text, and in how many places each was no UTF-8; all at once where none was."""
    try:
        stretches = lines.decode().split("\n")
    except UnicodeDecodeError:
        decoded = [decode(line) for line in lines.split(b"\n")]
        return [text for text, _ in decoded], np.array([replaced for _, replaced in decoded], np.int64)
    return stretches, np.zeros(len(stretches), np.int64)


def _add_words(words: WordTable, found: list[list[str]], counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Count the words in the table, each as often as `counts` says; return their ids, SENTENCE_END among them."""
    if len(counts) == 0:
        return np.empty(0, np.int32)
    text = np.frombuffer("\n".join(chain.from_iterable(found)).encode(), np.uint8)  # no word holds a line feed
    is_line_feed = text == ord("\n")
    lengths = np.diff(np.flatnonzero(is_line_feed), prepend=-1, append=len(text)) - 1
    is_word = lengths > 0
    ids = np.full(len(lengths), SENTENCE_END, np.int32)
    offsets = np.concatenate(([0], np.cumsum(lengths[is_word])))
    ids[is_word] = words.add_words(text[~is_line_feed], offsets, counts[is_word])
    return ids
