"""The minibatches of the book's algorithm: shuffled centres, their windows, their negatives."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings, SamplingSettings, TrainingSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.philox import Purpose, draw_words
from w2v_cli.kernels.sampling import build_distributions, draw_negatives
from w2v_cli.kernels.windows import Windows, draw_windows

_CHUNK_CENTRES = 1 << 14  # drawn at a time: large enough to hide Python's cost, small enough for the cache


@dataclass(frozen=True)
class Batch:
    """The examples of one step: predict each target from the mean of its inputs.

    Attributes:
        inputs: (B, C) word ids, filled up with NO_WORD (CBOW: the context words; skip-gram: the centre, C = 1).
        targets: (B,) word ids (CBOW: the centre; skip-gram: one context word).
        negatives: (B, K) word ids.
        centres: how many centre words the batch was made from.
        progress: share of the whole training done after it.
        centres_done: how many centres of the epoch are done after it.
    """

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]
    negatives: NDArray[np.int32]
    centres: int
    progress: float
    centres_done: int = 0


class BatchBuilder:
    """Builds the batches of each epoch; every draw depends on (seed, epoch, corpus position) alone.

    training: the settings epochs and batch_size.
    """

    def __init__(
        self, corpus: EncodedText, model: ModelSettings, sampling: SamplingSettings, training: TrainingSettings
    ) -> None:
        self._corpus = corpus
        self._model = model
        self._sampling = sampling
        self._epochs, self._size = training.epochs, training.batch_size
        self._objective = objective_of(model)
        self._keep_probability, self._negatives = build_distributions(corpus.word_counts, sampling)

    def iterate_epoch(self, epoch: int, first_centre: int = 0) -> Iterator[list[Batch]]:
        """Yield the batches of one epoch in their shuffled order, some at a time; the last may be smaller.

        Args:
            epoch: From 0.
            first_centre: The number of centres to skip; a batch ended there.
        """
        size, seed = self._size, self._sampling.seed
        windows = draw_windows(self._corpus, self._model, seed, self._keep_probability, epoch)
        centres = _shuffled_centres(windows, seed, epoch)
        step = max(size, _CHUNK_CENTRES // size * size)
        for start in range(first_centre, len(centres), step):
            chunk = centres[start : start + step]
            examples = self._examples(epoch, windows, chunk)
            lasts = [min(first + size, len(chunk)) for first in range(0, len(chunk), size)]
            yield [
                examples.batch(first, last, (epoch + (start + last) / len(centres)) / self._epochs, start + last)
                for first, last in pairwise([0, *lasts])
            ]

    def _examples(self, epoch: int, windows: Windows, centres: NDArray[np.int64]) -> "_Examples":
        """Return the training examples of some centres (indices into the kept words), in their order."""
        window = self._model.window
        contexts = windows.contexts(centres, window)
        centre_ids = windows.word_ids[centres]
        inputs, targets, rows, slots = self._objective.examples(centre_ids, contexts)
        negatives = draw_negatives(
            self._negatives,
            targets,
            windows.positions[centres[rows]],
            slots,
            slots_per_position=self._objective.slots(window),
            negatives=self._sampling.negatives,
            seed=self._sampling.seed,
            epoch=epoch,
        )
        return _Examples(inputs, targets, negatives, np.searchsorted(rows, np.arange(len(centres) + 1)))


def _shuffled_centres(windows: Windows, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the indices of all centres, shuffled by a 64-bit random key each."""
    centres = np.flatnonzero(windows.is_centre)
    words = draw_words(seed, epoch, windows.positions[centres], Purpose.SHUFFLING).astype(np.uint64)
    return centres[np.argsort((words[0] << np.uint64(32)) | words[1], kind="stable")]


@dataclass(frozen=True)
class _Examples:
    """Examples of consecutive centres; those of centre i are first_example[i] to first_example[i + 1]."""

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]
    negatives: NDArray[np.int32]
    first_example: NDArray[np.int64]

    def batch(self, first_centre: int, last_centre: int, progress: float, centres_done: int) -> Batch:
        examples = slice(self.first_example[first_centre], self.first_example[last_centre])
        return Batch(
            self.inputs[examples],
            self.targets[examples],
            self.negatives[examples],
            centres=last_centre - first_centre,
            progress=progress,
            centres_done=centres_done,
        )
