"""The preparation of a training: locks, checks, corpus and trainer, before the first word is trained."""

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from w2v_cli.cluster.connect import open_cluster
from w2v_cli.cluster.pool import Cluster
from w2v_cli.cluster.scan import ClusterCorpus, refuse_stdin, scan_on
from w2v_cli.cluster.trainer import ClusterTrainer, resolve_on
from w2v_cli.config.schema import Config, CorpusSettings, OutputSettings
from w2v_cli.config.types import parse_address
from w2v_cli.corpus import urls
from w2v_cli.corpus.find import CorpusFound, find_corpus
from w2v_cli.corpus.scan import ScannedCorpus, ScanResult, scan_corpus
from w2v_cli.corpus.sources import known_bytes
from w2v_cli.corpus.vocabulary import Vocabulary, no_words
from w2v_cli.evaluation import Evaluator, read_sets
from w2v_cli.kernels import Backend, hold_out, resolve_backend
from w2v_cli.pipeline.events import CorpusRead, CorpusScanned, OnEvent, TrainingResumed, WordsInitialised
from w2v_cli.pipeline.memory import MemoryFound, check_least_memory, check_memory, is_compiled
from w2v_cli.pipeline.run_log import check_log
from w2v_cli.system import files, locks
from w2v_cli.system.files import clear_stale
from w2v_cli.system.machine import available_cores
from w2v_cli.training import (
    EngineLoaded,
    Identity,
    Schedule,
    Snapshot,
    Trainer,
    TrainerState,
    build_trainer,
    check_same,
    find_snapshot,
    merge_settings,
    read_old_vectors,
    resume_training,
    snapshot_path,
    start_from,
    with_algorithm,
)

if TYPE_CHECKING:
    from w2v_cli.corpus.encoded_text import EncodedText

_HALF_BYTES = np.dtype(np.float16).itemsize


@contextlib.contextmanager
def lock_output(config: Config, resume: Collection[str] | None) -> Iterator[tuple[Config, Snapshot | None]]:
    """Hold the output; yield the config to train with, and the snapshot to resume, None for a new training.

    Args:
        config: All settings.
        resume: None for a new training; else the dotted keys of `config` that were given.

    Raises:
        StorageError: Vectors, snapshot or log cannot be written.
        OutputInUseError: Another training holds the output.
        ConfigError: The output exists, or the snapshot is missing or belongs to another training.
        VectorsError: The snapshot is damaged.
    """
    output = Path(config.output.path)
    files.check_writable(output)
    if config.output.has_snapshots:
        files.check_writable(snapshot_path(output))
    with locks.hold(output):
        clear_stale(output.absolute().parent)
        snapshot = find_snapshot(output, is_resumed=resume is not None, overwrite=config.output.overwrite)
        if snapshot is not None:
            config = merge_settings(config, resume or (), snapshot)
        check_log(config.output, is_resumed=snapshot is not None)
        yield config, snapshot


@contextlib.contextmanager
def connect_cluster(config: Config, data_folder: Path, on_event: OnEvent) -> Iterator[Cluster | None]:
    """Yield the cluster to train on, None to train in this process.

    All checks that need no cluster come before it is started or waited for.
    """
    if config.cluster.cluster is None:
        yield None
        return
    _check_before_cluster(config, data_folder)
    with open_cluster(config.cluster, on_event) as cluster:
        yield cluster


def _check_before_cluster(config: Config, data_folder: Path) -> None:
    """Raise the error of settings, evaluation sets or texts that cannot be used."""
    with_algorithm(config)
    read_sets(config.training.evaluate, data_folder)
    source = config.corpus.source
    if any(urls.is_url(text) for text in ((source,) if isinstance(source, str) else source or ())):
        return  # URLs take time, and are checked later
    sources = find_corpus(source, data_folder).sources
    places = [found.place for found in sources]
    refuse_stdin(places)
    files.refuse_input(Path(config.output.path), places)
    if parse_address(config.cluster.cluster or "").workers and known_bytes(sources) == 0:
        raise no_words()


