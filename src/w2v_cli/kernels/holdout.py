"""The split of a text into sentences to train on and held-out sentences to measure the loss on."""

import dataclasses
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.errors import CorpusError, option
from w2v_cli.kernels.philox import Purpose, draw_words, to_unit_interval

_LONGEST_PIECE = 1000  # words: longer sentences, such as a text without lines, are held out in pieces
_CHUNK = 1 << 20  # words moved at a time


def hold_out(corpus: EncodedText, share: float, seed: int) -> tuple[EncodedText, EncodedText]:
    """Split a text: each sentence is held out with probability `share`, drawn for its first position.

    Args:
        corpus: The text; its memory goes to the training part.
        share: The share of the sentences to hold out, in (0, 1).
        seed: The seed of the draws.

    Returns:
        Training and held-out sentences, both with the vocabulary and the counts of the whole corpus.

    Raises:
        CorpusError: Either part would be empty.
    """
    training, held_out = split_held_out(corpus, share, seed)
    if 0 in (len(training.word_ids), len(held_out.word_ids)):
        sentences = len(training.sentence_offsets) + len(held_out.sentence_offsets) - 2
        raise CorpusError(
            f"a share of {share:g} of {sentences:,} sentences holds {len(held_out.sentence_offsets) - 1:,} of them: "
            f"give {option('validation')} a share that leaves some on both sides, or leave it out."
        )
    return training, held_out


def split_held_out(corpus: EncodedText, share: float, seed: int) -> tuple[EncodedText, EncodedText]:
    """Split like `hold_out`, but accept an empty part, as in a shard of a cluster.

    Args:
        corpus: The text; its memory goes to the training part.
        share: The share of the sentences to hold out, in (0, 1).
        seed: The seed of the draws.

    Returns:
        Training and held-out sentences.
    """
    offsets = _cut_long_sentences(corpus.sentence_offsets)
    words = draw_words(seed, 0, offsets[:-1], Purpose.VALIDATION)[0]
    is_held_out = to_unit_interval(words) < np.float32(share)
    lengths = np.diff(offsets)
    pieces = [corpus.word_ids[offsets[i] : offsets[i + 1]] for i in np.flatnonzero(is_held_out)]
    held_out = np.concatenate([corpus.word_ids[:0], *pieces])
    kept_words = _move_together(corpus.word_ids, offsets, is_held_out)
    # A sentence continues over a cut if the piece before it is kept.
    begins = np.isin(offsets[:-1], corpus.sentence_offsets) | np.append(True, is_held_out[:-1])
    kept_before = np.concatenate(([0], np.cumsum(np.where(is_held_out, 0, lengths))))
    training_offsets = np.append(kept_before[:-1][begins & ~is_held_out], kept_words)
    return (
        dataclasses.replace(corpus, word_ids=corpus.word_ids[:kept_words], sentence_offsets=training_offsets),
        dataclasses.replace(
            corpus,
            word_ids=held_out,
            sentence_offsets=np.concatenate(([0], np.cumsum(lengths[is_held_out]))),
        ),
    )


def _cut_long_sentences(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the offsets with cuts after every 1,000 words of a sentence."""
    if np.diff(offsets).max(initial=0) <= _LONGEST_PIECE:
        return offsets
    cuts = [np.arange(first, last, _LONGEST_PIECE) for first, last in pairwise(offsets)]
    return np.append(np.concatenate(cuts), offsets[-1])


def _move_together(word_ids: NDArray[np.int32], offsets: NDArray[np.int64], is_held_out: NDArray[np.bool_]) -> int:
    """Move the words that are not held out to the front, in place and in order; return their number."""
    moved = 0
    for first in range(0, len(word_ids), _CHUNK):
        positions = np.arange(first, min(first + _CHUNK, len(word_ids)))
        is_kept = ~is_held_out[np.searchsorted(offsets, positions, side="right") - 1]
        kept = word_ids[first : first + len(positions)][is_kept]
        word_ids[moved : moved + len(kept)] = kept
        moved += len(kept)
    return moved
