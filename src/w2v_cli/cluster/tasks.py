"""What a cluster runs: our own functions by name, of the same version; and how its workers on this machine start."""

import signal
import socket
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster.shard_worker import compile_engine, measure_shard, train_shard
from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.encode import encode_text
from w2v_cli.corpus.parts import FileFacts, inspect_file
from w2v_cli.corpus.reader import OtherDataError, TextReader, check_head
from w2v_cli.corpus.report import TextCounts
from w2v_cli.corpus.sources import Source
from w2v_cli.corpus.word_table import PackedWordCounts
from w2v_cli.errors import ClusterError, ConfigError, CorpusError, DownloadError, MissingDependencyError, StorageError
from w2v_cli.kernels.gpu import resolve_backend
from w2v_cli.system.file_types import is_web_page


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
