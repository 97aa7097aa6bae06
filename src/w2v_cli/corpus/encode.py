"""The encoding of a text as token codes, on any number of threads, with their meaning (docs/adr/0010).

Compiled code encodes the chunks of the text (`encode_numba`); their words are gathered in one table, in the order of
the text. Codes stay in a file, since a word's final id is known only when the whole text has been counted.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.chunks import Chunk
from w2v_cli.corpus.encode_numba import SENTENCE_END, Rules, encode_chunk, follow_ids, translate_codes
from w2v_cli.corpus.reader import TextReader
from w2v_cli.corpus.report import TextCounts
from w2v_cli.corpus.tokenizer import decode, pattern_guard, splitter_for
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.system.disk_array import DiskArray
from w2v_cli.system.prefetch import prefetch_calls, prefetch_items

_CHUNKS_AHEAD = 2  # for each thread
_TEXTS_AHEAD = 2
MOST_DEFERRED, MOST_DEFERRED_BYTES = 1 << 20, 1 << 25  # different stretches that are held at a time
_SPLIT_AT_ONCE = 4096  # stretches
_BYTES_PER_WORD = 64  # of the words held, on average; longer ones are hardly words


class Segment(NamedTuple):
    """A part of the text in which a code stands for the same thing everywhere.

    Attributes:
        codes: their number.
        generation: of the word ids, which change whenever rare words are forgotten.
        deferred_offsets: its part of TextCodes.deferred_offsets.
        deferred_words: its part of TextCodes.deferred_words.
    """

    codes: int
    generation: int
    deferred_offsets: slice
    deferred_words: slice


class ResolvedSegment(NamedTuple):
    """A segment's codes with the arrays that a CodeTable needs to resolve them."""

    codes: NDArray[np.int32]
    final_ids: NDArray[np.int32]
    deferred_offsets: NDArray[np.int64]
    deferred_words: NDArray[np.int32]


@dataclass
class EncodedChunk:
    """A chunk as codes, with the words and the deferred stretches that the codes are ids of; it can be filled again."""

    codes: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    words: WordTable = field(default_factory=WordTable)
    deferred: WordTable = field(default_factory=WordTable)
    counts: TextCounts = field(default_factory=TextCounts)

    def fill(self, chunk: Chunk, rules: Rules) -> None:
        """Encode a chunk, forgetting the one before."""
        self.words.clear()
        self.deferred.clear()
        self.codes, self.counts = encode_chunk(chunk, rules, self.words, self.deferred)


@dataclass
class TextCodes:
    """The codes of a text, one after the other, and what they stand for in each of the `segments`.

    Attributes:
        codes: int32.
        deferred_offsets: int64, of each segment, one after the other: the words of stretch i are
            deferred_words[deferred_offsets[i] : deferred_offsets[i + 1]].
        deferred_words: int32, of each segment: ids in the segment's generation, or SENTENCE_END.
        next_ids: int32, of each generation but the last: the id of each of its words in the next one, -1 if it was
            forgotten.
        segments: the parts of the text.
        generations: the part of `next_ids` of each generation but the last.
        words: the words of the last generation, with their counts.
        counts: what else was counted in the text.
    """

    codes: DiskArray
    deferred_offsets: DiskArray
    deferred_words: DiskArray
    next_ids: DiskArray
    segments: list[Segment] = field(default_factory=list)
    generations: list[slice] = field(default_factory=list)
    words: WordTable = field(default_factory=WordTable)
    counts: TextCounts = field(default_factory=TextCounts)

    @classmethod
    def empty(cls, beside: Path | None) -> "TextCodes":
        """Return the codes of an empty text; beside: as for DiskArray."""
        return cls(
            DiskArray(np.int32, beside),
            DiskArray(np.int64, beside),
            DiskArray(np.int32, beside),
            DiskArray(np.int32, beside),
        )

    def iterate_segments(self, final_ids: NDArray[np.int32]) -> Iterator[ResolvedSegment]:
        """Yield each segment with the final ids of its words. This can be done once: it overwrites the arrays.

        Args:
            final_ids: (words,), the final id of each word of the last generation, -1 if it is dropped.
        """
        codes, deferred_offsets = self.codes.read(), self.deferred_offsets.read()
        deferred_words, next_ids = self.deferred_words.read(), self.next_ids.read()
        final_ids_by_generation = [final_ids]
        for generation in reversed(self.generations):  # in place, as below: in their file, not in memory
            follow_ids(next_ids[generation], final_ids_by_generation[-1], next_ids[generation])
            final_ids_by_generation.append(next_ids[generation])
        first = 0
        for segment in self.segments:
            of_generation = final_ids_by_generation[len(self.generations) - segment.generation]
            of_deferred = deferred_words[segment.deferred_words]
            follow_ids(of_deferred, of_generation, of_deferred)
            yield ResolvedSegment(
                codes[first : first + segment.codes],
                of_generation,
                deferred_offsets[segment.deferred_offsets],
                of_deferred,
            )
            first += segment.codes


