"""The kept words of an epoch and their windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.philox import Purpose, draw_words, to_integers
from w2v_cli.kernels.sampling import draw_kept

NO_WORD = -1


@dataclass(frozen=True)
class Windows:
    """The kept words of an epoch, M of them; a window ends with its sentence.

    Attributes:
        positions: (M,) int64 corpus positions, rising.
        word_ids: (M,) int32.
        left: (M,) int64, words of the window to the left.
        right: (M,) int64, words of the window to the right.
        is_centre: (M,), whether the word is trained as a centre.
    """

    positions: NDArray[np.int64]
    word_ids: NDArray[np.int32]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    is_centre: NDArray[np.bool_]

    def contexts(self, centres: NDArray[np.int64], window: int) -> NDArray[np.int32]:
        """Return the ids around each centre from left to right, (B, 2·window) int32, NO_WORD outside its window.

        Args:
            centres: (B,) indices into the kept words.
            window: the largest distance.
        """
        offsets = np.concatenate((np.arange(-window, 0), np.arange(1, window + 1)))
        is_inside = (offsets >= -self.left[centres, None]) & (offsets <= self.right[centres, None])
        neighbours = np.where(is_inside, centres[:, None] + offsets, 0)
        return np.where(is_inside, self.word_ids[neighbours], np.int32(NO_WORD))


def draw_windows(
    corpus: EncodedText, model: ModelSettings, seed: int, keep_probability: NDArray[np.float32], epoch: int
) -> Windows:
    """Return the windows of one epoch (from 0); every draw depends on (seed, epoch, corpus position) alone."""
    positions = draw_kept(seed, epoch, corpus.word_ids, keep_probability)
    sentences = np.searchsorted(corpus.sentence_offsets, positions, side="right")
    starts = np.concatenate(([0], np.flatnonzero(np.diff(sentences)) + 1))
    lengths = np.diff(np.concatenate((starts, [len(positions)])))
    before = np.arange(len(positions)) - np.repeat(starts, lengths)
    after = np.repeat(lengths, lengths) - 1 - before
    if model.shrink_window:
        reach = 1 + to_integers(draw_words(seed, epoch, positions, Purpose.WINDOW)[0], model.window)
    else:
        reach = np.full(len(positions), model.window)
    left, right = np.minimum(before, reach), np.minimum(after, reach)
    has_whole_window = (left == reach) & (right == reach)
    is_centre = left + right > 0 if model.partial_windows else has_whole_window
    return Windows(positions, corpus.word_ids[positions], left, right, is_centre)
