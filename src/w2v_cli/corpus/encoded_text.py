"""The encoded text: what training needs of a corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedText:
    """A text as ids of the words of a vocabulary.

    Attributes:
        word_ids: (N,) int32, the kept words in the order of the text, N occurrences.
        sentence_offsets: (S + 1,) int64, where each sentence starts in `word_ids`; the last one is N. No sentence is
            empty.
        word_counts: (V,) int64, by word id, the occurrences in the whole corpus. They may add up to more than N: after
            sentences are held out, and in a shard of a corpus.
    """

    word_ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    word_counts: NDArray[np.int64]

    @property
    def vocabulary_size(self) -> int:
        """The number of different words (V): one more than the largest id that may occur."""
        return len(self.word_counts)