@dataclass(frozen=True)
class PreparedTraining:
    """A training that is ready to start.

    Attributes:
        corpus_words: the words of an epoch.
        loaded: the algorithm and the backend.
        evaluator: None if no sets are scored.
        state: that of an earlier run, None for a new training.
    """

    config: Config
    corpus: ScannedCorpus
    corpus_words: int
    identity: Identity
    trainer: Trainer
    schedule: Schedule
    loaded: EngineLoaded
    memory: MemoryFound
    evaluator: Evaluator | None
    state: TrainerState | None = None


def prepare(
    config: Config, data_folder: Path, on_event: OnEvent, snapshot: Snapshot | None, cluster: Cluster | None = None
) -> PreparedTraining:
    """Find and scan the corpus, build the trainer and restore it if training is resumed.

    Args:
        config: The settings that `lock_output` gave.
        data_folder: The folder of downloaded corpora and evaluation sets.
        on_event: Called with each event.
        snapshot: The one to resume, None for a new training.
        cluster: The cluster to train on, None for this process.

    Raises:
        W2vError: One of its subclasses: the training cannot start.
    """
    config, output = with_algorithm(config), Path(config.output.path)
    check_least_memory(config.training.threads or available_cores())
    run: _Run = LocalRun(config) if cluster is None else ClusterRun(config, cluster)
    backend = run.resolve_backend()
    sets = read_sets(config.training.evaluate, data_folder)
    old_vectors = read_old_vectors(config.model) if snapshot is None else None
    found = find_corpus(config.corpus.source, data_folder)
    files.refuse_input(output, (source.place for source in found.sources))
    on_event(found)
    corpus = run.scan(found, on_event)
    memory = check_memory(corpus, config, backend)
    corpus_facts = _corpus_facts(found, corpus)
    schedule = Schedule.of(config)
    trainer, loaded, words = run.build_trainer(schedule, backend)
    if snapshot is not None:
        check_same(output, snapshot, corpus_facts, str(backend), loaded.rounds or words)
    _check_room(config.output, trainer, has_snapshot=snapshot is not None)
    on_event(loaded)
    trainer.prepare()
    kept_config = config.model_copy(update={"corpus": config.corpus.model_copy(update={"source": found.source})})
    identity = Identity(kept_config, corpus_facts, str(backend), loaded.is_reproducible)
    scoring_threads = min(loaded.threads, available_cores())
    evaluator = Evaluator(sets, corpus.vocabulary.words, threads=scoring_threads) if sets else None
    state = None
    if snapshot is not None:
        identity, state = resume_training(trainer, snapshot, identity)
        progress, epoch = state.sums.progress, state.position.epoch
        on_event(TrainingResumed(snapshot_path(output), progress, epoch, config.training.epochs))
    elif old_vectors is not None:
        matched = start_from(trainer, corpus.vocabulary.words, old_vectors)
        on_event(WordsInitialised(old_vectors.name, matched, len(corpus.vocabulary)))
        identity = dataclasses.replace(identity, init_from=old_vectors.describe() | {"words": matched})
    return PreparedTraining(config, corpus, words, identity, trainer, schedule, loaded, memory, evaluator, state)


class _Run(Protocol):
    """The place of a training, this process or a cluster: reads the corpus, and builds the trainer for it."""

    def resolve_backend(self) -> Backend:
        """Return the backend for the setting training.backend; raise MissingDependencyError if it cannot be used."""

    def scan(self, found: CorpusFound, on_event: OnEvent) -> ScannedCorpus:
        """Count and encode the corpus."""

    def build_trainer(self, schedule: Schedule, backend: Backend) -> tuple[Trainer, EngineLoaded, int]:
        """Return the trainer on the corpus that was scanned, the event of it, and the words of its epoch."""


class LocalRun:
    """A training in this process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._text: EncodedText | None = None

    def resolve_backend(self) -> Backend:
        """Return the backend that this machine has for the setting."""
        return resolve_backend(self._config.training.backend)

    def scan(self, found: CorpusFound, on_event: OnEvent) -> ScannedCorpus:
        """Count and encode the corpus with threads of this process; keep its text."""
        threads, beside = self._config.training.threads, Path(self._config.output.path)
        corpus, self._text = scan_found(found, self._config.corpus, threads, on_event, beside=beside)
        return corpus

    def build_trainer(self, schedule: Schedule, backend: Backend) -> tuple[Trainer, EngineLoaded, int]:
        """Return the trainer of the config's algorithm on the text without its held-out sentences."""
        if self._text is None:
            raise ValueError("no corpus was scanned")
        share, seed = self._config.training.validation, self._config.sampling.seed
        text, held_out = hold_out(self._text, share, seed) if share > 0 else (self._text, None)
        trainer, loaded = build_trainer(text, held_out, self._config, schedule, backend)
        return trainer, loaded, len(text.word_ids)


