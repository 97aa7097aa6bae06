"""Comparison of the GPU with the NumPy reference, and of many blocks in flight with one at falling rates."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config, ModelName
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels import (
    Backend,
    BatchBuilder,
    BlockEngine,
    BlockSettings,
    Embeddings,
    load_block_engine,
    load_minibatch_engine,
)
from w2v_cli.kernels.block.cuda_engine import CuPyEngine

OptimizerName = Literal["sgd", "adam"]
_TOLERANCE = {"block": 1e-4, "minibatch": 1e-3}  # relative error of the update; a bug in a kernel gives 5e-3 and more
_RATES = (0.05, 0.005)
_FALLS = 3.0  # times, if the rate falls ten times: staleness is an effect of second order
_SMALL = 1e-4  # a difference due to rounding alone
_BATCHES = 4


def check_block(corpus: EncodedText, model: ModelName, dim: int) -> dict[str, Any]:
    """Train on a text of at most one span with one block in flight; return the error of the update."""
    config = config_of(model, dim, gpu_concurrency=1)
    state = _random_state(corpus.vocabulary_size, dim)
    engines = (
        load_block_engine(backend, corpus, BlockSettings.of(config)) for backend in (Backend.NUMPY, Backend.CUPY)
    )
    expected, found = (_update(engine, corpus, state, (0.05, 0.01)) for engine in engines)
    return _agreement("block", model, None, dim, _difference(found, expected))


def check_minibatch(corpus: EncodedText, model: ModelName, optimizer: OptimizerName, dim: int) -> dict[str, Any]:
    """Take a few steps; return the error of the update against the reference."""
    config = config_of(model, dim, algorithm="minibatch", optimizer=optimizer)
    builder = BatchBuilder(corpus, config.model, config.sampling, config.training)
    batches = [batch for some in builder.iterate_epoch(0) for batch in some][:_BATCHES]
    state = _random_state(corpus.vocabulary_size, dim)
    updates = []
    for backend in (Backend.NUMPY, Backend.CUPY):
        start = Embeddings(*(matrix.copy() for matrix in state.values()))
        engine = load_minibatch_engine(backend, config.model, optimizer, start)
        for batch in batches:
            engine.step(batch, config.learning_rate)
        after = engine.read_state()
        updates.append([after[name] - before for name, before in state.items()])
    return _agreement("minibatch", model, optimizer, dim, _difference(updates[1], updates[0]))


def check_staleness(corpus: EncodedText, model: ModelName, dim: int) -> dict[str, Any]:
    """Compare many blocks in flight with one at two rates; the difference of the updates must fall with the rate."""
    state = _random_state(corpus.vocabulary_size, dim)
    one = CuPyEngine(corpus, BlockSettings.of(config_of(model, dim, gpu_concurrency=1)))
    in_flight = min(one.resident_blocks, len(corpus.word_ids) // 64)
    many = CuPyEngine(corpus, BlockSettings.of(config_of(model, dim, gpu_concurrency=in_flight)))
    differences = []
    for rate in _RATES:
        expected, found = (_update(engine, corpus, state, (rate, rate)) for engine in (one, many))
        differences.append(_difference(found, expected))
    return {
        "model": model,
        "blocks_in_flight": in_flight,
        "learning_rates": list(_RATES),
        "differences": differences,
        "passed": differences[0] < _SMALL or differences[1] * _FALLS <= differences[0],
    }


def config_of(model: ModelName, dim: int, **training: Any) -> Config:
    """Return the config of a check: the defaults except for these settings."""
    return Config.model_validate(
        {
            "corpus": {"min_count": 1},
            "model": {"model": model, "dim": dim},
            "training": {"algorithm": "block", "backend": "cupy"} | training,
        }
    )


def _update(
    engine: BlockEngine, corpus: EncodedText, state: Mapping[str, NDArray[np.float32]], rates: tuple[float, float]
) -> list[NDArray[np.float32]]:
    """Return the update of both matrices by one epoch."""
    engine.restore(state)
    engine.train_span(0, 0, len(corpus.word_ids), *rates)
    after = engine.read_state()
    return [after[name] - matrix for name, matrix in state.items()]


def _random_state(vocabulary: int, dim: int) -> dict[str, NDArray[np.float32]]:
    """Return random matrices, scaled so that no sigmoid saturates."""
    rng = np.random.default_rng(3)
    names = ("input_vectors", "output_vectors")
    return {name: rng.normal(0, dim**-0.5, (vocabulary, dim)).astype(np.float32) for name in names}


def _difference(found: list[NDArray[np.float32]], expected: list[NDArray[np.float32]]) -> float:
    """Return the larger of both matrices' |found - expected| / |expected|; 1e9 if it is not finite."""
    pairs = zip(found, expected, strict=True)
    errors = [float(np.linalg.norm(one - other) / np.linalg.norm(other)) for one, other in pairs]
    return max(error if np.isfinite(error) else 1e9 for error in errors)


def _agreement(algorithm: str, model: ModelName, optimizer: str | None, dim: int, error: float) -> dict[str, Any]:
    tolerance = _TOLERANCE[algorithm]
    return {
        "algorithm": algorithm,
        "model": model,
        "optimizer": optimizer,
        "dim": dim,
        "error": error,
        "tolerance": tolerance,
        "passed": error <= tolerance,
    }