def encode_text(
    reader: TextReader,
    config: CorpusSettings,
    threads: int,
    beside: Path | None,
    on_chunk: Callable[[], object] = lambda: None,
) -> TextCodes:
    """Read a text once and return its codes, the same ones on any number of threads.

    Whenever more than max_vocab different words have been seen, the rarer half is forgotten.

    Args:
        reader: the text.
        config: how to read it.
        threads: how many threads encode.
        beside: the output whose folder takes the files of codes; None: the folder for temporary files.
        on_chunk: called after every megabyte or so.

    Raises:
        CorpusError, DownloadError: the text cannot be read.
        ConfigError: a token pattern takes too long.
    """
    gatherer = _Gatherer(config, beside)
    with contextlib.closing(_iterate_encoded(reader, config, threads, gatherer)) as chunks:
        for chunk in chunks:
            gatherer.add(chunk)
            on_chunk()
    text = gatherer.finish()
    reader.counts += text.counts
    text.counts = reader.counts
    return text


def _iterate_encoded(
    reader: TextReader, config: CorpusSettings, threads: int, gatherer: "_Gatherer"
) -> Generator[EncodedChunk]:
    """Yield each chunk encoded, in the order of the text; chunks that `gatherer` has added are filled again."""
    rules = Rules.of(config)

    def encode(chunk: Chunk) -> EncodedChunk:
        try:
            encoded = gatherer.idle.get_nowait()
        except Empty:
            encoded = EncodedChunk()
        encoded.fill(chunk, rules)
        return encoded

    with contextlib.closing(prefetch_items(reader.iterate_chunks(), ahead=_TEXTS_AHEAD)) as chunks:
        calls: Iterator[Callable[[], EncodedChunk]] = (partial(encode, chunk) for chunk in chunks)
        yield from prefetch_calls(calls, threads=threads, ahead=_CHUNKS_AHEAD * threads)


class _Gatherer:
    """Joins the chunks of a text, in their order: their tables become one, and their codes ids in that one."""

    def __init__(self, config: CorpusSettings, beside: Path | None) -> None:
        self.idle: SimpleQueue[EncodedChunk] = SimpleQueue()
        self._config = config
        self._deferred = WordTable()
        self._splitter = DeferredSplitter(config)
        self._begun_codes = 0  # of the segment
        self._text = TextCodes.empty(beside)

    def add(self, chunk: EncodedChunk) -> None:
        """Add a chunk, which may be filled again afterwards."""
        text = self._text
        word_ids, deferred_ids = text.words.add_table(chunk.words), self._deferred.add_table(chunk.deferred)
        translate_codes(chunk.codes, word_ids, deferred_ids)
        self._begun_codes += text.codes.write(chunk.codes)
        text.counts += chunk.counts
        self.idle.put(chunk)
        if (
            len(self._deferred) > MOST_DEFERRED
            or self._deferred.text_bytes > MOST_DEFERRED_BYTES
            or is_full(text.words, self._config)
        ):
            self._end_segment()

    def finish(self) -> TextCodes:
        """Return the codes of all chunks."""
        self._end_segment()
        return self._text

    def _end_segment(self) -> None:
        """Split the deferred stretches, and forget rare words if there are too many."""
        text = self._text
        first_offset, first_word = text.deferred_offsets.size, text.deferred_words.size
        text.counts.invalid_characters += self._splitter.split(
            self._deferred, text.words, text.deferred_offsets, text.deferred_words
        )
        text.segments.append(
            Segment(
                self._begun_codes,
                len(text.generations),
                slice(first_offset, text.deferred_offsets.size),
                slice(first_word, text.deferred_words.size),
            )
        )
        self._deferred, self._begun_codes = WordTable(), 0
        if is_full(text.words, self._config):
            text.words, next_ids = forget_rare_words(text.words, self._config, text.counts)
            first = text.next_ids.size
            text.next_ids.write(next_ids)
            text.generations.append(slice(first, text.next_ids.size))


