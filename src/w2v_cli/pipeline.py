"""From a corpus to a vectors file: everything that `w2v train` does, as one call."""

import stat
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli import datasets, output_lock, resuming, session, storage, vectors
from w2v_cli.engines import EngineLoaded, available_cores, build_learner, with_algorithm
from w2v_cli.errors import CorpusError, DivergedError
from w2v_cli.held_out import hold_out
from w2v_cli.initial_vectors import read_old_vectors
from w2v_cli.learner import Learner
from w2v_cli.preflight import resolve_backend
from w2v_cli.provenance import describe, stopped_early, validation
from w2v_cli.scanner import ScannedCorpus, scan
from w2v_cli.session import TrainingResumed, WordsInitialised
from w2v_cli.settings import Config
from w2v_cli.snapshot import Identity, Snapshot, snapshot_path
from w2v_cli.snapshot_keeper import SnapshotKeeper
from w2v_cli.temporary import clear_stale
from w2v_cli.training import Progress, Resumed, Trained, train

__all__ = ["EngineLoaded", "TrainingResumed", "WordsInitialised", "available_cores"]


@dataclass(frozen=True)
class CorpusFound:
    """The text that training will read.

    name: of the table of corpora, None for a file; is_default: none was asked for.
    """

    path: Path
    name: str | None
    is_default: bool

    @property
    def source(self) -> str:
        """What finds the same text again, from any folder."""
        return self.name or str(self.path.absolute())


@dataclass(frozen=True)
class CorpusScanned:
    """The corpus has been counted and encoded."""

    corpus: ScannedCorpus
    seconds: float


@dataclass(frozen=True)
class VectorsSaved:
    """The vectors file is complete on disk; snapshot: the file to go on from, where there is one."""

    path: Path
    vocabulary_size: int
    trained: Trained
    snapshot: Path | None = None


Event = CorpusFound | CorpusScanned | EngineLoaded | TrainingResumed | WordsInitialised | Progress | VectorsSaved
OnEvent = Callable[[Event], None]


def train_vectors(
    config: Config,
    data_folder: Path,
    on_event: OnEvent,
    *,
    resume: Collection[str] | None = None,
    discard_snapshot: bool = False,
    is_stop_wanted: Callable[[], bool] = lambda: False,
) -> VectorsSaved:
    """Train on the corpus that the config names and write the vectors file; return the last event.

    resume: None begins anew; else training goes on from the output's snapshot, with its settings, and these are the
    dotted keys of `config` that were really given and have to agree. discard_snapshot: remove it in the end.
    is_stop_wanted: asked again and again from the first training on; where it says so, snapshot and vectors are
    written and the training is not complete.
    What can be refused is refused before training. Raises the W2vError of whatever is in the way.
    """
    began, output = time.monotonic(), Path(config.output.path)
    storage.check_writable(output)
    with output_lock.hold(output):
        clear_stale(output.absolute().parent)
        taken = session.find_snapshot(output, is_resumed=resume is not None, overwrite=config.output.overwrite)
        if taken is not None:
            config = resuming.merge_settings(config, resume or (), taken)
        begun = _begin(config, data_folder, on_event, taken)
        keeper = session.build_keeper(output, begun.config, begun.identity, taken)
        is_over = session.stop_condition(begun.config, began, is_stop_wanted)
        try:
            trained = _train(begun, output, on_event, keeper, is_over)
        except DivergedError as error:
            raise session.with_kept_snapshot(error, keeper) from error
        if (discard_snapshot and trained.is_complete) or (keeper is None and taken is None):
            session.remove_snapshot(output)
        path = snapshot_path(output)
        saved = VectorsSaved(output, len(begun.corpus.vocabulary), trained, path if path.exists() else None)
        on_event(saved)
        return saved


@dataclass(frozen=True)
class _Begun:
    """A training that is ready to begin, or to go on."""

    config: Config
    corpus: ScannedCorpus
    corpus_words: int
    identity: Identity
    learner: Learner
    resumed: Resumed | None


