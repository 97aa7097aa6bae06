"""A corpus file → counts and int32 word ids in one pass."""

from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus import ProseSplitter, SplitWords, TextReader, iterate_lines, split_whitespace
from w2v_cli.settings import CorpusSettings
from w2v_cli.vocabulary import Vocabulary, build_vocabulary


@dataclass(frozen=True)
class ScannedCorpus:
    """A corpus as training needs it, and what the scan found.

    word_ids: (N,) int32, the kept words in order, N the number of kept occurrences; sentence_offsets: (S + 1,) int64,
    where each sentence starts in `word_ids`, N last; no sentence is empty. corpus_words: occurrences before min_count.
    """

    vocabulary: Vocabulary
    word_ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    corpus_words: int
    distinct_words: int
    size_bytes: int
    sha256: str
    warnings: tuple[str, ...]


def scan(path: Path, config: CorpusSettings) -> ScannedCorpus:
    """Count and encode the text at `path` in one pass, then drop the words under `config.min_count`.

    Raises CorpusError where the text cannot be read or holds too few words.
    """
    reader = TextReader(path, strict_utf8=config.invalid_utf8 == "strict")
    ids, sentence_ends = _IdOfWord(), array("q")
    corpus_ids = array("i")
    split_words: SplitWords = ProseSplitter() if config.tokens == "words" else split_whitespace
    end_of_line = [config.end_of_line] if config.end_of_line is not None else []
    for words, line_ends in iterate_lines(reader.iterate_blocks(), split_words):
        corpus_ids.extend([ids[word] for word in words])
        if line_ends:
            corpus_ids.extend([ids[word] for word in end_of_line])
            if config.sentences == "line":
                sentence_ends.append(len(corpus_ids))
    sentence_ends.append(len(corpus_ids))
    return _keep_frequent(reader, ids, np.asarray(corpus_ids, np.int32), np.asarray(sentence_ends, np.int64), config)


class _IdOfWord(dict[str, int]):
    """Word → id by order of first sight; asking for a new word gives it the next id."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return self[word]


def _keep_frequent(
    reader: TextReader,
    ids: dict[str, int],
    corpus_ids: NDArray[np.int32],
    sentence_ends: NDArray[np.int64],
    config: CorpusSettings,
) -> ScannedCorpus:
    """Replace ids by order of first sight with ids by falling count, leaving out the words under min_count."""
    counts = np.bincount(corpus_ids, minlength=len(ids))
    vocabulary = build_vocabulary(dict(zip(ids, counts.tolist(), strict=True)), min_count=config.min_count)
    final_id = np.full(len(ids), -1, dtype=np.int32)
    final_id[[ids[word] for word in vocabulary.words]] = np.arange(len(vocabulary), dtype=np.int32)
    word_ids = final_id[corpus_ids]
    is_kept = word_ids >= 0
    kept_before = np.concatenate(([0], np.cumsum(is_kept, dtype=np.int64)))
    return ScannedCorpus(
        vocabulary=vocabulary,
        word_ids=word_ids[is_kept],
        sentence_offsets=np.unique(np.concatenate(([0], kept_before[sentence_ends]))),
        corpus_words=len(corpus_ids),
        distinct_words=len(ids),
        size_bytes=reader.size_bytes,
        sha256=reader.sha256,
        warnings=_warnings(reader, config),
    )


def _warnings(reader: TextReader, config: CorpusSettings) -> tuple[str, ...]:
    """Return a line for each thing in the text that its owner would want to know before training on it."""
    warnings = []
    if reader.invalid_characters:
        warnings.append(
            f"{reader.path} is not UTF-8 in {reader.invalid_characters:,} places, each read as U+FFFD; "
            f"--set corpus.invalid_utf8=strict stops there instead."
        )
    if config.tokens == "words" and reader.treebank_marks:
        warnings.append(
            f"{reader.path} holds {' and '.join(reader.treebank_marks)} as the Penn Treebank does, and tokens: words "
            f"takes their brackets away; --set corpus.tokens=whitespace keeps them."
        )
    return tuple(warnings)
