"""From a corpus to a vectors file: everything that `w2v train` does, as one call."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli import __version__, storage, vectors
from w2v_cli.block_training import BlockLearner
from w2v_cli.corpora import CorpusFound, find_corpus
from w2v_cli.errors import ConfigError
from w2v_cli.held_out import hold_out
from w2v_cli.kernels import load_block_engine, load_minibatch_engine
from w2v_cli.kernels.contract import Backend
from w2v_cli.learner import Learner
from w2v_cli.minibatch_training import MOST_THREADS, MinibatchLearner
from w2v_cli.preflight import resolve_backend
from w2v_cli.scan_report import ScanReport
from w2v_cli.scanner import ScannedCorpus, scan
from w2v_cli.settings import Config
from w2v_cli.training import Progress, Trained, train


@dataclass(frozen=True)
class CorpusScanned:
    """The corpus has been counted and encoded."""

    corpus: ScannedCorpus
    seconds: float


@dataclass(frozen=True)
class EngineLoaded:
    """Training begins, with this algorithm on this backend.

    is_compiled: no compilation of ten seconds is to come; is_reproducible: the same training gives the same bytes, as
    it does not where threads or a GPU add in any order.
    """

    algorithm: str
    backend: Backend
    threads: int
    is_compiled: bool = True
    is_reproducible: bool = True


@dataclass(frozen=True)
class VectorsSaved:
    """The vectors file is complete on disk."""

    path: Path
    vocabulary_size: int
    trained: Trained
    report: ScanReport


Event = CorpusFound | CorpusScanned | EngineLoaded | Progress | VectorsSaved
OnEvent = Callable[[Event], None]


def train_vectors(config: Config, data_folder: Path, on_event: OnEvent) -> VectorsSaved:
    """Train on the corpus that the config names and write the vectors file; return the last event.

    What can be refused is refused before training. Raises the W2vError of whatever is in the way.
    """
    output = Path(config.output.path)
    storage.refuse_existing(output, overwrite=config.output.overwrite)
    storage.check_writable(output)
    config = _with_algorithm(config)
    backend = resolve_backend(config.training.backend)
    found = find_corpus(config.corpus.source, data_folder)
    on_event(found)
    scanned = _scan(found, config)
    on_event(scanned)
    training, held_out = _hold_out(scanned.corpus, config)
    learner, loaded = _build_learner(training, held_out, config, backend)
    on_event(loaded)
    learner.prepare()
    trained = train(len(training.word_ids), config, learner, on_event)
    word_vectors = _word_vectors(found, scanned.corpus, config, loaded, trained)
    vectors.save(output, word_vectors, overwrite=config.output.overwrite)
    saved = VectorsSaved(output, len(scanned.corpus.vocabulary), trained, scanned.corpus.report)
    on_event(saved)
    return saved


def summary(saved: VectorsSaved) -> dict[str, Any]:
    """Return what a script wants to know of a finished training, JSON-able."""
    last = saved.trained.reports[-1]
    return {
        "output": str(saved.path),
        "words": saved.vocabulary_size,
        "seconds": round(saved.trained.seconds, 3),
        "words_per_second": round(last.words_per_second),
        "epoch_losses": saved.trained.epoch_losses,
        "corpus": saved.report.as_json(),
        **_validation(saved.trained),
    }


def _validation(trained: Trained) -> dict[str, Any]:
    """Return what the held-out sentences said, JSON-able; nothing where there are none."""
    losses = trained.validation_losses
    return {"validation_losses": losses, "epoch": trained.epoch} if losses else {}


def _with_algorithm(config: Config) -> Config:
    """Return the config with its algorithm chosen: block, but for what only minibatch can do.

    Raises ConfigError where block was asked for with what it cannot do.
    """
    training = config.training
    needs = [
        *(["training.optimizer: adam"] if training.optimizer == "adam" else []),
        *(["the GPU"] if training.backend == "cupy" else []),
    ]
    if training.patience is not None and training.validation == 0:
        raise ConfigError("--patience waits for a lower held-out loss: give --validation a share too, such as 0.01.")
    if training.deterministic and training.backend == "cupy":
        raise ConfigError("--deterministic cannot be had with --gpu: a GPU adds in any order; leave one of them out.")
    if training.algorithm == "block" and needs:
        raise ConfigError(f"--algorithm block cannot do {' and '.join(needs)}: train with --algorithm minibatch.")
    if training.algorithm == "auto":
        training = training.model_copy(update={"algorithm": "minibatch" if needs else "block"})
    return config.model_copy(update={"training": training})


def _hold_out(corpus: ScannedCorpus, config: Config) -> tuple[ScannedCorpus, ScannedCorpus | None]:
    """Return the part of the corpus that is trained on, and the part that is held out, if any."""
    share = config.training.validation
    return hold_out(corpus, share, config.sampling.seed) if share > 0 else (corpus, None)


def _build_learner(
    corpus: ScannedCorpus, held_out: ScannedCorpus | None, config: Config, backend: Backend
) -> tuple[Learner, EngineLoaded]:
    """Return the algorithm, ready to train, and what there is to say of it."""
    threads = config.training.threads or available_cores()
    if config.training.algorithm == "block":
        return _build_block_learner(corpus, held_out, config, backend, threads)
    threads = min(threads, MOST_THREADS)
    engine = load_minibatch_engine(backend, is_classic=config.model.cbow_gradient == "classic")
    loaded = EngineLoaded("minibatch", backend, threads, is_reproducible=backend is not Backend.CUPY)
    return MinibatchLearner(corpus, config, engine, held_out, threads=threads), loaded


def _build_block_learner(
    corpus: ScannedCorpus, held_out: ScannedCorpus | None, config: Config, backend: Backend, threads: int
) -> tuple[Learner, EngineLoaded]:
    """Return the same for the block algorithm: lock-free threads, or the engine's own where it is deterministic."""
    is_deterministic = config.training.deterministic
    if backend is Backend.NUMPY:
        threads = 1
    engine = load_block_engine(backend, corpus, config, held_out, threads=threads)
    loaded = EngineLoaded(
        "block",
        backend,
        threads,
        is_compiled=engine.is_compiled,
        is_reproducible=is_deterministic or threads == 1,
    )
    learner = BlockLearner(corpus, config, engine, held_out, threads=1 if is_deterministic else threads)
    return learner, loaded


