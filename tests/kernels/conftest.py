"""Small batches with everything that goes wrong in kernels: repeated words, one example, short windows."""

import functools

import numpy as np
import pytest

from w2v_cli.batches import NO_WORD, Batch
from w2v_cli.kernels import load_minibatch_engine
from w2v_cli.kernels.contract import Backend

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


@pytest.fixture(params=["cbow", "skipgram", "one example", "one word again and again"])
def batch(request):
    """Return batches of each kind in turn."""
    rng = np.random.default_rng(7)
    match request.param:
        case "cbow":
            return random_batch(rng)
        case "skipgram":
            return random_batch(rng, examples=8, slots=1)
        case "one example":
            return random_batch(rng, examples=1, negatives=1)
        case _:
            return Batch(
                inputs=np.full((4, 3), 2, np.int32),
                targets=np.full(4, 2, np.int32),
                negatives=np.full((4, 2), 1, np.int32),
                centres=4,
                progress=0.5,
            )


@pytest.fixture(params=["numpy", "numba"])
def load_engine(request):
    """Return a function from is_classic to each CPU engine in turn."""
    return functools.partial(load_minibatch_engine, Backend(request.param))
