"""The tasks of workers: inspect files, count words, train shards.

A task is a function of this file by its name; the worker must have the same version of w2v. Nothing but the vocabulary
and the matrices of a call is kept for the next task.
"""

import dataclasses
import signal
import socket
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from w2v_cli import __version__
from w2v_cli.cluster.merge import RowChanges
from w2v_cli.cluster.shards import Shard
from w2v_cli.config.schema import Config, CorpusSettings
from w2v_cli.corpus.encode import encode_text
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.corpus.parts import FileFacts, inspect_file
from w2v_cli.corpus.reader import OtherDataError, TextReader, check_head
from w2v_cli.corpus.report import TextCounts
from w2v_cli.corpus.scan import encode_sources
from w2v_cli.corpus.sources import Source
from w2v_cli.corpus.vocabulary import Vocabulary
from w2v_cli.corpus.word_table import PackedWordCounts, WordTable
from w2v_cli.errors import ClusterError, ConfigError, CorpusError, DownloadError, MissingDependencyError, StorageError
from w2v_cli.kernels import (
    ROWS_AT_ONCE,
    Backend,
    BlockEngine,
    BlockSettings,
    Embeddings,
    Purpose,
    draw_words,
    load_block_engine,
    resolve_backend,
    split_held_out,
)
from w2v_cli.system.file_types import is_web_page
from w2v_cli.training import NamedArrays, Schedule
from w2v_cli.vectors import encode_words


def run_task(version: str, name: str, *arguments: Any) -> Any:
    """Run a task on the worker and return its result.

    Args:
        version: the driver's version of w2v.
        name: of the task.
        arguments: of its function.

    Raises:
        MissingDependencyError: the worker has another version of w2v.
        W2vError: text, disk, network or GPU failed; the message names the worker, since machines may differ. An error
            of CuPy becomes a W2vError: a driver without CuPy could not unpickle it.
    """
    if version != __version__:
        raise MissingDependencyError(
            f"the worker on {socket.gethostname()} has w2v-cli {__version__}, the driver {version}: install the same "
            f"on all machines of the cluster."
        )
    failure: Exception
    try:
        return _TASKS[name](*arguments)
    except (ConfigError, CorpusError, DownloadError, MissingDependencyError, StorageError) as error:
        failure = type(error)(f"{error.message} {_reported_by()}")
    except MemoryError as error:
        failure = MemoryError(str(error))
    except RuntimeError as error:
        if not type(error).__module__.startswith("cupy"):
            raise
        cause = textwrap.shorten(str(error), width=200, placeholder=" …")
        failure = ClusterError(f"a GPU failed: {cause}; see the log of its driver. {_reported_by()}")
    raise failure  # outside of the except blocks: its cause, an error of any package, is not sent along


def _reported_by() -> str:
    return f"(reported by the worker on {socket.gethostname()})"


@dataclass(frozen=True)
class FileSeen:
    """The inspection of a file: its facts, or why it is not text; and whether it is HTML."""

    facts: FileFacts | None
    refusal: str = ""
    is_web_page: bool = False


def inspect_files(sources: Sequence[Source], settings: CorpusSettings) -> list[FileSeen]:
    """Inspect files before they are cut into parts.

    Raises:
        CorpusError: a file cannot be read, is not UTF-8, or is not text and was named by the user.
    """
    return [_inspect(source, settings) for source in sources]


def _inspect(source: Source, settings: CorpusSettings) -> FileSeen:
    facts, head = inspect_file(source)
    try:
        if facts.has_parts:
            check_head(source, head)
        else:  # decompress the beginning
            next(TextReader((Source(source.place),), settings).iterate_chunks(), None)
    except OtherDataError as error:
        if source.folder is None:
            raise
        return FileSeen(None, str(error))
    return FileSeen(facts, is_web_page=facts.has_parts and is_web_page(head))  # readers report compressed ones