def is_full(words: WordTable, config: CorpusSettings) -> bool:
    """Return whether there are more words, or longer ones, than max_vocab allows."""
    return len(words) > config.max_vocab or words.text_bytes > _BYTES_PER_WORD * config.max_vocab


def forget_rare_words(
    words: WordTable, config: CorpusSettings, text_counts: TextCounts
) -> tuple[WordTable, NDArray[np.int32]]:
    """Return the more frequent half of the words, and the id there of each word, -1 if it was forgotten.

    Args:
        words: the words, which stay as they are.
        config: says how many words may be held.
        text_counts: receives the loss.
    """
    counts, kept = words.counts, WordTable()
    at_least = _least_count(counts, min(config.max_vocab, len(counts)) // 2)
    ids = kept.add_table(words, at_least=at_least)
    text_counts.lost_words += len(counts) - len(kept)
    text_counts.lost_occurrences += int(counts.sum() - kept.counts.sum())
    text_counts.pruned_below = max(text_counts.pruned_below, at_least)
    return kept, ids


def _least_count(counts: NDArray[np.int64], wanted: int) -> int:
    """Return the least count that at most `wanted` words reach."""
    if len(counts) <= wanted:
        return 0
    return int(np.partition(counts, len(counts) - wanted - 1)[len(counts) - wanted - 1]) + 1


class DeferredSplitter:
    """Splits deferred stretches into words, each different stretch once."""

    def __init__(self, config: CorpusSettings) -> None:
        self._config = config
        self._split_words = splitter_for(config)

    def split(self, deferred: WordTable, words: WordTable, offsets: DiskArray, word_ids: DiskArray) -> int:
        """Split stretches and count their words; return the number of places that are not UTF-8.

        Args:
            deferred: the stretches, with how often each occurs.
            words: receives the words.
            offsets: receives where the words of each stretch begin among those of all, and where the last ones end.
            word_ids: receives the ids of the words, SENTENCE_END among them.

        Raises:
            ConfigError: a token pattern takes too long.
        """
        offsets.write(np.zeros(1, np.int64))
        invalid = before = 0
        for begin in range(0, len(deferred), _SPLIT_AT_ONCE):
            end = min(begin + _SPLIT_AT_ONCE, len(deferred))
            counts = deferred.counts[begin:end]
            stretches, replaced = _decode(deferred.joined(begin, end))
            with pattern_guard(self._config):
                found = list(map(self._split_words, stretches))
            invalid += int(replaced @ counts)
            sizes = np.fromiter(map(len, found), np.int64, len(found))
            offsets.write(before + np.cumsum(sizes))
            before += word_ids.write(_add_words(words, found, np.repeat(counts, sizes)))
        return invalid


def _decode(lines: bytes) -> tuple[list[str], NDArray[np.int64]]:
    """Return stretches, one a line, as text, and the number of places in each that are not UTF-8."""
    try:
        stretches = lines.decode().split("\n")
    except UnicodeDecodeError:
        decoded = [decode(line) for line in lines.split(b"\n")]
        return [text for text, _ in decoded], np.array([replaced for _, replaced in decoded], np.int64)
    return stretches, np.zeros(len(stretches), np.int64)


def _add_words(words: WordTable, found: list[list[str]], counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Add counts[i] occurrences of each word found; return the ids of the words, SENTENCE_END among them."""
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
