"""Parts of a text counted apart, and added up in their order: what one pass over the whole text would have found."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.encode import forget_rare, is_full, mark_text
from w2v_cli.corpus.reader import TextReader
from w2v_cli.corpus.sources import Source
from w2v_cli.corpus.word_table import WordTable


@dataclass(frozen=True)
class Tally:
    """What was counted in some parts of a text; it goes from one process to another.

    text, offsets, counts: the words back to back, as WordTable.add_words takes them; digests: the place and the SHA-256
    of each part that held anything. The others: as in Marked and TextReader.
    """

    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    digests: list[tuple[str, bytes]]
    size_bytes: int
    lines: int
    blank_lines: int
    long_tokens: int
    long_bytes: int
    cut_bytes: int
    invalid_characters: int
    lost_words: int
    lost_occurrences: int
    pruned_below: int
    nuls_in: dict[str, tuple[int, int]]
    web_pages: list[str]
    treebank_marks: list[str]


def count_text(sources: Sequence[Source], config: CorpusSettings) -> Tally:
    """Return what there is in some parts of a text; raise CorpusError where they cannot be read."""
    reader = TextReader(sources, config)
    marked = mark_text(reader, config, threads=1, beside=None)
    arrays, words = marked.words.arrays, len(marked.words)
    return Tally(
        text=arrays.text[: marked.words.text_bytes].copy(),
        offsets=arrays.offsets[: words + 1].copy(),
        counts=arrays.counts[:words].copy(),
        digests=reader.digests,
        size_bytes=reader.size_bytes,
        lines=marked.lines,
        blank_lines=marked.blank_lines,
        long_tokens=marked.long_tokens,
        long_bytes=marked.long_bytes,
        cut_bytes=reader.cut_bytes,
        invalid_characters=marked.invalid_characters,
        lost_words=marked.lost_words,
        lost_occurrences=marked.lost_occurrences,
        pruned_below=marked.pruned_below,
        nuls_in=reader.nuls_in,
        web_pages=reader.web_pages,
        treebank_marks=reader.treebank_marks,
    )


@dataclass
class TallySum:
    """Tallies added up; whenever more than max_vocab different words have been seen, the rarer half is forgotten.

    label: what messages call the text; other_data: files that are no text.
    """

    config: CorpusSettings
    label: str
    other_data: list[str]
    words: WordTable = field(default_factory=WordTable)
    digests: list[tuple[str, bytes]] = field(default_factory=list)
    size_bytes: int = 0
    lines: int = 0
    blank_lines: int = 0
    long_tokens: int = 0
    long_bytes: int = 0
    cut_bytes: int = 0
    invalid_characters: int = 0
    lost_words: int = 0
    lost_occurrences: int = 0
    pruned_below: int = 0
    nuls_in: dict[str, tuple[int, int]] = field(default_factory=dict)
    web_pages: list[str] = field(default_factory=list)
    treebank_marks: list[str] = field(default_factory=list)

    def add(self, tally: Tally) -> None:
        """Add the tally of the parts that come next in the text."""
        self.words.add_words(tally.text, tally.offsets, tally.counts)
        for name in ("size_bytes", "lines", "blank_lines", "long_tokens", "long_bytes", "cut_bytes"):
            setattr(self, name, getattr(self, name) + getattr(tally, name))
        for name in ("invalid_characters", "lost_words", "lost_occurrences"):
            setattr(self, name, getattr(self, name) + getattr(tally, name))
        self.pruned_below = max(self.pruned_below, tally.pruned_below)
        self.digests += tally.digests
        self.web_pages += tally.web_pages
        self.treebank_marks = sorted({*self.treebank_marks, *tally.treebank_marks})
        for label, (nuls, size) in tally.nuls_in.items():
            last, before = next(reversed(self.nuls_in), label), self.nuls_in.get(label, (0, 0))
            if last != label and self.nuls_in[last][0] == 0:  # that file has come to its end without any
                del self.nuls_in[last]
            self.nuls_in[label] = (before[0] + nuls, before[1] + size)
        if is_full(self.words, self.config):
            self._forget_rare_words()

    def _forget_rare_words(self) -> None:
        counts = self.words.counts
        kept, _, at_least = forget_rare(self.words, self.config)
        self.lost_words += len(counts) - len(kept)
        self.lost_occurrences += int(counts.sum() - kept.counts.sum())
        self.pruned_below = max(self.pruned_below, at_least)
        self.words = kept
