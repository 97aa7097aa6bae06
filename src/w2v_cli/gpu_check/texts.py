"""Generated texts: sentences on topics, with words from a Zipf distribution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus.encoded_text import EncodedText

_SENTENCE_WORDS = 20
_ON_TOPIC = 0.35  # share of a sentence's words from its topic: low enough to be hard to learn
_ROWS_AT_ONCE = 500
_NEIGHBOURS = 10


@dataclass(frozen=True)
class TopicText:
    """A text whose words have topics; `topic_of`: (V,), by word id."""

    corpus: EncodedText
    topic_of: NDArray[np.int64]


def build_topic_text(*, vocabulary: int, topics: int, words: int, seed: int) -> TopicText:
    """Return a text whose sentences have topics.

    About a third of a sentence's words come from its topic; the words of a topic follow Zipf's law.

    Args:
        vocabulary: the most distinct words, divided evenly among the topics.
        topics: number of topics.
        words: words of the text.
        seed: seed of the random numbers.
    """
    rng = np.random.default_rng(seed)
    sentences = words // _SENTENCE_WORDS
    weights = 1 / np.arange(1, vocabulary // topics + 1)
    ranks = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(sentences * _SENTENCE_WORDS))
    others = rng.integers(0, topics, len(ranks))
    own = np.repeat(rng.integers(0, topics, sentences), _SENTENCE_WORDS)
    drawn = ranks * topics + np.where(rng.random(len(ranks)) < _ON_TOPIC, own, others)
    counts = np.bincount(drawn, minlength=int(drawn.max()) + 1)
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    ids = np.empty(len(counts), np.int32)
    ids[order] = np.arange(len(order), dtype=np.int32)
    corpus = EncodedText(
        word_ids=ids[drawn],
        sentence_offsets=np.arange(0, len(drawn) + 1, _SENTENCE_WORDS, dtype=np.int64),
        word_counts=counts[order].astype(np.int64),
    )
    return TopicText(corpus, order % topics)


def purity(text: TopicText, vectors: NDArray[np.float32], *, asked: int) -> float:
    """Return the share of the ten nearest words, by cosine, that have the word's own topic.

    Args:
        text: the text.
        vectors: (V, D), by word id.
        asked: for how many words to search, frequent and rare ones; all words are candidates.
    """
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    shares = []
    chosen = np.arange(0, len(units), max(1, len(units) // asked))
    for first in range(0, len(chosen), _ROWS_AT_ONCE):
        rows = chosen[first : first + _ROWS_AT_ONCE]
        cosines = units[rows] @ units.T
        cosines[np.arange(len(rows)), rows] = -np.inf
        nearest = np.argpartition(-cosines, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        shares.append((text.topic_of[nearest] == text.topic_of[rows, None]).mean(axis=1))
    return float(np.concatenate(shares).mean())
