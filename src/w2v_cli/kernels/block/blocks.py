"""The blocks of a text: consecutive centres, the words around them, and the negatives that they share."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings, SamplingSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.philox import Purpose, draw_words
from w2v_cli.kernels.sampling import build_distributions
from w2v_cli.kernels.windows import Windows, draw_windows

BLOCK_CENTRES = 32
SPAN_WORDS = 1 << 14  # corpus words; no block crosses the border of a span, so that spans can be trained in parallel
_NEGATIVES_PER_BLOCK = 24  # fewer cost quality (docs/adr/0007)
_TILE = 8


@dataclass(frozen=True)
class Block:
    """Up to BLOCK_CENTRES consecutive kept words as centres, and the kept words around them.

    Attributes:
        contexts: (P,) int32, from `window` kept words before the first centre to `window` after the last.
        centres: (B,) int32.
        is_pair: (P, B), whether contexts[p] lies in the window of centre b.
        negatives: (N,) int32, shared by all pairs.
        position: the corpus position of the first centre.
    """

    contexts: NDArray[np.int32]
    centres: NDArray[np.int32]
    is_pair: NDArray[np.bool_]
    negatives: NDArray[np.int32]
    position: int


def shared_negatives(negatives: int) -> int:
    """Return N, the negatives that a block draws, a multiple of 8 and at least K; each counts K / N."""
    wanted = max(_NEGATIVES_PER_BLOCK, negatives)
    return (wanted + _TILE - 1) // _TILE * _TILE


class BlockBuilder:
    """Builds the blocks of a span; every draw depends on (seed, epoch, corpus position) alone."""

    def __init__(self, corpus: EncodedText, model: ModelSettings, sampling: SamplingSettings) -> None:
        self._corpus = corpus
        self._model = model
        self._sampling = sampling
        self._keep_probability, self._table = build_distributions(corpus.word_counts, sampling)
        self._windows_of = functools.lru_cache(maxsize=1)(self._draw_windows)

    def iterate_span(self, epoch: int, start: int, stop: int) -> Iterator[Block]:
        """Yield the blocks of the corpus positions start … stop in an epoch (from 0), in their order."""
        windows, window = self._windows_of(epoch), self._model.window
        left, right = (np.where(windows.is_centre, reach, 0) for reach in (windows.left, windows.right))
        span_first, span_last = np.searchsorted(windows.positions, (start, stop))
        for first in range(span_first, span_last, BLOCK_CENTRES):
            last = min(first + BLOCK_CENTRES, span_last)
            around = np.arange(max(first - window, 0), min(last + window, len(windows.positions)))
            offset = around[:, None] - np.arange(first, last)
            position = int(windows.positions[first])
            yield Block(
                contexts=windows.word_ids[around],
                centres=windows.word_ids[first:last],
                is_pair=(offset != 0) & (offset >= -left[first:last]) & (offset <= right[first:last]),
                negatives=self._draw_negatives(epoch, position),
                position=position,
            )

    def _draw_windows(self, epoch: int) -> Windows:
        return draw_windows(self._corpus, self._model, self._sampling.seed, self._keep_probability, epoch)

    def _draw_negatives(self, epoch: int, position: int) -> NDArray[np.int32]:
        """Return the negatives of the block whose first centre is at `position`: two from each draw."""
        count = shared_negatives(self._sampling.negatives)
        draws = np.arange(count // 2)
        positions = np.full(len(draws), position)
        words = draw_words(self._sampling.seed, epoch, positions, Purpose.NEGATIVES, draws)
        return np.stack((self._table.pick(words[0], words[1]), self._table.pick(words[2], words[3])), axis=-1).ravel()
