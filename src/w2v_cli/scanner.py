"""A corpus file → counts and int32 word ids: marks in one pass over the bytes, final ids in one pass over the marks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus import TextReader
from w2v_cli.encoding import NEWLINE, Meaning, resolve_marks
from w2v_cli.marking import Marked, Store, Tables, mark_text, mark_text_pruning
from w2v_cli.settings import CorpusSettings
from w2v_cli.vocabulary import Vocabulary, build_vocabulary

_MARKS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class ScannedCorpus:
    """A corpus as training needs it, and what the scan found.

    word_ids: (N,) int32, the kept words in order, N the number of kept occurrences; sentence_offsets: (S + 1,) int64,
    where each sentence starts in `word_ids`, N last; no sentence is empty. Both lie in files without a name, so that
    memory does not bound them. corpus_words: occurrences before min_count.
    """

    vocabulary: Vocabulary
    word_ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    corpus_words: int
    distinct_words: int
    size_bytes: int
    sha256: str
    warnings: tuple[str, ...]


def scan(path: Path, config: CorpusSettings, *, threads: int = 1, folder: Path | None = None) -> ScannedCorpus:
    """Count and encode the text at `path`, then drop the words under `config.min_count`.

    The result does not depend on the number of threads. folder: for the files of ids; None: the system's for temporary
    files. Raises CorpusError where the text cannot be read or holds too few words.
    """
    reader = _reader(path, config)
    marked = mark_text(reader, config, threads, folder)
    if marked is None:
        reader = _reader(path, config)
        marked = mark_text_pruning(reader, config, folder)
    end_of_line, lines, words = -1, 0, len(marked.words)
    if config.end_of_line is not None:
        lines = sum(int((marks == NEWLINE).sum()) for _, marks in _iterate_marks(marked)) + reader.has_open_line
    if config.end_of_line is not None and lines:
        word = np.frombuffer(config.end_of_line.encode(), np.uint8)
        end_of_line = int(marked.words.add_words(word, np.array([0, len(word)]), np.array([lines]))[0])
    vocabulary, final_ids = _choose_words(marked, config.min_count)
    word_ids, offsets = _resolve(marked, reader, config, final_ids, end_of_line, folder)
    return ScannedCorpus(
        vocabulary=vocabulary,
        word_ids=word_ids,
        sentence_offsets=offsets,
        corpus_words=marked.corpus_words + lines,
        distinct_words=marked.distinct_words + len(marked.words) - words,
        size_bytes=reader.size_bytes,
        sha256=reader.sha256,
        warnings=_warnings(reader, marked, config),
    )


def _reader(path: Path, config: CorpusSettings) -> TextReader:
    return TextReader(path, strict_utf8=config.invalid_utf8 == "strict")


def _iterate_marks(marked: Marked) -> Iterator[tuple[Tables, NDArray[np.int32]]]:
    """Yield the marks, at most a million at a time, with their tables."""
    marks, first = marked.store.read(), 0
    for tables, count in marked.pieces:
        for begin in range(first, first + count, _MARKS_AT_ONCE):
            yield tables, marks[begin : min(begin + _MARKS_AT_ONCE, first + count)]
        first += count


def _choose_words(marked: Marked, min_count: int) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Return the vocabulary, and the final id of each word, -1 where it is dropped."""
    counts = marked.words.counts
    chosen = np.flatnonzero(counts >= min_count)
    if len(chosen) < 2:  # noqa: PLR2004  too few: the message tells of the others
        chosen = np.arange(len(counts))
    by_word = {marked.words.word(word_id).decode(): word_id for word_id in chosen.tolist()}
    vocabulary = build_vocabulary({word: int(counts[i]) for word, i in by_word.items()}, min_count=min_count)
    final_ids = np.full(len(counts), -1, np.int32)
    final_ids[[by_word[word] for word in vocabulary.words]] = np.arange(len(vocabulary), dtype=np.int32)
    return vocabulary, final_ids


def _resolve(
    marked: Marked,
    reader: TextReader,
    config: CorpusSettings,
    final_ids: NDArray[np.int32],
    end_of_line: int,
    folder: Path | None,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return word_ids and sentence_offsets."""
    word_ids, offsets = Store(np.int32, folder), Store(np.int64, folder)
    offsets.write(np.zeros(1, np.int64))
    final_end = int(final_ids[end_of_line]) if end_of_line >= 0 else -1
    tables, meaning, last_offset = None, None, 0
    final_ids = np.append(final_ids, np.int32(-1))
    by_line = config.sentences == "line"
    open_end = [(marked.pieces[-1][0], np.array([NEWLINE], np.int32))] if reader.has_open_line else []
    for used, marks in (*_iterate_marks(marked), *open_end):
        if used is not tables or meaning is None:
            tables = used
            meaning = Meaning(final_ids[used.word_ids], used.run_offsets, final_ids[used.run_words], final_end, by_line)
        found, ends = resolve_marks(marks, meaning, word_ids.size, last_offset)
        word_ids.write(found)
        offsets.write(ends)
        last_offset = int(ends[-1]) if len(ends) else last_offset
    if last_offset < word_ids.size:
        offsets.write(np.array([word_ids.size]))
    return word_ids.read(), offsets.read()


def _warnings(reader: TextReader, marked: Marked, config: CorpusSettings) -> tuple[str, ...]:
    """Return a line for each thing in the text that its owner would want to know before training on it."""
    warnings = []
    if marked.invalid_characters:
        warnings.append(
            f"{reader.path} is not UTF-8 in {marked.invalid_characters:,} places, each read as U+FFFD; "
            f"--set corpus.invalid_utf8=strict stops there instead."
        )
    if config.tokens == "words" and reader.treebank_marks:
        warnings.append(
            f"{reader.path} holds {' and '.join(reader.treebank_marks)} as the Penn Treebank does, and tokens: words "
            f"takes their brackets away; --set corpus.tokens=whitespace keeps them."
        )
    if marked.pruned_below:
        warnings.append(
            f"{reader.path} has more than {config.max_vocab:,} different words: rare ones (up to "
            f"{marked.pruned_below - 1:,} times so far) were forgotten on the way; --set corpus.max_vocab holds more."
        )
    return tuple(warnings)