@dataclass(frozen=True)
class CountedParts:
    """The counts of some parts of a text, as a worker sends them.

    Attributes:
        words: the words and their counts, as WordTable.add_words takes them.
        counts: what else was counted.
    """

    words: PackedWordCounts
    counts: TextCounts


def count_parts(sources: Sequence[Source], settings: CorpusSettings) -> CountedParts:
    """Count the words of some parts of a text; raise CorpusError if they cannot be read."""
    text = encode_text(TextReader(sources, settings), settings, threads=1, beside=None)
    return CountedParts(text.words.packed(), text.counts)


@dataclass(frozen=True)
class PackedVocabulary:
    """The vocabulary as it is sent to workers: the words back to back, as WordTable.add_words takes them."""

    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "PackedVocabulary":
        """Pack a vocabulary."""
        return cls(*encode_words(vocabulary.words), vocabulary.counts)

    @cached_property
    def table(self) -> WordTable:
        """The table of the words, built once in each process: hashes differ between processes."""
        table = WordTable()
        table.add_words(np.array(self.text), np.array(self.offsets), np.array(self.counts))
        return table

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


@dataclass(frozen=True)
class ShardTask:
    """A shard to train or to measure.

    Attributes:
        corpus: how to read the text.
        settings: those of the engine.
        validation: share of the sentences held out.
        delta_format: number format of the changes, `float32` or `float16`.
        backend: what computes.
        shard: the part of the text.
        epoch: from 0.
        first_progress: share of the whole training that is done before the round.
        last_progress: share that is done after it.
        schedule: of the learning rate.
    """

    corpus: CorpusSettings
    settings: BlockSettings
    validation: float
    delta_format: str
    backend: Backend
    shard: Shard
    epoch: int
    first_progress: float
    last_progress: float
    schedule: Schedule

    @classmethod
    def of(
        cls,
        config: Config,
        backend: Backend,
        shard: Shard,
        epoch: int,
        first_progress: float,
        last_progress: float,
        schedule: Schedule,
    ) -> Self:
        """Return a task with what workers need of a config."""
        return cls(
            config.corpus,
            BlockSettings.of(config),
            config.training.validation,
            config.cluster.delta_format,
            backend,
            shard,
            epoch,
            first_progress,
            last_progress,
            schedule,
        )


@dataclass(frozen=True)
class ShardResult:
    """The changes of each matrix by name, the summed loss in nats and the number of positive pairs."""

    changes: dict[str, RowChanges]
    loss_sum: float
    pairs: int


def shard_seed(seed: int, number: int) -> int:
    """Return the 64-bit seed of a shard: its positions count from 0, so its draws need their own key."""
    low, high = draw_words(seed, 0, np.array([number]), Purpose.SHARDS)[:2, 0].tolist()
    return int(low | high << 32)


def compile_engine(settings: BlockSettings, backend: Backend, vocabulary: int = 2, words: int = 2) -> None:
    """Compile the engine that trains shards, for all workers that share the folder of compiled code.

    Args:
        settings: those of the engine.
        backend: what computes.
        vocabulary: V, words of the vocabulary.
        words: occurrences in the largest shard.

    Raises:
        StorageError: a GPU has too little memory for a shard.
    """
    corpus = EncodedText(np.zeros(words, np.int32), np.array([0, words]), np.ones(vocabulary, np.int64))
    matrices = (np.zeros((vocabulary, settings.model.dim), np.float32) for _ in range(2))
    load_block_engine(backend, corpus, _on_one_thread(settings), start=Embeddings(*matrices)).prepare()


