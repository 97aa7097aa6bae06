"""What is done before the first word is trained on: everything that can be refused is refused here."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli.cluster.connect import joined
from w2v_cli.cluster.pool import Cluster
from w2v_cli.cluster.scan import refuse_stdin, scan_on
from w2v_cli.cluster.trainer import ClusterTrainer, resolve_on
from w2v_cli.config.schema import Config, CorpusSettings
from w2v_cli.config.types import parse_address
from w2v_cli.corpus import urls
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.corpus.find import CorpusFound, find_corpus
from w2v_cli.corpus.scan import ScannedCorpus, scan_corpus
from w2v_cli.corpus.sources import known_bytes
from w2v_cli.corpus.vocabulary import no_words
from w2v_cli.evaluation import Evaluator, read_sets
from w2v_cli.kernels.gpu import resolve_backend
from w2v_cli.kernels.holdout import hold_out
from w2v_cli.kernels.protocols import Backend
from w2v_cli.pipeline import memory_check, session
from w2v_cli.pipeline.events import CorpusRead, CorpusScanned, OnEvent
from w2v_cli.pipeline.memory_check import MemoryFound, check_least_memory, check_memory
from w2v_cli.pipeline.run_log import check_log
from w2v_cli.system import locks
from w2v_cli.system.files import clear_stale, refuse_input
from w2v_cli.system.machine import available_cores
from w2v_cli.training import resume as resume_module
from w2v_cli.training.factory import EngineLoaded, build_trainer, with_algorithm
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.snapshot import Identity, Snapshot
from w2v_cli.training.state import TrainerState
from w2v_cli.training.trainer import Trainer
from w2v_cli.training.warm_start import read_old_vectors


@contextlib.contextmanager
def claim(config: Config, resume: Collection[str] | None) -> Iterator[tuple[Config, Snapshot | None]]:
    """Hold the output; yield the config to train with and the snapshot to go on from, None where training is new.

    resume: as for pipeline.train_vectors. Raises what storage, lock, snapshot and log have against it.
    """
    output = Path(config.output.path)
    session.check_writable(output, config)
    with locks.hold(output):
        clear_stale(output.absolute().parent)
        taken = session.find_snapshot(output, is_resumed=resume is not None, overwrite=config.output.overwrite)
        if taken is not None:
            config = resume_module.merge_settings(config, resume or (), taken)
        check_log(config.output, is_resumed=taken is not None)
        yield config, taken


@contextlib.contextmanager
def connect_cluster(config: Config, data_folder: Path, on_event: OnEvent) -> Iterator[Cluster | None]:
    """Yield the cluster that a training is to run on, None where it runs here.

    What can be refused without a cluster is refused before one is started or waited for.
    """
    if config.cluster.cluster is None:
        yield None
        return
    _check_before_cluster(config, data_folder)
    with joined(config.cluster, on_event) as cluster:
        yield cluster


def _check_before_cluster(config: Config, data_folder: Path) -> None:
    """Raise what stands against settings, evaluation sets and the names of texts."""
    with_algorithm(config)
    read_sets(config.training.evaluate, data_folder)
    source = config.corpus.source
    if any(urls.is_url(text) for text in ((source,) if isinstance(source, str) else source or ())):
        return  # to look there takes its time, and comes later
    sources = find_corpus(source, data_folder).sources
    places = [found.place for found in sources]
    refuse_stdin(places)
    refuse_input(Path(config.output.path), places)
    if parse_address(config.cluster.cluster or "").workers and known_bytes(sources) == 0:
        raise no_words()


@dataclass(frozen=True)
class PreparedTraining:
    """A training that is ready to begin, or to go on; evaluator: None where nothing is to be scored."""

    config: Config
    corpus: ScannedCorpus
    corpus_words: int
    identity: Identity
    trainer: Trainer
    loaded: EngineLoaded
    memory: MemoryFound
    evaluator: Evaluator | None
    schedule: Schedule
    state: TrainerState | None = None


def begin(
    config: Config, data_folder: Path, on_event: OnEvent, taken: Snapshot | None, cluster: Cluster | None = None
) -> PreparedTraining:
    """Find and scan the corpus, build the trainer and bring it to where training begins."""
    config, output = with_algorithm(config), Path(config.output.path)
    schedule = Schedule.of(config)
    check_least_memory(config.training.threads or available_cores())
    wanted = config.training.backend
    backend = resolve_backend(wanted) if cluster is None else resolve_on(cluster, wanted)
    sets = read_sets(config.training.evaluate, data_folder)
    old_vectors = read_old_vectors(config.model) if taken is None else None
    found = find_corpus(config.corpus.source, data_folder)
    refuse_input(output, (source.place for source in found.sources))
    on_event(found)
    build, scanned = _scan(found, config, on_event) if cluster is None else _scan_on(cluster, found, config, on_event)
    on_event(scanned)
    corpus = scanned.corpus
    memory = check_memory(corpus, config, backend)
    corpus_facts = _corpus_facts(found, corpus)
    trainer, loaded, words = build(backend)
    if taken is not None:
        resume_module.check_same(output, taken, corpus_facts, str(backend), loaded.rounds or words)
    session.check_room(output, trainer, config, has_snapshot=taken is not None)
    on_event(loaded)
    trainer.prepare()
    kept_config = config.model_copy(update={"corpus": config.corpus.model_copy(update={"source": found.source})})
    identity = Identity(kept_config, corpus_facts, str(backend), loaded.is_reproducible)
    evaluator = (
        Evaluator(sets, corpus.vocabulary.words, threads=min(loaded.threads, available_cores())) if sets else None
    )
    state = None
    if taken is not None:
        identity, state = session.go_on(output, trainer, taken, identity, on_event)
    elif old_vectors is not None:
        identity = session.take_over(trainer, corpus.vocabulary, old_vectors, identity, on_event)
    return PreparedTraining(config, corpus, words, identity, trainer, loaded, memory, evaluator, schedule, state)


Build = Callable[[Backend], tuple[Trainer, EngineLoaded, int]]  # → the trainer, and the words of its epoch


def scan_found(
    found: CorpusFound,
    settings: CorpusSettings,
    threads: int | None,
    on_event: Callable[[CorpusRead], None],
    *,
    beside: Path | None,
) -> tuple[CorpusScanned, EncodedText]:
    """Return what was found in a corpus, with how long that took, and its text; threads: None: one for each core.

    beside and the errors: as for `scan`.
    """
    started = time.perf_counter()
    corpus, text = scan_corpus(
        found.sources,
        settings,
        threads=threads or available_cores(),
        beside=beside,
        on_read=lambda done, total: on_event(CorpusRead(done, total)),
    )
    return CorpusScanned(corpus, time.perf_counter() - started), text


def _scan(found: CorpusFound, config: Config, on_event: OnEvent) -> tuple[Build, CorpusScanned]:
    """Read the corpus; return what builds a trainer of it."""
    beside = Path(config.output.path)
    scanned, text = scan_found(found, config.corpus, config.training.threads, on_event, beside=beside)

    def build(backend: Backend) -> tuple[Trainer, EngineLoaded, int]:
        share = config.training.validation
        training, held_out = hold_out(text, share, config.sampling.seed) if share > 0 else (text, None)
        trainer, loaded = build_trainer(training, held_out, config, Schedule.of(config), backend)
        return trainer, loaded, len(training.word_ids)

    return build, scanned


def _scan_on(cluster: Cluster, found: CorpusFound, config: Config, on_event: OnEvent) -> tuple[Build, CorpusScanned]:
    """Do the same on a cluster."""
    started = time.perf_counter()
    read = scan_on(cluster, found.sources, config, lambda done, total: on_event(CorpusRead(done, total)))
    scanned = CorpusScanned(read.corpus, time.perf_counter() - started)

    def build(backend: Backend) -> tuple[Trainer, EngineLoaded, int]:
        vocabulary = read.corpus.vocabulary
        trainer = ClusterTrainer(cluster, read.rounds, vocabulary, config, backend)
        is_compiled = memory_check.is_compiled(config, backend)
        loaded = EngineLoaded(
            "block",
            backend,
            cluster.workers,
            is_compiled=is_compiled,
            is_reproducible=backend is not Backend.CUPY,
            rounds=len(read.rounds),
        )
        return trainer, loaded, round(vocabulary.kept_words * (1 - config.training.validation))

    return build, scanned


def _corpus_facts(found: CorpusFound, corpus: ScannedCorpus) -> dict[str, Any]:
    """Return what the text was and what was made of it, JSON-able."""
    return {
        "source": found.provenance,
        "sha256": corpus.sha256,
        "kept_words": corpus.vocabulary.kept_words,
        **corpus.report.as_json(),
        "vocabulary_sha256": session.vocabulary_sha256(corpus.vocabulary),
    }
