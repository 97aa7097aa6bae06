"""What a cluster runs: our own functions by name, of the same version; and how its workers on this machine start."""

import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

from w2v_cli import __version__
from w2v_cli.corpus import OtherDataError, check_head
from w2v_cli.errors import CorpusError, MissingDependencyError
from w2v_cli.settings import CorpusSettings
from w2v_cli.shard_training import compile_engine, measure_shard, train_shard
from w2v_cli.sources import Source
from w2v_cli.tally import count_text
from w2v_cli.text_parts import FileFacts, inspect_file


def run_task(version: str, name: str, *arguments: Any) -> Any:
    """Return what the function of that name returns.

    Raises MissingDependencyError where the worker has another version of w2v, and CorpusError with the worker's name:
    not every machine may see the text.
    """
    if version != __version__:
        raise MissingDependencyError(
            f"the worker on {socket.gethostname()} has w2v-cli {__version__}, and this is {version}: install the same "
            f"on all machines of the cluster."
        )
    try:
        return _TASKS[name](*arguments)
    except CorpusError as error:
        raise CorpusError(f"{error} (So says the worker on {socket.gethostname()}.)") from None


def inspect_files(sources: Sequence[Source]) -> list[FileFacts | str]:
    """Return what is to be known of files before they are shared out; of those that are no text, why.

    Raises CorpusError where one cannot be read, or is no UTF-8.
    """
    return [_inspect(source) for source in sources]


def _inspect(source: Source) -> FileFacts | str:
    facts, head = inspect_file(source)
    if not facts.has_parts:  # its reader will look into it
        return facts
    try:
        check_head(source, head)
    except OtherDataError as error:
        if source.folder is None:
            raise
        return str(error)
    return facts


def count_parts(sources: Sequence[Source], config: CorpusSettings) -> Any:
    """Return the Tally of some parts."""
    return count_text(sources, config)


_TASKS: dict[str, Callable[..., Any]] = {
    "inspect": inspect_files,
    "count": count_parts,
    "compile": compile_engine,
    "train": train_shard,
    "measure": measure_shard,
}


def dask_setup(_worker: Any) -> None:
    """Leave Ctrl-C to the program that has started this worker; Dask calls it so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
