"""Sentences held out: what is drawn, what is left, and the loss on them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.errors import CorpusError
from w2v_cli.kernels import holdout
from w2v_cli.kernels.holdout import hold_out

WORD_COUNTS = np.array([3, 2])


def corpus_of(lengths):
    """Return a corpus of sentences of these lengths whose word ids are their positions."""
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return EncodedText(np.arange(offsets[-1], dtype=np.int32), offsets, WORD_COUNTS)


def sentences_of(corpus):
    return [tuple(corpus.word_ids[first:last].tolist()) for first, last in pairwise(corpus.sentence_offsets)]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=40), st.floats(0.01, 0.5), st.integers(0, 9))
def test_every_sentence_is_in_one_part_whole_and_in_order(lengths, share, seed):
    """Both parts together are the corpus; no sentence is torn, and offsets end with the words."""
    sentences = sentences_of(corpus_of(lengths))
    try:
        training, other = hold_out(corpus_of(lengths), share, seed)
    except CorpusError:
        assume(condition=False)

    assert sorted(sentences_of(training) + sentences_of(other)) == sentences
    for part in (training, other):
        assert sentences_of(part) == sorted(sentences_of(part))
        assert part.sentence_offsets[-1] == len(part.word_ids)
        assert (part.word_ids.dtype, part.sentence_offsets.dtype) == (np.int32, np.int64)
        assert part.word_counts is WORD_COUNTS


def test_the_share_is_that_of_the_sentences(monkeypatch):
    """Of 20,000 sentences 10 % are held out, give or take; the seed decides which, and chunks do not."""
    lengths = [3] * 20_000
    _, first = hold_out(corpus_of(lengths), 0.1, 1)
    _, other = hold_out(corpus_of(lengths), 0.1, 2)
    monkeypatch.setattr(holdout, "_CHUNK", 1000)
    training, same = hold_out(corpus_of(lengths), 0.1, 1)

    assert abs(len(first.sentence_offsets) - 1 - 2000) < 150
    assert sentences_of(first) == sentences_of(same) != sentences_of(other)
    assert len(training.word_ids) + len(same.word_ids) == 60_000


def test_a_text_without_lines_is_held_out_in_pieces():
    """A stream is cut every 1,000 words; the rest stays together where nothing is missing."""
    training, other = hold_out(corpus_of([20_500]), 0.2, 1)

    pieces = sentences_of(other)
    assert pieces
    assert all(piece[0] % 1000 == 0 and len(piece) in (500, 1000) for piece in pieces)
    assert len(training.word_ids) + len(other.word_ids) == 20_500
    for sentence in sentences_of(training):
        assert list(sentence) == list(range(sentence[0], sentence[-1] + 1))
        assert sentence[0] == 0 or sentence[0] - 1000 in {piece[0] for piece in pieces}


@pytest.mark.parametrize("share", [1e-9, 0.5])
def test_an_empty_part_is_refused(share):
    """A share that takes no sentence, or all of them, ends in exit 3."""
    with pytest.raises(CorpusError, match="give validation a share that leaves some"):
        hold_out(corpus_of([2]), share, seed=1)