def _begin(config: Config, data_folder: Path, on_event: OnEvent, taken: Snapshot | None) -> _Begun:
    """Find and scan the corpus, build the learner and bring it to where training begins."""
    config, output = with_algorithm(config), Path(config.output.path)
    backend = resolve_backend(config.training.backend)
    old_vectors = read_old_vectors(config.model) if taken is None else None
    found = find_corpus(config.corpus.source, data_folder)
    on_event(found)
    scanned = _scan(found.path, config)
    on_event(scanned)
    corpus, (training, held_out) = scanned.corpus, _hold_out(scanned.corpus, config)
    words, corpus_facts = len(training.word_ids), _corpus_facts(found, corpus)
    if taken is not None:
        resuming.check_same(output, taken, corpus_facts, backend, words)
    learner, loaded = build_learner(training, held_out, config, backend)
    session.check_room(output, learner, config, has_snapshot=taken is not None)
    on_event(loaded)
    learner.prepare()
    kept_config = config.model_copy(update={"corpus": config.corpus.model_copy(update={"source": found.source})})
    identity = Identity(kept_config, corpus_facts, backend, loaded.is_reproducible)
    if taken is not None:
        identity, resumed = session.go_on(output, learner, taken, identity, on_event)
        return _Begun(config, corpus, words, identity, learner, resumed)
    if old_vectors is not None:
        identity = session.take_over(learner, corpus.vocabulary, old_vectors, identity, on_event)
    return _Begun(config, corpus, words, identity, learner, None)


def _train(
    begun: _Begun,
    output: Path,
    on_event: OnEvent,
    keeper: SnapshotKeeper | None,
    is_over: Callable[[], bool],
) -> Trained:
    """Train, and write the vectors and the last snapshot."""
    with keeper or nullcontext():
        trained = train(
            begun.corpus_words,
            begun.config,
            begun.learner,
            on_event,
            resumed=begun.resumed,
            keeper=keeper,
            is_stop_wanted=is_over,
        )
        vectors.save(output, _word_vectors(begun, trained), overwrite=begun.config.output.overwrite)
    return trained


def corpus_settings_for(source: str | None, data_folder: Path) -> tuple[str, Mapping[str, object]] | None:
    """Return the name of the corpus that `source` means and the settings its table asks for; None for a plain file."""
    table = datasets.read_table()
    name = datasets.default_corpus(data_folder) if source is None else source
    return (name, table[name].settings) if name in table else None


def find_corpus(source: str | None, data_folder: Path) -> CorpusFound:
    """Return the text that `source` means: a corpus name, else a file; None is PTB where it is there, else `demo`.

    A name of the table wins over a file of the same name; ./NAME means the file.
    """
    name = datasets.default_corpus(data_folder) if source is None else source
    if name in datasets.read_table():
        return CorpusFound(datasets.locate(name, data_folder), name, is_default=source is None)
    path = Path(name)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        names = ", ".join(entry.name for entry in datasets.read_table().values() if entry.kind == "corpus")
        raise CorpusError(
            f"the corpus {name!r} is neither a file nor a corpus name ({names}): {error.strerror}; check the path."
        ) from error
    if is_folder:
        raise CorpusError(f"the corpus {path} is a folder: name a text file.")
    return CorpusFound(path, None, is_default=False)


def summary(saved: VectorsSaved) -> dict[str, Any]:
    """Return what a script wants to know of a finished training, JSON-able."""
    last = saved.trained.reports[-1]
    return {
        "output": str(saved.path),
        "words": saved.vocabulary_size,
        "seconds": round(saved.trained.seconds, 3),
        "words_per_second": round(last.words_per_second),
        "epoch_losses": saved.trained.epoch_losses,
        **validation(saved.trained),
        **stopped_early(saved.trained),
    }


def _hold_out(corpus: ScannedCorpus, config: Config) -> tuple[ScannedCorpus, ScannedCorpus | None]:
    """Return the part of the corpus that is trained on, and the part that is held out, if any."""
    share = config.training.validation
    return hold_out(corpus, share, config.sampling.seed) if share > 0 else (corpus, None)


def _scan(path: Path, config: Config) -> CorpusScanned:
    started = time.perf_counter()
    threads = config.training.threads or available_cores()
    corpus = scan(path, config.corpus, threads=threads, folder=Path(config.output.path).absolute().parent)
    return CorpusScanned(corpus, time.perf_counter() - started)


def _corpus_facts(found: CorpusFound, corpus: ScannedCorpus) -> dict[str, Any]:
    """Return what the text was and what was made of it, JSON-able."""
    return {
        "source": found.name or found.path.name,
        "sha256": corpus.sha256,
        "size_bytes": corpus.size_bytes,
        "words": corpus.corpus_words,
        "kept_words": corpus.vocabulary.kept_words,
        "vocabulary_sha256": session.vocabulary_sha256(corpus.vocabulary),
    }


def _word_vectors(begun: _Begun, trained: Trained) -> vectors.WordVectors:
    """Return the vectors with their provenance: all that decides them and nothing else (docs/adr/0004).

    No time, path or thread count, so that equal trainings make equal bytes.
    """
    identity, vocabulary = begun.identity, begun.corpus.vocabulary
    metadata = describe(identity, trained)
    return vectors.WordVectors(trained.input_vectors, vocabulary.words, vocabulary.counts, metadata)
