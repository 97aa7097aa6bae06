"""Quality and speed of training on the GPU against the CPU, on the same generated text with the same settings."""

import contextlib
import dataclasses
import itertools
import statistics
import time
from typing import Any

from w2v_cli.config.schema import Config, ModelName
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.gpu_check.agreement import config_of
from w2v_cli.gpu_check.texts import TopicText, purity
from w2v_cli.kernels import Backend, BlockSettings, hold_out, keep_probabilities, load_block_engine
from w2v_cli.kernels.block.cuda_engine import CuPyEngine
from w2v_cli.pipeline import expected_occurrences
from w2v_cli.system.machine import available_cores
from w2v_cli.training import BlockTrainer, DivergenceGuard, Schedule, fit

_ASKED_WORDS = 2000
_HELD_OUT = 0.02
_PURITY_LOST = 0.02  # largest loss against the CPU at the default concurrency


def check_quality(text: TopicText, model: ModelName, dim: int, epochs: int) -> list[dict[str, Any]]:
    """Train on the CPU, then on the GPU at several concurrencies; return purity and held-out loss of each.

    The default concurrency is marked, and fails if its purity is much below the CPU's.
    """
    default, resident = concurrencies(text.corpus, model, dim)
    cpu = _train(text, model, dim, epochs, Backend.NUMBA, None)
    results = [cpu | {"is_default": False, "passed": None}]
    for blocks in sorted({1, max(1, default // 4), default, 4 * default, resident}):
        if blocks <= max(resident, default):
            found = _train(text, model, dim, epochs, Backend.CUPY, blocks)
            is_good = bool(found["purity"] >= cpu["purity"] - _PURITY_LOST)
            is_default = blocks == default
            results.append(found | {"is_default": is_default, "passed": is_good if is_default else None})
    return results


def measure_speed(text: TopicText, model: ModelName, dim: int, repeats: int, bandwidth: float) -> list[dict[str, Any]]:
    """Return corpus words per second on the CPU, and on the GPU at the default and at the largest concurrency.

    The roofline is that of device memory: words per second if no row were ever found in the cache.

    Args:
        text: the text.
        model: the model.
        dim: D, dimensions of the vectors.
        repeats: epochs to take the median of, after one that warms up.
        bandwidth: of the device's memory, bytes per second.
    """
    config = config_of(model, dim, epochs=repeats + 1)
    default, resident = concurrencies(text.corpus, model, dim)
    cpu = _speed(text.corpus, config, Backend.NUMBA, None)
    results = [cpu | {"times_cpu": 1.0, "roofline_words_per_second": None, "share_of_roofline": None}]
    roofline = bandwidth / _bytes_per_word(text.corpus, config)
    for blocks in sorted({default, resident}):
        found = _speed(text.corpus, config, Backend.CUPY, blocks)
        speed = found["words_per_second"]
        results.append(
            found
            | {
                "times_cpu": speed / cpu["words_per_second"],
                "roofline_words_per_second": roofline,
                "share_of_roofline": speed / roofline,
            }
        )
    return results


def concurrencies(corpus: EncodedText, model: ModelName, dim: int) -> tuple[int, int]:
    """Return the blocks in flight by default, and the most that fit the device."""
    engine = CuPyEngine(corpus, BlockSettings.of(config_of(model, dim)))
    return engine.blocks_in_flight, engine.resident_blocks


def _train(
    text: TopicText, model: ModelName, dim: int, epochs: int, backend: Backend, blocks: int | None
) -> dict[str, Any]:
    config = config_of(model, dim, epochs=epochs, gpu_concurrency=blocks, backend=str(backend), validation=_HELD_OUT)
    copy = dataclasses.replace(text.corpus, word_ids=text.corpus.word_ids.copy())  # holding out moves words
    corpus, held_out = hold_out(copy, _HELD_OUT, config.sampling.seed)
    engine = load_block_engine(backend, corpus, BlockSettings.of(config), held_out)
    trainer = BlockTrainer(
        engine,
        Schedule.of(config),
        epochs=config.training.epochs,
        words=len(corpus.word_ids),
        held_out_words=len(held_out.word_ids) if held_out else 0,
        threads=_threads(backend),
    )
    trainer.prepare()
    trained = fit(
        trainer, len(corpus.word_ids), config.training, Schedule.of(config), DivergenceGuard(config), lambda _: None
    )
    return {
        "model": model,
        "backend": str(backend),
        "blocks_in_flight": blocks,
        "held_out_loss": trained.validation_losses[-1],
        "purity": purity(text, trained.input_vectors, asked=_ASKED_WORDS),
    }


def _speed(corpus: EncodedText, config: Config, backend: Backend, blocks: int | None) -> dict[str, Any]:
    training = config.training.model_copy(update={"gpu_concurrency": blocks, "backend": str(backend)})
    config = config.model_copy(update={"training": training})
    trainer = BlockTrainer(
        load_block_engine(backend, corpus, BlockSettings.of(config)),
        Schedule.of(config),
        epochs=config.training.epochs,
        words=len(corpus.word_ids),
        threads=_threads(backend),
    )
    trainer.prepare()
    times = [time.perf_counter()]
    with contextlib.closing(trainer.steps()) as advances:
        for advance in advances:
            if advance.ends_epoch:
                float(advance.loss_sum)  # waits for the device
                times.append(time.perf_counter())
    seconds = [after - before for before, after in itertools.pairwise(times[1:])]  # the first epoch warms up
    speeds = [len(corpus.word_ids) / second for second in seconds]
    return {
        "model": config.model.model,
        "dim": config.model.dim,
        "backend": str(backend),
        "blocks_in_flight": blocks,
        "words_per_second": statistics.median(speeds),
        "slowest": min(speeds),
        "fastest": max(speeds),
    }


def _bytes_per_word(corpus: EncodedText, config: Config) -> float:
    """Return the bytes of rows read and written per corpus word, averaged over the words that subsampling drops too."""
    counts = corpus.word_counts
    kept = expected_occurrences(counts, keep_probabilities(counts, config.sampling.subsample))
    return CuPyEngine(corpus, BlockSettings.of(config)).layout.bytes_per_centre * kept / len(corpus.word_ids)


def _threads(backend: Backend) -> int:
    return 1 if backend is Backend.CUPY else available_cores()