class ClusterRun:
    """A training on a cluster: its workers read and train, this process has the vocabulary and the matrices."""

    def __init__(self, config: Config, cluster: Cluster) -> None:
        self._config = config
        self._cluster = cluster
        self._read: ClusterCorpus | None = None

    def resolve_backend(self) -> Backend:
        """Return the backend that all workers have for the setting."""
        return resolve_on(self._cluster, self._config.training.backend)

    def scan(self, found: CorpusFound, on_event: OnEvent) -> ScannedCorpus:
        """Let the workers count the corpus; keep the rounds of an epoch."""
        started = time.perf_counter()
        on_read, config = partial(_emit_read, on_event), self._config
        self._read = scan_on(self._cluster, found.sources, config.corpus, config.cluster, on_read)
        on_event(CorpusScanned.of(self._read.corpus, config.corpus.min_count, time.perf_counter() - started))
        return self._read.corpus

    def build_trainer(self, schedule: Schedule, backend: Backend) -> tuple[Trainer, EngineLoaded, int]:
        """Return the trainer of rounds."""
        if self._read is None:
            raise ValueError("no corpus was scanned")
        config, vocabulary, rounds = self._config, self._read.corpus.vocabulary, self._read.rounds
        trainer = ClusterTrainer(self._cluster, rounds, vocabulary, config, backend, schedule)
        loaded = EngineLoaded(
            "block",
            backend,
            self._cluster.workers,
            is_compiled=is_compiled(config, backend),
            is_reproducible=backend is not Backend.CUPY,
            rounds=len(rounds),
        )
        return trainer, loaded, round(vocabulary.kept_words * (1 - config.training.validation))


def scan_found(
    found: CorpusFound, settings: CorpusSettings, threads: int | None, on_event: OnEvent, *, beside: Path | None
) -> ScanResult:
    """Count and encode a corpus that was found.

    Args:
        found: Its files.
        settings: How to read them.
        threads: How many encode; None: one for each core.
        on_event: Called with CorpusRead on the way, and CorpusScanned at the end.
        beside: The output whose folder takes the files of ids; None: the folder for temporary files.

    Raises:
        CorpusError: The text cannot be read or holds too few words.
    """
    started, threads = time.perf_counter(), threads or available_cores()
    on_read = partial(_emit_read, on_event)
    result = scan_corpus(found.sources, settings, threads=threads, beside=beside, on_read=on_read)
    on_event(CorpusScanned.of(result.corpus, settings.min_count, time.perf_counter() - started))
    return result


def _emit_read(on_event: OnEvent, done: int, total: int | None) -> None:
    on_event(CorpusRead(done, total))


def _check_room(output: OutputSettings, trainer: Trainer, *, has_snapshot: bool) -> None:
    """Raise StorageError if the disk has no room for the files of a training.

    A new snapshot is complete before the old one goes: for a while there are two.
    """
    state = trainer.read_state()
    words, dim = state["input_vectors"].shape
    sizes = [words * dim * _HALF_BYTES]
    if output.has_snapshots:
        sizes += [sum(array.nbytes for array in state.values())] * (1 if has_snapshot else 2)
    files.check_room(Path(output.path), sizes)


def _corpus_facts(found: CorpusFound, corpus: ScannedCorpus) -> dict[str, Any]:
    """Return the facts of the text and of its vocabulary, JSON-able."""
    return {
        "source": found.provenance,
        "sha256": corpus.sha256,
        "kept_words": corpus.vocabulary.kept_words,
        **corpus.report.as_json(),
        "vocabulary_sha256": _vocabulary_sha256(corpus.vocabulary),
    }


def _vocabulary_sha256(vocabulary: Vocabulary) -> str:
    """Return the hex digest of the words and their counts, which settings and text decide together."""
    digest = hashlib.sha256()
    for number, word in enumerate(vocabulary.words):
        digest.update(f"\n{word}".encode() if number else word.encode())
    digest.update(vocabulary.counts.astype("<i8").tobytes())
    return digest.hexdigest()