def available_cores() -> int:
    """Return the cores that this process may use: fewer than the machine has under taskset or in some containers."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _scan(found: CorpusFound, config: Config) -> CorpusScanned:
    started = time.perf_counter()
    threads = config.training.threads or available_cores()
    corpus = scan(found.sources, config.corpus, threads=threads, folder=Path(config.output.path).absolute().parent)
    return CorpusScanned(corpus, time.perf_counter() - started)


def _word_vectors(
    found: CorpusFound, corpus: ScannedCorpus, config: Config, loaded: EngineLoaded, trained: Trained
) -> vectors.WordVectors:
    """Return the vectors with their provenance: all that decides them and nothing else (docs/adr/0004).

    No time, path or thread count, so that equal trainings make equal bytes.
    """
    no_corpus_settings = {"source", "max_expansion", "max_unpacked"}  # the last two refuse a text or do not
    settings = config.model_dump(
        mode="json", exclude={"corpus": no_corpus_settings, "output": True, "training": {"threads"}}
    )
    settings["training"]["learning_rate"] = config.learning_rate
    metadata = {
        "package_version": __version__,
        "algorithm": loaded.algorithm,
        "backend": str(loaded.backend),
        "reproducible": loaded.is_reproducible,
        "seed": config.sampling.seed,
        "config": settings,
        "corpus": {
            "source": found.provenance,
            "sha256": corpus.sha256,
            "kept_words": corpus.vocabulary.kept_words,
            **corpus.report.as_json(),
        },
        "epoch_losses": trained.epoch_losses,
        "final_loss": trained.epoch_losses[-1],
        **_validation(trained),
    }
    return vectors.WordVectors(trained.input_vectors, corpus.vocabulary.words, corpus.vocabulary.counts, metadata)
