"""The choice of an algorithm, and construction of its trainer."""

from dataclasses import dataclass
from typing import Any

from w2v_cli.config.schema import Config
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.errors import ConfigError, option
from w2v_cli.kernels import (
    MAX_DIM,
    Backend,
    BatchBuilder,
    BlockSettings,
    build_embeddings,
    load_block_engine,
    load_minibatch_engine,
)
from w2v_cli.system.machine import available_cores
from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.minibatch import MOST_THREADS, MinibatchTrainer
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import Trainer


@dataclass(frozen=True)
class EngineLoaded:
    """Training starts: its algorithm and its backend.

    Attributes:
        algorithm: `block` or `minibatch`.
        backend: the code that computes.
        threads: threads of this process; on a cluster, workers.
        is_compiled: False if half a minute of compiling comes first.
        is_reproducible: whether the same training gives the same bytes; False if threads or a GPU add in any order.
        blocks_in_flight: blocks that a GPU trains at a time by the block algorithm, else None.
        rounds: rounds of an epoch on a cluster, else 0.
    """

    algorithm: str
    backend: Backend
    threads: int
    is_compiled: bool = True
    is_reproducible: bool = True
    blocks_in_flight: int | None = None
    rounds: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {
            "event": "training",
            "algorithm": self.algorithm,
            "backend": self.backend,
            "threads": self.threads,
            "is_compiled": self.is_compiled,
            "is_reproducible": self.is_reproducible,
            "blocks_in_flight": self.blocks_in_flight,
        }


def with_algorithm(config: Config) -> Config:
    """Return the config with `auto` replaced by an algorithm: block, except for what only minibatch supports.

    Args:
        config: All settings.

    Raises:
        ConfigError: Settings that cannot be combined.
    """
    training = config.training
    is_too_wide = training.backend == "cupy" and config.model.dim > MAX_DIM
    needs = [
        *(["training.optimizer: adam"] if training.optimizer == "adam" else []),
        *([f"model.dim above {MAX_DIM} on the GPU"] if is_too_wide else []),
    ]
    if config.cluster.cluster is not None and (needs or training.algorithm == "minibatch"):
        wish = " and ".join(needs) or option("algorithm", "minibatch")
        raise ConfigError(f"{option('cluster')} supports the block algorithm only, not {wish}: use one or the other.")
    if training.patience is not None and training.validation == 0:
        raise ConfigError(
            f"{option('patience')} needs held-out sentences: set {option('validation')} too, for example to 0.01."
        )
    if training.deterministic and training.backend == "cupy":
        raise ConfigError(
            f"{option('deterministic')} does not work with {option('backend', 'cupy')}, because a GPU adds floats in "
            "any order: use one or the other."
        )
    if training.algorithm == "block" and needs:
        raise ConfigError(
            f"{option('algorithm', 'block')} does not support {' and '.join(needs)}: use "
            f"{option('algorithm', 'minibatch')}."
        )
    if training.algorithm == "auto":
        training = training.model_copy(update={"algorithm": "minibatch" if needs else "block"})
    return config.model_copy(update={"training": training})


def build_trainer(
    text: EncodedText, held_out: EncodedText | None, config: Config, schedule: Schedule, backend: Backend
) -> tuple[Trainer, EngineLoaded]:
    """Return the trainer of the config's algorithm on a backend, and the event that describes it.

    Args:
        text: The text to train on.
        held_out: The sentences to measure the loss on, None for none.
        config: All settings, with the algorithm chosen.
        schedule: The learning rate.
        backend: The code that computes.

    Raises:
        ConfigError: A block does not fit into the GPU's shared memory.
        StorageError: The GPU has too little memory.
        MissingDependencyError: The GPU's compiler does not compile the kernels.
    """
    if config.training.algorithm == "block":
        return _build_block_trainer(text, held_out, config, schedule, backend)
    return _build_minibatch_trainer(text, held_out, config, schedule, backend)


def _build_minibatch_trainer(
    text: EncodedText, held_out: EncodedText | None, config: Config, schedule: Schedule, backend: Backend
) -> tuple[Trainer, EngineLoaded]:
    """Return the trainer of the minibatch algorithm."""
    model, sampling, training = config.model, config.sampling, config.training
    threads = min(training.threads or available_cores(), MOST_THREADS)
    start = build_embeddings(text.vocabulary_size, model, sampling.seed)
    engine = load_minibatch_engine(backend, model, training.optimizer, start)
    builder = BatchBuilder(text, model, sampling, training)
    held_out_builder = BatchBuilder(held_out, model, sampling, training) if held_out else None
    trainer = MinibatchTrainer(engine, schedule, builder, held_out_builder, epochs=training.epochs, threads=threads)
    loaded = EngineLoaded("minibatch", backend, threads, is_reproducible=backend is not Backend.CUPY)
    return trainer, loaded


def _build_block_trainer(
    text: EncodedText, held_out: EncodedText | None, config: Config, schedule: Schedule, backend: Backend
) -> tuple[Trainer, EngineLoaded]:
    """Return the trainer of the block algorithm: it calls the engine on threads, or the engine has its own."""
    is_deterministic, is_on_device = config.training.deterministic, backend is Backend.CUPY
    threads = 1 if backend is Backend.NUMPY else config.training.threads or available_cores()
    engine = load_block_engine(backend, text, BlockSettings.of(config), held_out, threads=threads)
    loaded = EngineLoaded(
        "block",
        backend,
        threads,
        is_compiled=engine.is_compiled,
        is_reproducible=not is_on_device and (is_deterministic or threads == 1),
        blocks_in_flight=engine.blocks_in_flight,
    )
    trainer = BlockTrainer(
        engine,
        schedule,
        epochs=config.training.epochs,
        words=len(text.word_ids),
        held_out_words=0 if held_out is None else len(held_out.word_ids),
        threads=1 if is_deterministic or is_on_device else threads,
    )
    return trainer, loaded
