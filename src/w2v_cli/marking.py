"""A text → the marks of its words, on any number of threads, with the tables that say what they mean."""

import contextlib
import tempfile
import weakref
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.ahead import run_ahead
from w2v_cli.corpus import ProseSplitter, SplitWords, TextReader, decode, split_whitespace
from w2v_cli.encoding import mark_piece
from w2v_cli.settings import CorpusSettings
from w2v_cli.storage import disk_errors
from w2v_cli.word_table import WordTable

_PIECES_AHEAD = 2  # for each thread


@dataclass
class Tables:
    """What one thread counts in, and afterwards what the ids in it mean among all words.

    word_ids: of each word, its id among all or -1; run_offsets, run_words: as in Meaning, with ids among all.
    """

    words: WordTable = field(default_factory=WordTable)
    runs: WordTable = field(default_factory=WordTable)
    word_ids: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    run_offsets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    run_words: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def split_runs(self, split_words: SplitWords) -> int:
        """Add the words of the runs to the words; return the number of places that were no UTF-8."""
        text, counts, sizes, invalid = bytearray(), [], [], 0
        for run, count in zip(self.runs.iterate_words(), self.runs.counts.tolist(), strict=True):
            decoded, replaced = decode(run)
            found = [word.encode() for word in split_words(decoded)]
            invalid += replaced * count
            text += b"".join(found)
            sizes.append([len(word) for word in found])
            counts += [count] * len(found)
        lengths = [length for of_run in sizes for length in of_run]
        offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        in_own = self.words.add_words(np.frombuffer(bytes(text), np.uint8), offsets, np.array(counts, np.int64))
        self.run_offsets = np.concatenate(([0], np.cumsum([len(of_run) for of_run in sizes], dtype=np.int64)))
        self.run_words, self.runs = in_own, WordTable()
        return invalid

    def join(self, everything: WordTable, *, at_least: int = 0) -> None:
        """Add the words that occur `at_least` times to those of all, and forget them here."""
        self.word_ids = everything.add_table(self.words, at_least=at_least)
        self.run_words, self.words = self.word_ids[self.run_words], WordTable()

    def follow(self, next_ids: NDArray[np.int32]) -> None:
        """Exchange the ids among all for what became of them; -1 stays."""
        self.word_ids = _followed(self.word_ids, next_ids)
        self.run_words = _followed(self.run_words, next_ids)


class Store:
    """An array that grows in a file without a name: it is gone when nobody uses it."""

    def __init__(self, dtype: type[np.generic], folder: Path | None) -> None:
        self._dtype = dtype
        self._folder = folder or Path(tempfile.gettempdir())
        with disk_errors(self._folder):
            self._file: Any = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  lives as long as the array
        weakref.finalize(self, self._file.close)
        self.size = 0

    def write(self, items: NDArray[Any]) -> int:
        """Add items at the end; return their number. Raises StorageError where the disk is full."""
        with disk_errors(self._folder):
            self._file.write(items.astype(self._dtype, copy=False).data)
        self.size += len(items)
        return len(items)

    def read(self) -> NDArray[Any]:
        """Return all items, mapped from the file; they may be changed."""
        with disk_errors(self._folder):
            self._file.flush()
        if self.size == 0:
            return np.empty(0, self._dtype)
        return np.asarray(np.memmap(self._file, self._dtype, mode="r+", shape=(self.size,)))


@dataclass
class Marked:
    """The marks of a whole text: those of each piece lie one after the other in `store`.

    pieces: for each its tables and the number of its marks; words: all words that were not pruned, with their counts;
    corpus_words, distinct_words: pruned ones included; pruned_below: words that occurred less often when the table was
    full were forgotten, 0: none.
    """

    store: Store
    pieces: list[tuple[Tables, int]]
    words: WordTable
    corpus_words: int
    distinct_words: int
    invalid_characters: int
    pruned_below: int


