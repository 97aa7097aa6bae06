"""Fixtures of the kernel tests: every CPU engine, every objective, and batches of each kind."""

import numpy as np
import pytest
from small_batches import random_batch

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.array_engine import ArrayEngine
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.minibatch.numba_engine import NumbaEngine
from w2v_cli.kernels.objectives import Cbow, SkipGram

# A new objective or engine joins here, and every test of the contract asks it.
OBJECTIVES = {"skip-gram": SkipGram(), "cbow": Cbow(is_classic=True), "cbow mean": Cbow(is_classic=False)}
MINIBATCH_ENGINES = {"numpy": ArrayEngine, "numba": NumbaEngine}


@pytest.fixture(params=OBJECTIVES)
def objective(request):
    """Return each objective in turn."""
    return OBJECTIVES[request.param]


@pytest.fixture(params=["sgd", "adam"])
def optimizer(request):
    """Return the name of each optimiser in turn."""
    return request.param


@pytest.fixture(params=MINIBATCH_ENGINES)
def build_engine(request):
    """Return a function (objective, optimizer, matrices) that builds each minibatch engine in turn."""
    return lambda objective, optimizer, matrices: MINIBATCH_ENGINES[request.param](
        objective, optimizer, Embeddings(*matrices)
    )


@pytest.fixture(params=["cbow", "skipgram", "one example", "one word again and again", "one-word vocabulary"])
def batch(request):
    """Return batches of each kind in turn; a skip-gram's is a CBOW's with one input."""
    rng = np.random.default_rng(7)
    match request.param:
        case "cbow":
            return random_batch(rng)
        case "skipgram":
            return random_batch(rng, examples=8, slots=1)
        case "one example":
            return random_batch(rng, examples=1, negatives=1)
        case "one-word vocabulary":
            return random_batch(rng, vocabulary_size=1)
        case _:
            return Batch(
                inputs=np.full((4, 3), 2, np.int32),
                targets=np.full(4, 2, np.int32),
                negatives=np.full((4, 2), 1, np.int32),
                centres=4,
                progress=0.5,
            )
