"""Small batches with everything that goes wrong in kernels: repeated words, one example, short windows."""

import numpy as np

from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.windows import NO_WORD

VOCABULARY_SIZE, DIM = 7, 6


def random_batch(rng, *, examples=5, slots=4, negatives=3, vocabulary_size=VOCABULARY_SIZE):
    """Return a batch whose inputs are filled up with NO_WORD and whose words repeat."""
    inputs = rng.integers(0, vocabulary_size, (examples, slots), dtype=np.int32)
    inputs[np.arange(slots) >= rng.integers(1, slots + 1, (examples, 1))] = NO_WORD
    return Batch(
        inputs=inputs,
        targets=rng.integers(0, vocabulary_size, examples, dtype=np.int32),
        negatives=rng.integers(0, vocabulary_size, (examples, negatives), dtype=np.int32),
        centres=examples,
        progress=0.5,
    )


def random_matrices(rng, dtype=np.float32, shape=(VOCABULARY_SIZE, DIM)):
    return [rng.normal(0, 0.5, shape).astype(dtype) for _ in range(2)]
