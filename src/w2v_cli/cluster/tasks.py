"""What a cluster runs: our own functions by name, of the same version; and how its workers on this machine start."""

import dataclasses
import signal
import socket
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
from w2v_cli.kernels.embeddings import ROWS_AT_ONCE, Embeddings
from w2v_cli.kernels.gpu import resolve_backend
from w2v_cli.kernels.holdout import split_held_out
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.philox import Purpose, draw_words
from w2v_cli.kernels.protocols import Backend, BlockEngine
from w2v_cli.system.file_types import is_web_page
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import NamedArrays
from w2v_cli.vectors import encode_words


def run_task(version: str, name: str, *arguments: Any) -> Any:
    """Return what the function of that name returns.

    Raises MissingDependencyError where the worker has another version of w2v. What text, disk, network and GPU have
    against it is told with the worker's name: not every machine may see the text, or have a GPU. No error is one of
    CuPy's, which a driver without CuPy could not read.
    """
    if version != __version__:
        raise MissingDependencyError(
            f"the worker on {socket.gethostname()} has w2v-cli {__version__}, and this is {version}: install the same "
            f"on all machines of the cluster."
        )
    failure: Exception
    try:
        return _TASKS[name](*arguments)
    except (ConfigError, CorpusError, DownloadError, MissingDependencyError, StorageError) as error:
        failure = type(error)(f"{error.message} {_so_says()}")
    except MemoryError as error:
        failure = MemoryError(str(error))
    except RuntimeError as error:
        if not type(error).__module__.startswith("cupy"):
            raise
        cause = textwrap.shorten(str(error), width=200, placeholder=" …")
        failure = ClusterError(f"a GPU has failed: {cause}; see its driver's log. {_so_says()}")
    raise failure  # here, so that what it came from, of any package's making, does not go with it


def _so_says() -> str:
    return f"(So says the worker on {socket.gethostname()}.)"


@dataclass(frozen=True)
class FileSeen:
    """What a look at a file has found: its facts, or why it is no text; and whether it is HTML."""

    facts: FileFacts | None
    refusal: str = ""
    is_web_page: bool = False


def inspect_files(sources: Sequence[Source], config: CorpusSettings) -> list[FileSeen]:
    """Return what is to be known of files before they are shared out.

    Raises CorpusError where one cannot be read, is no UTF-8, or is no text and was named itself.
    """
    return [_inspect(source, config) for source in sources]


def _inspect(source: Source, config: CorpusSettings) -> FileSeen:
    facts, head = inspect_file(source)
    try:
        if facts.has_parts:
            check_head(source, head)
        else:  # look into what is compressed
            next(TextReader((Source(source.place),), config).iterate_chunks(), None)
    except OtherDataError as error:
        if source.folder is None:
            raise
        return FileSeen(None, str(error))
    return FileSeen(facts, is_web_page=facts.has_parts and is_web_page(head))  # of the others their readers tell


@dataclass(frozen=True)
class CountedParts:
    """What was counted in some parts of a text, as a worker sends it.

    Attributes:
        words: the words and their counts, as WordTable.add_words takes them.
        counts: what else was counted.
    """

    words: PackedWordCounts
    counts: TextCounts


def count_parts(sources: Sequence[Source], config: CorpusSettings) -> CountedParts:
    """Return what there is in some parts of a text; raise CorpusError where they cannot be read."""
    text = encode_text(TextReader(sources, config), config, threads=1, beside=None)
    return CountedParts(text.words.packed(), text.counts)


@dataclass(frozen=True)
class PackedVocabulary:
    """The vocabulary as it goes to workers: words back to back, as WordTable.add_words takes them."""

    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "PackedVocabulary":
        """Return it for a vocabulary."""
        return cls(*encode_words(vocabulary.words), vocabulary.counts)

    @cached_property
    def table(self) -> WordTable:
        """The words by their ids, made once in a process: another one hashes otherwise."""
        table = WordTable()
        table.add_words(np.array(self.text), np.array(self.offsets), np.array(self.counts))
        return table

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


@dataclass(frozen=True)
class ShardWork:
    """A shard to be trained in an epoch (from 0), from share to share of the whole training; backend: what computes."""

    config: Config
    backend: Backend
    shard: Shard
    epoch: int
    first_progress: float
    last_progress: float
    schedule: Schedule


@dataclass(frozen=True)
class ShardResult:
    """The changes of both matrices, by name, the summed loss in nats and the positive pairs."""

    changes: dict[str, RowChanges]
    loss_sum: float
    pairs: int


