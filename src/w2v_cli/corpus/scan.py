"""The scan of a corpus: one pass over its bytes reads and encodes it, one over its codes resolves them into word ids.

The text is read once, since it may come from a pipe; what lies between the passes is in files (docs/adr/0010).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.encode import TextCodes, encode_text
from w2v_cli.corpus.encode_numba import CodeTable, resolve_codes
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.corpus.reader import TextReader, combine_digests
from w2v_cli.corpus.report import ScanReport, TextCounts, explain_few_words, find_warnings
from w2v_cli.corpus.sources import Source, known_bytes, label_of_corpus
from w2v_cli.corpus.vocabulary import Vocabulary, build_vocabulary
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.errors import CorpusError
from w2v_cli.system.disk_array import DiskArray

_CODES_AT_ONCE = 1 << 20

OnRead = Callable[[int, int | None], object]  # bytes read, and bytes in all, None if not known


@dataclass(frozen=True)
class ScannedCorpus:
    """The facts of a scanned corpus, from one machine or a cluster.

    Attributes:
        vocabulary: the words kept for training.
        sha256: the fingerprint of the decompressed files, in hexadecimal.
        warnings: a line for each problem in the text to report.
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
    """A scanned corpus, and its text as word ids."""

    corpus: ScannedCorpus
    text: EncodedText


def scan_corpus(
    text: Path | Sequence[Source],
    config: CorpusSettings,
    *,
    threads: int = 1,
    beside: Path | None = None,
    on_read: OnRead = lambda _done, _total: None,
) -> ScanResult:
    """Count and encode a corpus, dropping the words that occur less often than `config.min_count`.

    Each source is read once. The result does not depend on the number of threads.

    Args:
        text: a text file, or several sources that are read as one text.
        config: how to read it.
        threads: how many threads encode.
        beside: the output whose folder takes the files of ids; None: the folder for temporary files.
        on_read: called with the stored bytes read so far, and all of them.

    Returns:
        What was found, and the text. The arrays of the text lie in files without a name, so that memory does not bound
        them.

    Raises:
        CorpusError: the text cannot be read, or holds too few words.
        DownloadError: a URL cannot be read.
    """
    reader = TextReader((Source(str(text)),) if isinstance(text, Path) else text, config)
    total = known_bytes(reader.sources)
    codes = encode_text(reader, config, threads, beside, lambda: on_read(reader.read_bytes, total))
    end_of_line = add_end_of_line(codes.words, codes.counts.lines, config)
    label = label_of_corpus(reader.sources)
    vocabulary, final_ids = choose_words(codes.words, label, codes.counts, config)
    word_ids, offsets = _resolve(codes, config, final_ids, end_of_line, beside)
    digests = [digest for _, digest in codes.counts.digests]
    corpus = describe_corpus(
        codes.words, vocabulary, label, codes.counts, config, digests=digests, sentences=len(offsets) - 1
    )
    return ScanResult(corpus, EncodedText(word_ids, offsets, vocabulary.counts))


def encode_sources(sources: Sequence[Source], config: CorpusSettings, known: WordTable) -> EncodedText:
    """Return the text of some sources in the ids of known words, as a worker of a cluster needs it for a shard.

    Raises:
        CorpusError, DownloadError: the text cannot be read.
    """
    codes = encode_text(TextReader(sources, config), config, threads=1, beside=None)
    end_of_line = add_end_of_line(codes.words, codes.counts.lines, config)
    word_ids, offsets = _resolve(codes, config, known.find_table(codes.words), end_of_line, beside=None)
    return EncodedText(word_ids, offsets, known.counts)


def add_end_of_line(words: WordTable, lines: int, config: CorpusSettings) -> int:
    """Count the word that ends each line, if the settings name one; return its id or -1."""
    if config.end_of_line is None or lines == 0:
        return -1
    word = np.frombuffer(config.end_of_line.encode(), np.uint8)
    return int(words.add_words(word, np.array([0, len(word)]), np.array([lines]))[0])


def choose_words(
    found: WordTable, label: str, counts: TextCounts, config: CorpusSettings
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Return the vocabulary, and the final id of each word that was found, -1 if it is dropped.

    Raises:
        CorpusError: too few words are left.
    """
    occurrences = found.counts
    chosen = np.flatnonzero(occurrences >= config.min_count)
    if len(chosen) < 2:  # noqa: PLR2004  too few: the message names the most frequent of all
        chosen = np.arange(len(occurrences))
    words = [word.decode() for word in found.words(chosen)]
    by_word = dict(zip(words, chosen.tolist(), strict=True))
    try:
        vocabulary = build_vocabulary(
            {word: int(occurrences[i]) for word, i in by_word.items()}, min_count=config.min_count
        )
    except CorpusError as error:
        raise CorpusError(f"{error.message}{explain_few_words(label, counts, config)}") from None
    final_ids = np.full(len(occurrences), -1, np.int32)
    final_ids[[by_word[word] for word in vocabulary.words]] = np.arange(len(vocabulary), dtype=np.int32)
    return vocabulary, final_ids


def describe_corpus(
    found: WordTable,
    vocabulary: Vocabulary,
    label: str,
    counts: TextCounts,
    config: CorpusSettings,
    *,
    digests: Sequence[bytes],
    sentences: int | None,
) -> ScannedCorpus:
    """Return the facts of a corpus whose words have been counted.

    Args:
        found: the words found, forgotten ones left out.
        vocabulary: the words kept.
        label: the name of the text in messages.
        counts: what else was counted.
        config: how the text was read.
        digests: the SHA-256 of each file that held anything.
        sentences: their number, None if not counted.
    """
    words = int(found.counts.sum())
    report = ScanReport(
        files=len(digests),
        size_bytes=counts.size_bytes,
        words=words + counts.lost_occurrences,
        sentences=sentences,
        rare_words=len(found) - len(vocabulary),
        rare_occurrences=words - vocabulary.kept_words,
        forgotten_words=counts.lost_words,
        forgotten_occurrences=counts.lost_occurrences,
        long_tokens=counts.long_tokens,
        long_bytes=counts.long_bytes,
        invalid_characters=counts.invalid_characters,
        blank_lines=counts.blank_lines,
        nul_bytes=sum(nuls for nuls, _ in counts.nuls_in.values()),
        other_files=len(counts.other_data),
    )
    return ScannedCorpus(vocabulary, combine_digests(digests).hex(), find_warnings(label, counts, config), report)


def _resolve(
    codes: TextCodes, config: CorpusSettings, final_ids: NDArray[np.int32], end_of_line: int, beside: Path | None
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return word_ids and sentence_offsets of an EncodedText."""
    word_ids, offsets = DiskArray(np.int32, beside), DiskArray(np.int64, beside)
    offsets.write(np.zeros(1, np.int64))
    final_end = int(final_ids[end_of_line]) if end_of_line >= 0 else -1
    by_line, by_blank_line = config.sentences == "line", config.sentences in {"paragraph", "punctuation"}
    last_offset = 0
    for segment in codes.iterate_segments(final_ids):
        table = CodeTable(
            segment.final_ids, segment.deferred_offsets, segment.deferred_words, final_end, by_line, by_blank_line
        )
        for begin in range(0, len(segment.codes), _CODES_AT_ONCE):
            some = segment.codes[begin : begin + _CODES_AT_ONCE]
            found, ends = resolve_codes(some, table, word_ids.size, last_offset)
            word_ids.write(found)
            offsets.write(ends)
            last_offset = int(ends[-1]) if len(ends) else last_offset
    if last_offset < word_ids.size:
        offsets.write(np.array([word_ids.size]))
    return word_ids.read(), offsets.read()
