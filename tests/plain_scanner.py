"""The scan in plain Python: what bytes, a dict, re and unicodedata say."""

import codecs
import re
from collections import Counter
from dataclasses import dataclass, field

from w2v_cli.corpus.sentences import cut_sentences, ends_sentence
from w2v_cli.corpus.tokenizer import ProseSplitter, decode, split_whitespace


@dataclass
class PlainScan:
    """The kept words by falling count, their counts, the kept words of each sentence, and the totals."""

    words: tuple[str, ...] = ()
    counts: list[int] = field(default_factory=list)
    sentences: list[list[str]] = field(default_factory=list)
    corpus_words: int = 0
    distinct_words: int = 0
    invalid_characters: int = 0
    blank_lines: int = 0
    long_tokens: int = 0
    long_bytes: int = 0


def plain_scan(contents, config):
    """Return what there is to find in the bytes of a file, or of several."""
    files = [contents] if isinstance(contents, bytes) else contents
    found = PlainScan()
    sentences = [[]]
    for content in files:
        text = content.removeprefix(codecs.BOM_UTF8)
        for line in text.removesuffix(b"\n").split(b"\n") if text else []:
            read_line(line, config, found, sentences)
        if config.sentences in {"paragraph", "punctuation"}:
            sentences.append([])
    counts = Counter(word for sentence in sentences for word in sentence)
    kept = {word for word in counts if counts[word] >= config.min_count}
    found.words = tuple(sorted(kept, key=lambda word: (-counts[word], word)))
    found.counts = [counts[word] for word in found.words]
    found.sentences = [line for sentence in sentences if (line := [word for word in sentence if word in kept])]
    found.corpus_words, found.distinct_words = counts.total(), len(counts)
    return found


def read_line(line, config, found, sentences):
    """Add the words of a line, and the sentences that end in it."""
    for stretch in line.split():
        if len(stretch) > config.max_token_bytes:
            found.long_tokens += 1
            found.long_bytes += len(stretch)
            continue
        text, invalid = decode(stretch)
        found.invalid_characters += invalid
        whole = config.tokens == "whitespace" or config.sentences != "punctuation"
        for part, is_ended in [(text, ends_sentence(text))] if whole else cut_sentences(text):
            sentences[-1] += words_of(part, config)
            if is_ended and config.sentences == "punctuation":
                sentences.append([])
    if config.end_of_line is not None:
        sentences[-1].append(config.end_of_line)
    is_blank = not line.strip()
    found.blank_lines += is_blank
    if config.sentences == "line" or (is_blank and config.sentences != "stream"):
        sentences.append([])


def words_of(text, config):
    """Return the words of a stretch."""
    if config.tokens == "regex":
        return [match[0] for match in re.finditer(config.token_pattern, text) if match[0]]
    return ProseSplitter()(text) if config.tokens == "words" else split_whitespace(text)
