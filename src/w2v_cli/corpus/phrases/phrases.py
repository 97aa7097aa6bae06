"""Phrases of a corpus: frequent collocations joined into one word, as new york into new_york, with their scores."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.phrases.collocations import (
    CONNECTOR,
    ORDINARY,
    UNUSED,
    PairCounter,
    PairText,
    npmi_scores,
    number_connectors,
    word2phrase_scores,
)
from w2v_cli.corpus.phrases.join import join_pairs
from w2v_cli.corpus.phrases.pair_table import Pairs
from w2v_cli.corpus.phrases.write import write_blocks
from w2v_cli.corpus.scan import ScanResult

Score = Literal["word2phrase", "npmi"]
DEFAULT_THRESHOLDS: dict[Score, float] = {"word2phrase": 100.0, "npmi": 0.5}
ENGLISH_CONNECTORS = frozenset(
    (*("a", "an", "the", "and", "or"), *("of", "in", "on", "at", "by", "for", "from", "to", "with", "without"))
)
_ROUNDING = 1 + 1e-9  # of a score
_COUNTED_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class PhraseRules:
    """The rules that decide which pairs are joined.

    Attributes:
        score: the name of the score.
        threshold: pairs must score above it.
        min_count: pairs must occur at least this often.
        passes: the number of passes over the text; later ones make longer phrases.
        delimiter: stands between the joined words.
        connectors: words that a phrase may hold inside and that its score ignores.
    """

    score: Score
    threshold: float
    min_count: int
    passes: int = 1
    delimiter: str = "_"
    connectors: Collection[str] = ()

    def scores(
        self, pairs: NDArray[np.int64], lefts: NDArray[np.int64], rights: NDArray[np.int64], *, words: int
    ) -> NDArray[np.float64]:
        """Return the scores of pairs from their counts, those of their two words, and the number of words."""
        if self.score == "npmi":
            return npmi_scores(pairs, lefts, rights, words=words)
        return word2phrase_scores(pairs, lefts, rights, words=words, min_count=self.min_count)

    def may_join(self, counts: NDArray[np.int64], *, words: int) -> NDArray[np.bool_]:
        """Return which words, by their counts, may be in a pair that is joined.

        No pair occurs more often than either of its words, so a word scores highest where both words and their pair
        occur equally often, n times. With NPMI that is 1; with word2phrase's score it is (n - min_count) / n² · words,
        which is small for a large n.
        """
        are_enough = counts >= self.min_count
        if self.score == "word2phrase":
            n = np.maximum(counts, 1)
            are_enough &= self.scores(n, n, n, words=words) * _ROUNDING > self.threshold
        return are_enough


@dataclass(frozen=True)
class Phrase:
    """A joined pair; the counts of the pair and of its first and last word are those before its pass (from 1)."""

    text: str
    score: float
    count: int
    first_count: int
    last_count: int
    number_of_pass: int

    def as_json(self) -> dict[str, Any]:
        """Return everything by the names of docs/reference/json.md."""
        return {
            "phrase": self.text,
            "score": self.score,
            "count": self.count,
            "first_count": self.first_count,
            "last_count": self.last_count,
            "pass": self.number_of_pass,
        }


@dataclass(frozen=True)
class PassDone:
    """The result of a pass: different phrases, joins made, words left."""

    number_of_pass: int
    phrases: int
    joins: int
    words: int


@dataclass
class JoinedText:
    """A text as ids of `words`, in sentences as in EncodedText.

    Attributes:
        phrases: of all passes, the best first.
    """

    words: list[str]
    word_ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    phrases: list[Phrase] = field(default_factory=list)
    joins: int = 0

    def iterate_blocks(self, *, threads: int = 1) -> Iterator[bytes]:
        """Yield the text as UTF-8 in blocks: a line for each sentence, spaces between words."""
        return write_blocks(self.words, self.word_ids, self.sentence_offsets, threads=threads)


def corpus_settings(config: CorpusSettings) -> CorpusSettings:
    """Return the settings that read a text to be written again: every word, none added, and its lines.

    `stream`, which has no sentences, is read line by line; the result may still be trained on as a stream.
    """
    sentences = "line" if config.sentences == "stream" else config.sentences
    return config.model_copy(update={"min_count": 1, "end_of_line": None, "sentences": sentences})


def join_phrases(
    scanned: ScanResult,
    rules: PhraseRules,
    on_pass: Callable[[PassDone], None] = lambda _: None,
    *,
    threads: int = 1,
) -> JoinedText:
    """Return the text of a corpus with its phrases joined; the ids of its text are overwritten.

    Each pass counts the text that the pass before has left, and joins from left to right; it does not join again what
    it has joined, like word2phrase.c and gensim. A pass that finds nothing is the last one. The result does not depend
    on the number of threads.
    """
    words, encoded = scanned.corpus.vocabulary.words, scanned.text
    text = JoinedText(list(words), encoded.word_ids, encoded.sentence_offsets)
    counts = encoded.word_counts
    for number in range(1, rules.passes + 1):
        phrases, joins = _join_once(text, counts, rules, number, threads)
        text.phrases += phrases
        text.joins += joins
        on_pass(PassDone(number, len(phrases), joins, len(text.word_ids)))
        if not phrases:
            break
        if number < rules.passes:
            counts = _count_words(text.word_ids, len(text.words))
    text.phrases.sort(key=lambda phrase: (-phrase.score, phrase.text, phrase.number_of_pass))
    return text


def _join_once(
    text: JoinedText, counts: NDArray[np.int64], rules: PhraseRules, number: int, threads: int
) -> tuple[list[Phrase], int]:
    """Join the phrases of one pass; return them, and the number of joins made. counts: (V,), of the words."""
    roles = np.where(rules.may_join(counts, words=len(text.word_ids)), ORDINARY, UNUSED).astype(np.uint8)
    connectors = set(rules.connectors)
    if connectors:
        roles[[word_id for word_id, word in enumerate(text.words) if word in connectors]] = CONNECTOR
    links = number_connectors(text.word_ids, text.sentence_offsets, roles)
    pair_text = PairText(text.word_ids, text.sentence_offsets, roles, links.arrays)
    pairs, scores = choose_pairs(pair_text, counts, rules, threads)
    joined = _joined_words(text.words, pairs, links.at_least(1), rules.delimiter)
    phrases = [
        Phrase(*columns, number)
        for columns in zip(
            joined,
            scores.tolist(),
            pairs.counts.tolist(),
            counts[pairs.lefts].tolist(),
            counts[pairs.rights].tolist(),
            strict=True,
        )
    ]
    ids = _ids_of(joined, text.words, rules.delimiter)
    kept, joins = join_pairs(pair_text, pairs._replace(counts=ids + 1), threads=threads)
    text.word_ids = text.word_ids[:kept]
    return phrases, joins


def choose_pairs(
    text: PairText, counts: NDArray[np.int64], rules: PhraseRules, threads: int
) -> tuple[Pairs, NDArray[np.float64]]:
    """Return the pairs that score above the threshold, and their scores."""

    def choose(pairs: Pairs) -> tuple[Pairs, NDArray[np.float64]]:
        scores = rules.scores(pairs.counts, counts[pairs.lefts], counts[pairs.rights], words=len(text.ids))
        is_above = scores > rules.threshold
        return Pairs(*(column[is_above] for column in pairs)), scores[is_above]

    pairs, scores = zip(*PairCounter(text, rules.min_count).map(choose, threads=threads), strict=True)
    return Pairs(*map(np.concatenate, zip(*pairs, strict=True))), np.concatenate(scores)


def _count_words(word_ids: NDArray[np.int32], words: int) -> NDArray[np.int64]:
    """Return the number of occurrences of each word."""
    counts = np.zeros(words, np.int64)
    for first in range(0, len(word_ids), _COUNTED_AT_ONCE):
        counts += np.bincount(word_ids[first : first + _COUNTED_AT_ONCE], minlength=words)
    return counts


def _joined_words(words: Sequence[str], pairs: Pairs, links: Pairs, delimiter: str) -> list[str]:
    """Return the word that each pair becomes, with the connectors inside."""
    before = dict(
        zip(links.counts.tolist(), zip(links.lefts.tolist(), links.rights.tolist(), strict=True), strict=True)
    )
    joined = []
    for left, link, right in zip(pairs.lefts.tolist(), pairs.links.tolist(), pairs.rights.tolist(), strict=True):
        parts, rest = [words[right]], link
        while rest:
            rest, connector = before[rest]
            parts.append(words[connector])
        joined.append(delimiter.join([words[left], *reversed(parts)]))
    return joined


def _ids_of(joined: Sequence[str], words: list[str], delimiter: str) -> NDArray[np.int64]:
    """Return the ids of joined words; those that the text does not hold already are added to `words`."""
    wanted = set(joined)
    ids = {word: word_id for word_id, word in enumerate(words) if delimiter in word and word in wanted}
    for word in joined:
        if word not in ids:
            ids[word] = len(words)
            words.append(word)
    return np.array([ids[word] for word in joined], np.int64)
