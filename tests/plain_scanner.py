"""The scan in plain Python: what bytes, a dict and unicodedata say."""

import codecs
from collections import Counter
from dataclasses import dataclass

from w2v_cli.corpus import ProseSplitter, decode, split_whitespace


@dataclass(frozen=True)
class PlainScan:
    """The kept words by falling count, their counts, the kept words of each sentence, and the totals."""

    words: tuple[str, ...]
    counts: list[int]
    sentences: list[list[str]]
    corpus_words: int
    distinct_words: int
    invalid_characters: int


def plain_scan(content, config):
    """Return what there is to find in the bytes of a file."""
    text, invalid = decode(content.removeprefix(codecs.BOM_UTF8))
    split = ProseSplitter() if config.tokens == "words" else split_whitespace
    end = [] if config.end_of_line is None else [config.end_of_line]
    lines = [split(line) + end for line in text.removesuffix("\n").split("\n")] if text else []
    if config.sentences == "stream":
        lines = [[word for line in lines for word in line]]
    counts = Counter(word for line in lines for word in line)
    words = sorted(
        (word for word in counts if counts[word] >= config.min_count), key=lambda word: (-counts[word], word)
    )
    kept = [[word for word in line if counts[word] >= config.min_count] for line in lines]
    return PlainScan(
        tuple(words),
        [counts[word] for word in words],
        [line for line in kept if line],
        counts.total(),
        len(counts),
        invalid,
    )
