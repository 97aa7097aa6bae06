"""Which algorithm, backend and threads a config means, and the trainer that is built of them."""

from dataclasses import dataclass

from w2v_cli.config.schema import Config
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.errors import ConfigError, option
from w2v_cli.kernels.block.cuda_layout import MAX_DIM
from w2v_cli.kernels.load import load_block_engine, load_minibatch_engine
from w2v_cli.kernels.protocols import Backend
from w2v_cli.system.cpu import available_cores
from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.minibatch import MOST_THREADS, MinibatchTrainer
from w2v_cli.training.trainer import Trainer

__all__ = ["EngineLoaded", "available_cores", "build_trainer", "with_algorithm"]


@dataclass(frozen=True)
class EngineLoaded:
    """Training begins, with this algorithm on this backend.

    is_compiled: no compilation of twenty seconds is to come; is_reproducible: the same training gives the same bytes,
    as it does not where threads or a GPU add in any order; blocks_in_flight: those of the block algorithm on a GPU;
    rounds: of an epoch on a cluster, else 0.
    """

    algorithm: str
    backend: Backend
    threads: int
    is_compiled: bool = True
    is_reproducible: bool = True
    blocks_in_flight: int | None = None
    rounds: int = 0


def with_algorithm(config: Config) -> Config:
    """Return the config with its algorithm chosen: block, but for what only minibatch can do.

    Raises ConfigError where block was asked for with what it cannot do.
    """
    training = config.training
    is_too_wide = training.backend == "cupy" and config.model.dim > MAX_DIM
    needs = [
        *(["training.optimizer: adam"] if training.optimizer == "adam" else []),
        *([f"model.dim above {MAX_DIM} on the GPU"] if is_too_wide else []),
    ]
    if config.cluster.cluster is not None and (needs or training.algorithm == "minibatch"):
        wish = " and ".join(needs) or option("algorithm", "minibatch")
        raise ConfigError(f"{option('cluster')} trains by the block algorithm, not with {wish}: leave one of them out.")
    if training.patience is not None and training.validation == 0:
        raise ConfigError(
            f"{option('patience')} waits for a lower held-out loss: give {option('validation')} a share too, such as "
            "0.01."
        )
    if training.deterministic and training.backend == "cupy":
        raise ConfigError(
            f"{option('deterministic')} cannot be had with {option('backend', 'cupy')}: a GPU adds in any order; leave "
            "one of them out."
        )
    if training.algorithm == "block" and needs:
        raise ConfigError(
            f"{option('algorithm', 'block')} cannot do {' and '.join(needs)}: train with "
            f"{option('algorithm', 'minibatch')}."
        )
    if training.algorithm == "auto":
        training = training.model_copy(update={"algorithm": "minibatch" if needs else "block"})
    return config.model_copy(update={"training": training})


def build_trainer(
    corpus: EncodedText, held_out: EncodedText | None, config: Config, backend: Backend
) -> tuple[Trainer, EngineLoaded]:
    """Return the algorithm, ready to train, and what there is to say of it."""
    threads = config.training.threads or available_cores()
    if config.training.algorithm == "block":
        return _build_block_trainer(corpus, held_out, config, backend, threads)
    threads = min(threads, MOST_THREADS)
    engine = load_minibatch_engine(backend, corpus, config)
    loaded = EngineLoaded("minibatch", backend, threads, is_reproducible=backend is not Backend.CUPY)
    return MinibatchTrainer(corpus, config, engine, held_out, threads=threads), loaded


def _build_block_trainer(
    corpus: EncodedText, held_out: EncodedText | None, config: Config, backend: Backend, threads: int
) -> tuple[Trainer, EngineLoaded]:
    """Return the same for the block algorithm: lock-free threads, or what the engine has itself."""
    is_deterministic = config.training.deterministic
    if backend is Backend.NUMPY:
        threads = 1
    is_on_device = backend is Backend.CUPY
    engine = load_block_engine(backend, corpus, config, held_out, threads=threads)
    loaded = EngineLoaded(
        "block",
        backend,
        threads,
        is_compiled=engine.is_compiled,
        is_reproducible=not is_on_device and (is_deterministic or threads == 1),
        blocks_in_flight=engine.blocks_in_flight,
    )
    callers = 1 if is_deterministic or is_on_device else threads
    trainer = BlockTrainer(corpus, config, engine, held_out, threads=callers)
    return trainer, loaded
