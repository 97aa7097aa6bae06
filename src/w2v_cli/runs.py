"""Runs, the stretches that compiled code leaves to Python, → their words, each different run once."""

import numpy as np
from numpy.typing import NDArray

from w2v_cli.encoding import SENTENCE_END
from w2v_cli.settings import CorpusSettings
from w2v_cli.stores import Store
from w2v_cli.tokens import SENTENCE_END as END
from w2v_cli.tokens import decode, pattern_guard, splitter_for
from w2v_cli.word_table import WordTable

_RUNS_AT_ONCE = 4096


class RunSplitter:
    """Takes runs apart as the settings say."""

    def __init__(self, config: CorpusSettings) -> None:
        self._config = config
        self._split_words = splitter_for(config)

    def split(self, runs: WordTable, words: WordTable, run_offsets: Store, run_words: Store) -> int:
        """Add the words of the runs to `words`; return how many places were no UTF-8.

        run_offsets, run_words: receive, for these runs, where each begins among their words and the last ends, and the
        words' ids or SENTENCE_END. Raises ConfigError where a pattern takes for ever.
        """
        counts = runs.counts
        run_offsets.write(np.zeros(1, np.int64))
        invalid = before = 0
        for begin in range(0, len(runs), _RUNS_AT_ONCE):
            some_counts = counts[begin : begin + _RUNS_AT_ONCE]
            found, replaced = self._find_words(runs.words(np.arange(begin, begin + len(some_counts))))
            invalid += int(replaced @ some_counts)
            sizes = np.array([len(of_run) for of_run in found], np.int64)
            run_offsets.write(before + np.cumsum(sizes))
            before += run_words.write(_add_words(words, found, np.repeat(some_counts, sizes)))
        return invalid

    def _find_words(self, stretches: list[bytes]) -> tuple[list[list[str]], NDArray[np.int64]]:
        """Return the words of each stretch, and in how many places it was no UTF-8."""
        decoded = [decode(stretch) for stretch in stretches]
        with pattern_guard(self._config):
            found = [self._split_words(stretch) for stretch, _ in decoded]
        return found, np.array([replaced for _, replaced in decoded], np.int64)


def _add_words(words: WordTable, found: list[list[str]], counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Count the words in the table, each as often as `counts` says; return their ids, SENTENCE_END among them."""
    encoded = [word.encode() for of_run in found for word in of_run]
    is_word = np.array([word != END for of_run in found for word in of_run], np.bool_)
    lengths = np.array([len(word) for word in encoded], np.int64)[is_word]
    text = np.frombuffer(b"".join(encoded), np.uint8)
    ids = np.full(len(encoded), SENTENCE_END, np.int32)
    ids[is_word] = words.add_words(text, np.concatenate(([0], np.cumsum(lengths))), counts[is_word])
    return ids
