"""A corpus → counts and int32 word ids: marks in one pass over the bytes, final ids in one pass over the marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.encode import mark_text
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.corpus.marks import EncodedChunk
from w2v_cli.corpus.reader import TextReader
from w2v_cli.corpus.report import ScanReport
from w2v_cli.corpus.resolving import CodeTable, resolve_marks
from w2v_cli.corpus.scan_warnings import MarkedText, ReadText, find_warnings, hint_of_nothing
from w2v_cli.corpus.sources import Source, known_bytes
from w2v_cli.corpus.vocabulary import Vocabulary, build_vocabulary
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.errors import CorpusError
from w2v_cli.system.disk_array import DiskArray

_MARKS_AT_ONCE = 1 << 20

OnRead = Callable[[int, int | None], object]  # so many bytes are read, of so many; None where nobody knows it


@dataclass(frozen=True)
class ScannedCorpus:
    """What a scan found in a corpus, wherever its words are counted.

    Attributes:
        vocabulary: the words kept for training.
        sha256: the fingerprint of the decompressed files, in hexadecimal.
        warnings: a line for each problem in the text that its owner should know about.
        report: how much was read, and how much was dropped.
    """

    vocabulary: Vocabulary
    sha256: str
    warnings: tuple[str, ...]
    report: ScanReport

    @property
    def distinct_words(self) -> int:
        """The number of different words found, dropped ones included."""
        return len(self.vocabulary) + self.report.rare_words + self.report.forgotten_words


class ScanResult(NamedTuple):
    """A scanned corpus and its text as word ids."""

    corpus: ScannedCorpus
    text: EncodedText


def scan(
    text: Path | Sequence[Source],
    config: CorpusSettings,
    *,
    threads: int = 1,
    beside: Path | None = None,
    on_read: OnRead = lambda _done, _total: None,
) -> ScanResult:
    """Count and encode a text file, or several sources as one text, then drop the words under `config.min_count`.

    Each is read once. The result does not depend on the number of threads. beside: the output whose folder takes the
    files of ids; None: the system's for temporary files. on_read: hears of the bytes read, packed. Raises CorpusError
    where the text cannot be read or holds too few words.
    """
    reader = TextReader((Source(str(text)),) if isinstance(text, Path) else text, config)
    total = known_bytes(reader.sources)
    marked = mark_text(reader, config, threads, beside, lambda: on_read(reader.read_bytes, total))
    end_of_line = add_end_of_line(marked.words, marked.lines, config)
    vocabulary, final_ids = choose_words(marked.words, reader, marked, config)
    word_ids, offsets = _resolve(marked, config, final_ids, end_of_line, beside)
    found_words = int(marked.words.counts.sum()) + marked.lost_occurrences
    report = ScanReport(
        files=reader.files,
        size_bytes=reader.size_bytes,
        words=found_words,
        sentences=len(offsets) - 1,
        rare_words=len(marked.words) - len(vocabulary),
        rare_occurrences=found_words - marked.lost_occurrences - vocabulary.kept_words,
        forgotten_words=marked.lost_words,
        forgotten_occurrences=marked.lost_occurrences,
        long_tokens=marked.long_tokens,
        long_bytes=marked.long_bytes + reader.cut_bytes,
        invalid_characters=marked.invalid_characters,
        blank_lines=marked.blank_lines,
        nul_bytes=sum(nuls for nuls, _ in reader.nuls_in.values()),
        other_files=len(reader.other_data),
    )
    corpus = ScannedCorpus(vocabulary, reader.sha256, find_warnings(reader, marked, config), report)
    return ScanResult(corpus, EncodedText(word_ids, offsets, vocabulary.counts))


def encode(
    sources: Sequence[Source], config: CorpusSettings, known: WordTable
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return word_ids and sentence_offsets of some sources, as EncodedText has them, by the ids of known words.

    Raises CorpusError where the text cannot be read.
    """
    marked = mark_text(TextReader(sources, config), config, threads=1, beside=None)
    end_of_line = add_end_of_line(marked.words, marked.lines, config)
    return _resolve(marked, config, known.find_table(marked.words), end_of_line, beside=None)


def add_end_of_line(words: WordTable, lines: int, config: CorpusSettings) -> int:
    """Count the word that ends each line, if there is to be one; return its id or -1."""
    if config.end_of_line is None or lines == 0:
        return -1
    word = np.frombuffer(config.end_of_line.encode(), np.uint8)
    return int(words.add_words(word, np.array([0, len(word)]), np.array([lines]))[0])


def choose_words(
    found: WordTable, reader: ReadText, marked: MarkedText, config: CorpusSettings
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Return the vocabulary, and the final id of each word that was found, -1 where it is dropped.

    Raises CorpusError where too few are left.
    """
    counts = found.counts
    chosen = np.flatnonzero(counts >= config.min_count)
    if len(chosen) < 2:  # noqa: PLR2004  too few: the message tells of the others
        chosen = np.arange(len(counts))
    words = [word.decode() for word in found.words(chosen)]
    by_word = dict(zip(words, chosen.tolist(), strict=True))
    try:
        vocabulary = build_vocabulary({word: int(counts[i]) for word, i in by_word.items()}, min_count=config.min_count)
    except CorpusError as error:
        raise CorpusError(f"{error.message}{hint_of_nothing(reader, marked, config)}") from None
    final_ids = np.full(len(counts), -1, np.int32)
    final_ids[[by_word[word] for word in vocabulary.words]] = np.arange(len(vocabulary), dtype=np.int32)
    return vocabulary, final_ids


def _resolve(
    marked: EncodedChunk, config: CorpusSettings, final_ids: NDArray[np.int32], end_of_line: int, beside: Path | None
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return word_ids and sentence_offsets."""
    word_ids, offsets = DiskArray(np.int32, beside), DiskArray(np.int64, beside)
    offsets.write(np.zeros(1, np.int64))
    final_end = int(final_ids[end_of_line]) if end_of_line >= 0 else -1
    by_line, by_blank_line = config.sentences == "line", config.sentences in {"paragraph", "punctuation"}
    last_offset = 0
    for marks, final_words, run_offsets, run_words in marked.iterate_segments(final_ids):
        meaning = CodeTable(final_words, run_offsets, run_words, final_end, by_line, by_blank_line)
        for begin in range(0, len(marks), _MARKS_AT_ONCE):
            some = marks[begin : begin + _MARKS_AT_ONCE]
            found, ends = resolve_marks(some, meaning, word_ids.size, last_offset)
            word_ids.write(found)
            offsets.write(ends)
            last_offset = int(ends[-1]) if len(ends) else last_offset
    if last_offset < word_ids.size:
        offsets.write(np.array([word_ids.size]))
    return word_ids.read(), offsets.read()
