"""A corpus → the same text with frequent collocations joined: new york → new_york; and what was joined, with scores."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from w2v_cli.collocations import CONNECTOR, ORDINARY, RARE, PairCounter, npmi_scores, word2phrase_scores
from w2v_cli.compiled import njit
from w2v_cli.pair_table import Pairs
from w2v_cli.scanner import ScannedCorpus
from w2v_cli.settings import CorpusSettings

Score = Literal["word2phrase", "npmi"]
DEFAULT_THRESHOLDS: dict[Score, float] = {"word2phrase": 100.0, "npmi": 0.5}
ENGLISH_CONNECTORS = frozenset(
    (*("a", "an", "the", "and", "or"), *("of", "in", "on", "at", "by", "for", "from", "to", "with", "without"))
)
_WORDS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class PhraseRules:
    """What is joined: pairs that occur `min_count` times and score above `threshold`, in each of so many passes.

    connectors: words that a phrase may hold inside and that are not counted for its score.
    """

    score: Score
    threshold: float
    min_count: int
    passes: int = 1
    delimiter: str = "_"
    connectors: Collection[str] = ()


@dataclass(frozen=True)
class Phrase:
    """A pair that is joined; counts are those before its pass (from 1), of the pair and of its first and last word."""

    text: str
    score: float
    count: int
    first_count: int
    last_count: int
    number_of_pass: int

    def as_json(self) -> dict[str, Any]:
        """Return everything by the names of docs/json.md."""
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
    """What a pass has done: different phrases, joins made, words that remain."""

    number_of_pass: int
    phrases: int
    joins: int
    words: int


@dataclass
class JoinedText:
    """A text as ids of `words`, in sentences as ScannedCorpus has them; phrases: of all passes, the best first."""

    words: list[str]
    word_ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    phrases: list[Phrase] = field(default_factory=list)
    joins: int = 0

    def iterate_lines(self) -> Iterator[bytes]:
        """Yield the text in blocks, UTF-8: a line a sentence, a space between words."""
        encoded = [word.encode() for word in self.words]
        starts = np.concatenate(([0], np.cumsum([len(word) for word in encoded], dtype=np.int64)))
        letters = np.frombuffer(b"".join(encoded), np.uint8)
        lengths = np.diff(starts)
        for first in range(0, len(self.word_ids), _WORDS_AT_ONCE):
            ids = self.word_ids[first : first + _WORDS_AT_ONCE]
            block = np.empty(int(lengths[ids].sum()) + len(ids), np.uint8)
            sentence = int(np.searchsorted(self.sentence_offsets, first, side="right"))
            _write_words(ids, first, self.sentence_offsets, sentence, starts, letters, block)
            yield block.tobytes()


def corpus_settings(config: CorpusSettings) -> CorpusSettings:
    """Return the settings with which a text is read to be written again: every word, no added one, lines as they are.

    `stream`, which has no sentences, is read line by line; what trains on the result may read it as a stream again.
    """
    sentences = "line" if config.sentences == "stream" else config.sentences
    return config.model_copy(update={"min_count": 1, "end_of_line": None, "sentences": sentences})


def join_phrases(
    corpus: ScannedCorpus, rules: PhraseRules, on_pass: Callable[[PassDone], None] = lambda _: None
) -> JoinedText:
    """Return the text of a corpus with its phrases joined; the ids of the corpus are used up.

    Each pass counts the text that the pass before has left, and joins from left to right; what it has joined it does
    not join again, as word2phrase.c and gensim. The passes end early where one finds nothing.
    """
    text = JoinedText(list(corpus.vocabulary.words), corpus.word_ids, corpus.sentence_offsets)
    counts = corpus.vocabulary.counts
    for number in range(1, rules.passes + 1):
        counts, phrases, joins = _join_once(text, counts, rules, number)
        text.phrases += phrases
        text.joins += joins
        on_pass(PassDone(number, len(phrases), joins, len(text.word_ids)))
        if not phrases:
            break
    text.phrases.sort(key=lambda phrase: (-phrase.score, phrase.text, phrase.number_of_pass))
    return text


def _join_once(
    text: JoinedText, counts: NDArray[np.int64], rules: PhraseRules, number: int
) -> tuple[NDArray[np.int64], list[Phrase], int]:
    """Do a pass; return the new counts of words, the phrases, and how many joins were made."""
    roles = np.where(counts >= rules.min_count, ORDINARY, RARE).astype(np.uint8)
    connectors = set(rules.connectors)
    if connectors:
        roles[[word_id for word_id, word in enumerate(text.words) if word in connectors]] = CONNECTOR
    counter = PairCounter(text.word_ids, text.sentence_offsets, roles)
    pairs, scores = _choose(counter, counts, len(text.word_ids), rules)
    joined = _joined_words(text.words, pairs, counter.links.at_least(1), rules.delimiter)
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
    counts = np.concatenate([counts, np.zeros(len(text.words) - len(counts), np.int64)])
    roles = np.concatenate([roles, np.zeros(len(counts) - len(roles), np.uint8)])
    kept, joins = counter.join(pairs._replace(counts=ids + 1), counts)
    text.word_ids = text.word_ids[:kept]
    return counts, phrases, joins


def _choose(
    counter: PairCounter, counts: NDArray[np.int64], words: int, rules: PhraseRules
) -> tuple[Pairs, NDArray[np.float64]]:
    """Return the pairs that score above the threshold, and their scores."""
    chosen, all_scores = [], []
    for pairs in counter.iterate_frequent(rules.min_count):
        of_each = (pairs.counts, counts[pairs.lefts], counts[pairs.rights])
        if rules.score == "npmi":
            scores = npmi_scores(*of_each, words=words)
        else:
            scores = word2phrase_scores(*of_each, words=words, min_count=rules.min_count)
        is_above = scores > rules.threshold
        chosen.append([column[is_above] for column in pairs])
        all_scores.append(scores[is_above])
    return Pairs(*map(np.concatenate, zip(*chosen, strict=True))), np.concatenate(all_scores)


def _joined_words(words: Sequence[str], pairs: Pairs, links: Pairs, delimiter: str) -> list[str]:
    """Return the word that each pair becomes, with the connectors between."""
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
    """Return the ids of joined words, adding those to `words` that the text does not hold already."""
    wanted = set(joined)
    ids = {word: word_id for word_id, word in enumerate(words) if delimiter in word and word in wanted}
    for word in joined:
        if word not in ids:
            ids[word] = len(words)
            words.append(word)
    return np.array([ids[word] for word in joined], np.int64)


@njit()
def _write_words(ids: Any, before: int, offsets: Any, sentence: int, starts: Any, letters: Any, block: Any) -> None:
    """Write words into `block`; `before` words come before them, and sentence - 1 is the one that they begin in."""
    at = 0
    for i in range(len(ids)):
        for place in range(starts[ids[i]], starts[ids[i] + 1]):
            block[at] = letters[place]
            at += 1
        if before + i + 1 == offsets[sentence]:
            block[at] = 10
            sentence += 1
        else:
            block[at] = 32
        at += 1
