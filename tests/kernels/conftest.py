"""Fixtures of the kernel tests."""

import numpy as np
import pytest
from small_batches import random_batch

from w2v_cli.kernels.load import load_minibatch_engine
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.objectives import Cbow
from w2v_cli.kernels.protocols import Backend


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
    return lambda *, is_classic: load_minibatch_engine(Backend(request.param), Cbow(is_classic=is_classic))