def shard_seed(seed: int, number: int) -> int:
    """Return the 64-bit seed of a shard: positions are counted within it, so that its draws need a key of their own."""
    low, high = draw_words(seed, 0, np.array([number]), Purpose.SHARDS)[:2, 0].tolist()
    return int(low | high << 32)


def compile_engine(config: Config, backend: Backend, vocabulary: int = 2, words: int = 2) -> None:
    """Compile what a shard is trained with, for all workers that keep compiled code in the same place.

    vocabulary, words: of a shard. Raises what an engine raises where that is too much for a device's memory.
    """
    corpus = EncodedText(np.zeros(words, np.int32), np.array([0, words]), np.ones(vocabulary, np.int64))
    matrices = (np.zeros((vocabulary, config.model.dim), np.float32) for _ in range(2))
    load_block_engine(backend, corpus, _on_one_thread(config), start=Embeddings(*matrices)).prepare()


def train_shard(vocabulary: PackedVocabulary, state: NamedArrays, work: ShardWork) -> ShardResult:
    """Train a shard from a state of both matrices, on one thread; return what has changed."""
    corpus, _ = _read(vocabulary, work)
    loss_sum, pairs, words = 0.0, 0, len(corpus.word_ids)
    if words == 0:
        return ShardResult({}, 0.0, 0)
    engine = _engine(corpus, None, state, work)
    for start in range(0, words, engine.span_words):
        stop = min(start + engine.span_words, words)
        rates = [_rate_at(work, place / words) for place in (start, stop)]
        loss, found = engine.train_span(work.epoch, start, stop, *rates)
        loss_sum, pairs = loss_sum + loss, pairs + found
    updates = np.bincount(corpus.word_ids, minlength=len(vocabulary.counts)).astype(np.float32)
    dtype = np.dtype(work.config.cluster.delta_format)
    new = engine.read_state()
    changes = {name: _changes(state[name], new[name], updates, dtype) for name in state}
    return ShardResult(changes, float(loss_sum), int(pairs))


def measure_shard(vocabulary: PackedVocabulary, state: NamedArrays, work: ShardWork) -> tuple[float, int]:
    """Return the summed loss and the pairs of the sentences that a shard holds out."""
    corpus, held_out = _read(vocabulary, work)
    words = 0 if held_out is None else len(held_out.word_ids)
    if words == 0:
        return 0.0, 0
    engine = _engine(corpus, held_out, state, work)
    spans = ((start, min(start + engine.span_words, words)) for start in range(0, words, engine.span_words))
    measured = [engine.measure_span(*span) for span in spans]
    return float(sum(loss for loss, _ in measured)), int(sum(pairs for _, pairs in measured))


def _read(vocabulary: PackedVocabulary, work: ShardWork) -> tuple[EncodedText, EncodedText | None]:
    """Return the part of a shard that is trained on, and the part that is held out, if any."""
    config = work.config
    corpus = encode_sources(work.shard.sources, config.corpus, vocabulary.table)
    if config.training.validation == 0 or len(corpus.word_ids) == 0:
        return corpus, None
    return split_held_out(corpus, config.training.validation, shard_seed(config.sampling.seed, work.shard.number))


def _engine(corpus: EncodedText, held_out: EncodedText | None, state: NamedArrays, work: ShardWork) -> BlockEngine:
    """Return what trains a shard; raise MissingDependencyError where this worker has no GPU and one is wanted."""
    seed = shard_seed(work.config.sampling.seed, work.shard.number)
    sampling = work.config.sampling.model_copy(update={"seed": seed})
    config = _on_one_thread(work.config).model_copy(update={"sampling": sampling})
    start = Embeddings(state["input_vectors"], state["output_vectors"])
    return load_block_engine(resolve_backend(work.backend), corpus, config, held_out, start=start)


def _on_one_thread(config: Config) -> Config:
    """Return the config without `deterministic`: one thread is, and needs no rounds of its own."""
    return config.model_copy(update={"training": config.training.model_copy(update={"deterministic": False})})


def _rate_at(work: ShardWork, done: float) -> float:
    progress = work.first_progress + (work.last_progress - work.first_progress) * done
    return work.schedule.at(progress)


def _changes(
    old: NDArray[np.float32], new: NDArray[np.float32], updates: NDArray[np.float32], dtype: np.dtype[Any]
) -> RowChanges:
    """Return the rows of which any number has changed, and what is to be added to them."""
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
    """Leave Ctrl-C to the program that has started this worker; Dask calls it so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
