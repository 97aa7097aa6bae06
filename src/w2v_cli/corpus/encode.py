"""A text → the marks of its words, on any number of threads, with what the marks mean (docs/adr/0010)."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.encode_numba import MarkedPiece, Rules
from w2v_cli.corpus.marks import EncodedChunk, Segment
from w2v_cli.corpus.reader import Piece, TextReader
from w2v_cli.corpus.resolving import translate_marks
from w2v_cli.corpus.runs import DeferredSplitter
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.system.prefetch import prefetch_calls, prefetch_items

_PIECES_AHEAD = 2  # for each thread
_TEXTS_AHEAD = 2
MOST_RUNS, MOST_RUN_BYTES = 1 << 20, 1 << 25  # different ones that are held at a time
_BYTES_PER_WORD = 64  # of the words held, on average; so long are only those that are no words


def mark_text(
    reader: TextReader,
    config: CorpusSettings,
    threads: int,
    beside: Path | None,
    on_piece: Callable[[], object] = lambda: None,
) -> EncodedChunk:
    """Return the marks of the text, which is read once; the same ones on any number of threads.

    Whenever more than max_vocab different words have been seen, the rarer half is forgotten. on_piece: called after
    every megabyte or so.
    """
    gatherer = _Gatherer(config, beside)
    with contextlib.closing(_iterate_marked(reader, config, threads, gatherer)) as pieces:
        for piece in pieces:
            gatherer.add(piece)
            on_piece()
    return gatherer.finish()


def _iterate_marked(
    reader: TextReader, config: CorpusSettings, threads: int, gatherer: "_Gatherer"
) -> Generator[MarkedPiece]:
    """Yield the marks of each piece, in the order of the text; what `gatherer` has done with is filled again."""
    rules = Rules.of(config)

    def mark(piece: Piece) -> MarkedPiece:
        try:
            marked = gatherer.idle.get_nowait()
        except Empty:
            marked = MarkedPiece()
        marked.mark(piece, rules)
        return marked

    with contextlib.closing(prefetch_items(reader.iterate_pieces(), ahead=_TEXTS_AHEAD)) as pieces:
        calls: Iterator[Callable[[], MarkedPiece]] = (partial(mark, piece) for piece in pieces)
        yield from prefetch_calls(calls, threads=threads, ahead=_PIECES_AHEAD * threads)


class _Gatherer:
    """Joins the pieces of a text, in their order: their tables become one, and their ids those of that one."""

    def __init__(self, config: CorpusSettings, beside: Path | None) -> None:
        self.idle: SimpleQueue[MarkedPiece] = SimpleQueue()
        self._config = config
        self._runs = WordTable()
        self._splitter = DeferredSplitter(config)
        self._begun_marks = 0  # of the segment
        self._marked = EncodedChunk.empty(beside)

    def add(self, piece: MarkedPiece) -> None:
        """Take in a piece, and give back what held it."""
        marked = self._marked
        word_ids, run_ids = marked.words.add_table(piece.words), self._runs.add_table(piece.runs)
        translate_marks(piece.marks, word_ids, run_ids)
        self._begun_marks += marked.marks.write(piece.marks)
        marked.lines += piece.lines
        marked.blank_lines += piece.blank_lines
        marked.long_tokens += piece.long_tokens
        marked.long_bytes += piece.long_bytes
        self.idle.put(piece)
        if (
            len(self._runs) > MOST_RUNS
            or self._runs.text_bytes > MOST_RUN_BYTES
            or is_full(self._marked.words, self._config)
        ):
            self._end_segment()

    def finish(self) -> EncodedChunk:
        """Return everything."""
        self._end_segment()
        return self._marked

    def _end_segment(self) -> None:
        """Take the runs apart, and forget rare words where there are too many."""
        marked = self._marked
        first_offset, first_word = marked.run_offsets.size, marked.run_words.size
        marked.invalid_characters += self._splitter.split(
            self._runs, marked.words, marked.run_offsets, marked.run_words
        )
        marked.segments.append(
            Segment(
                self._begun_marks,
                len(marked.generations),
                slice(first_offset, marked.run_offsets.size),
                slice(first_word, marked.run_words.size),
            )
        )
        self._runs, self._begun_marks = WordTable(), 0
        if is_full(marked.words, self._config):
            self._forget_rare_words()

    def _forget_rare_words(self) -> None:
        marked, counts = self._marked, self._marked.words.counts
        kept, ids, at_least = forget_rare(marked.words, self._config)
        first = marked.next_ids.size
        marked.next_ids.write(ids)
        marked.generations.append(slice(first, marked.next_ids.size))
        marked.lost_words += len(counts) - len(kept)
        marked.lost_occurrences += int(counts.sum() - kept.counts.sum())
        marked.pruned_below = max(marked.pruned_below, at_least)
        marked.words = kept


def is_full(words: WordTable, config: CorpusSettings) -> bool:
    """Return whether there are more words than max_vocab wants to hold."""
    return len(words) > config.max_vocab or words.text_bytes > _BYTES_PER_WORD * config.max_vocab


def forget_rare(words: WordTable, config: CorpusSettings) -> tuple[WordTable, NDArray[np.int32], int]:
    """Return the more frequent half of the words, the id there of each word (-1: none), and the least count there."""
    counts, kept = words.counts, WordTable()
    at_least = _least_count(counts, min(config.max_vocab, len(counts)) // 2)
    return kept, kept.add_table(words, at_least=at_least), at_least


def _least_count(counts: NDArray[np.int64], wanted: int) -> int:
    """Return the count that at most `wanted` words reach."""
    if len(counts) <= wanted:
        return 0
    return int(np.partition(counts, len(counts) - wanted - 1)[len(counts) - wanted - 1]) + 1