def mark_text(reader: TextReader, config: CorpusSettings, threads: int, folder: Path | None) -> Marked | None:
    """Return the marks of the text; None where there are more than max_vocab different words."""
    split_words = _splitter(config)
    store, pieces = Store(np.int32, folder), []
    with contextlib.closing(_iterate_marked(reader, config, threads)) as marked:
        for tables, marks in marked:
            if max(len(tables.words), len(tables.runs)) > config.max_vocab:
                return None
            pieces.append((tables, store.write(marks)))
    everything, invalid = WordTable(), 0
    for tables in _different(pieces):
        invalid += tables.split_runs(split_words)
        tables.join(everything)
        if len(everything) > config.max_vocab:
            return None
    total = int(everything.counts.sum())
    return Marked(store, pieces, everything, total, len(everything), invalid, 0)


def mark_text_pruning(reader: TextReader, config: CorpusSettings, folder: Path | None) -> Marked:
    """Return the marks of the text; whenever there are more than max_vocab different words, forget the rarest.

    On one thread, so that what is forgotten does not depend on the number of threads.
    """
    split_words = _splitter(config)
    store, tables = Store(np.int32, folder), Tables()
    pieces: list[tuple[Tables, int]] = []
    invalid = lost_words = lost_types = pruned_below = 0
    is_prose = config.tokens == "words"
    for piece in reader.iterate_pieces():
        pieces.append((tables, store.write(mark_piece(piece, tables.words, tables.runs, is_prose=is_prose))))
        if max(len(tables.words), len(tables.runs)) > config.max_vocab:
            invalid += tables.split_runs(split_words)
            types, words = len(tables.words), int(tables.words.counts.sum())
            at_least = _least_count(tables.words.counts, config.max_vocab // 2)
            pruned_below, kept = max(pruned_below, at_least), WordTable()
            tables.join(kept, at_least=at_least)
            lost_types, lost_words = lost_types + types - len(kept), lost_words + words - int(kept.counts.sum())
            tables = Tables(words=kept)
    everything = WordTable()
    if not pieces or pieces[-1][0] is not tables:
        pieces.append((tables, 0))
    invalid += tables.split_runs(split_words)
    tables.join(everything)
    following = tables
    for earlier in reversed(_different(pieces)[:-1]):
        earlier.follow(following.word_ids)
        following = earlier
    total = int(everything.counts.sum()) + lost_words
    distinct = len(everything) + lost_types
    return Marked(store, pieces, everything, total, distinct, invalid, pruned_below)


def _iterate_marked(
    reader: TextReader, config: CorpusSettings, threads: int
) -> Generator[tuple[Tables, NDArray[np.int32]]]:
    """Yield each piece's tables and marks, in the order of the text; a thread takes tables that no other uses now."""
    idle: SimpleQueue[Tables] = SimpleQueue()
    for _ in range(threads):
        idle.put(Tables())
    is_prose = config.tokens == "words"

    def mark(piece: bytes) -> tuple[Tables, NDArray[np.int32]]:
        tables = idle.get()
        try:
            return tables, mark_piece(piece, tables.words, tables.runs, is_prose=is_prose)
        finally:
            idle.put(tables)

    calls: Iterator[Callable[[], tuple[Tables, NDArray[np.int32]]]]
    calls = (partial(mark, piece) for piece in reader.iterate_pieces())
    yield from run_ahead(calls, threads=threads, ahead=_PIECES_AHEAD * threads)


def _splitter(config: CorpusSettings) -> SplitWords:
    return ProseSplitter() if config.tokens == "words" else split_whitespace


def _different(pieces: list[tuple[Tables, int]]) -> list[Tables]:
    """Return each of the tables once, in the order of the text."""
    return list({id(tables): tables for tables, _ in pieces}.values())


def _least_count(counts: NDArray[np.int64], wanted: int) -> int:
    """Return the count that at most `wanted` words reach."""
    if len(counts) <= wanted:
        return 0
    return int(np.partition(counts, len(counts) - wanted - 1)[len(counts) - wanted - 1]) + 1


def _followed(ids: NDArray[np.int32], next_ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return next_ids of ids, -1 for -1."""
    return np.where(ids < 0, np.int32(-1), np.append(next_ids, np.int32(-1))[ids])