def train_shard(vocabulary: PackedVocabulary, state: NamedArrays, task: ShardTask) -> ShardResult:
    """Train a shard from a state of both matrices, on one thread; return the changes."""
    corpus, _ = _read(vocabulary, task)
    loss_sum, pairs, words = 0.0, 0, len(corpus.word_ids)
    if words == 0:
        return ShardResult({}, 0.0, 0)
    engine = _engine(corpus, None, state, task)
    for start in range(0, words, engine.span_words):
        stop = min(start + engine.span_words, words)
        rates = [_rate_at(task, place / words) for place in (start, stop)]
        loss, found = engine.train_span(task.epoch, start, stop, *rates)
        loss_sum, pairs = loss_sum + loss, pairs + found
    updates = np.bincount(corpus.word_ids, minlength=len(vocabulary.counts)).astype(np.float32)
    dtype = np.dtype(task.delta_format)
    new = engine.read_state()
    changes = {name: _changes(state[name], new[name], updates, dtype) for name in state}
    return ShardResult(changes, float(loss_sum), int(pairs))


def measure_shard(vocabulary: PackedVocabulary, state: NamedArrays, task: ShardTask) -> tuple[float, int]:
    """Return the summed loss in nats and the positive pairs of the sentences that a shard holds out."""
    corpus, held_out = _read(vocabulary, task)
    words = 0 if held_out is None else len(held_out.word_ids)
    if words == 0:
        return 0.0, 0
    engine = _engine(corpus, held_out, state, task)
    spans = ((start, min(start + engine.span_words, words)) for start in range(0, words, engine.span_words))
    measured = [engine.measure_span(*span) for span in spans]
    return float(sum(loss for loss, _ in measured)), int(sum(pairs for _, pairs in measured))


def _read(vocabulary: PackedVocabulary, task: ShardTask) -> tuple[EncodedText, EncodedText | None]:
    """Return the training part of a shard, and its held-out part if there is validation."""
    corpus = encode_sources(task.shard.sources, task.corpus, vocabulary.table)
    if task.validation == 0 or len(corpus.word_ids) == 0:
        return corpus, None
    return split_held_out(corpus, task.validation, shard_seed(task.settings.sampling.seed, task.shard.number))


def _engine(corpus: EncodedText, held_out: EncodedText | None, state: NamedArrays, task: ShardTask) -> BlockEngine:
    """Return the engine for a shard; raise MissingDependencyError if it needs a GPU and this worker has none."""
    sampling = task.settings.sampling
    own_draws = sampling.model_copy(update={"seed": shard_seed(sampling.seed, task.shard.number)})
    settings = dataclasses.replace(_on_one_thread(task.settings), sampling=own_draws)
    start = Embeddings(state["input_vectors"], state["output_vectors"])
    return load_block_engine(resolve_backend(task.backend), corpus, settings, held_out, start=start)


def _on_one_thread(settings: BlockSettings) -> BlockSettings:
    """Return the settings without `deterministic`: one thread is always deterministic."""
    return dataclasses.replace(settings, deterministic=False)


def _rate_at(task: ShardTask, done: float) -> float:
    progress = task.first_progress + (task.last_progress - task.first_progress) * done
    return task.schedule.at(progress)


def _changes(
    old: NDArray[np.float32], new: NDArray[np.float32], updates: NDArray[np.float32], dtype: np.dtype[Any]
) -> RowChanges:
    """Return the rows in which any element changed, with the differences."""
    blocks = [slice(first, first + ROWS_AT_ONCE) for first in range(0, len(old), ROWS_AT_ONCE)]
    is_changed = np.concatenate([(old[block] != new[block]).any(axis=1) for block in blocks])
    rows = np.flatnonzero(is_changed).astype(np.int32)
    values = np.empty((len(rows), old.shape[1]), dtype)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[first : first + ROWS_AT_ONCE]
        values[first : first + ROWS_AT_ONCE] = new[some] - old[some]
    return RowChanges(rows, values, np.maximum(updates[rows], 1))


_TASKS: dict[str, Callable[..., Any]] = {
    "inspect": inspect_files,
    "count": count_parts,
    "compile": compile_engine,
    "resolve": resolve_backend,
    "train": train_shard,
    "measure": measure_shard,
}


def dask_setup(_worker: Any) -> None:
    """Ignore Ctrl-C: the program that started this worker handles it. Dask calls this function by its name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
