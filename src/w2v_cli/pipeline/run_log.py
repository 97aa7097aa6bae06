"""A log of a training for other programs: one JSON object per event (docs/reference/log.md)."""

import contextlib
import json
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from w2v_cli.config.schema import Config, OutputSettings
from w2v_cli.errors import ConfigError, option
from w2v_cli.pipeline.events import CorpusRead, Event, Milestone, OnEvent
from w2v_cli.pipeline.log_fields import ending_fields, event_fields, start_fields
from w2v_cli.system import files

LOG_SCHEMA = 1  # grows when an event or a field changes its meaning
_LONGEST_LINE = 1 << 20
_logger = logging.getLogger(__name__)


def check_log(output: OutputSettings, *, is_resumed: bool) -> None:
    """Raise where the log cannot be written, or is in the way: found before training, and without writing.

    A log that exists is gone on with where training is resumed, and replaced with `overwrite`; a file that is no log of
    ours is never touched. A device or a pipe takes what comes.
    """
    if output.log is None:
        return
    path = Path(output.log)
    if output.log == "-":
        raise ConfigError("the log cannot go to stdout (-): name a file, or /dev/stderr.")
    if path.absolute() == Path(output.path).absolute():
        raise ConfigError(f"{option('log')} and {option('output')} are both {path}: give them names of their own.")
    if _is_device(path):
        return
    if os.path.lexists(path) and not path.is_dir():
        files.refuse_existing(path, overwrite=output.overwrite or is_resumed, what=option("log"))
        if not _is_log(path):
            raise ConfigError(f"{path} is no log of w2v and is kept: choose another {option('log')}.")
    files.check_writable(path)


@contextlib.contextmanager
def logged(config: Config, on_event: OnEvent, *, is_resumed: bool) -> Iterator[OnEvent]:
    """Yield a listener that writes every milestone to the log of the config, if it has one, and hands all on.

    Raises StorageError where the log cannot be begun.
    """
    if config.output.log is None:
        yield on_event
        return
    with RunLog(Path(config.output.log), is_resumed=is_resumed) as log:
        log.write("start", start_fields(config, is_resumed=is_resumed))

        def tell(event: Event) -> None:
            if not isinstance(event, CorpusRead):
                log.take_in(event)
            on_event(event)

        yield tell


class RunLog:
    """The file; what ends the block is its last event.

    A log is there for the training, not the other way round: where the disk fills up on the way, a warning is given and
    training goes on without it.
    """

    def __init__(self, path: Path, *, is_resumed: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._started = clock()
        self._is_begun = False
        self._is_broken = False
        with files.disk_errors(path):
            is_cut = is_resumed and _is_cut(path)
            self._file = path.open("ab" if is_resumed else "wb", buffering=0)
            if is_cut:  # by what ended the last run
                self._file.write(b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            self.write(*ending_fields(error))
        with contextlib.suppress(OSError):
            self._file.close()

    def take_in(self, event: Milestone) -> None:
        """Write an event of the training."""
        self.write(*event_fields(event))

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Write a line; raise StorageError where not even the first one can be written."""
        if self._is_broken:
            return
        seconds = round(self._clock() - self._started, 3)
        about = {"schema": LOG_SCHEMA, "event": name, "time": datetime.now(UTC).isoformat(), "seconds": seconds}
        line = json.dumps(_without_nan(about | content)).encode("ascii") + b"\n"
        try:
            if self._file.write(line) != len(line):
                raise OSError(None, "the disk is full")  # noqa: TRY301  as for a write that fails altogether
        except OSError as error:
            self._is_broken = True
            if not self._is_begun:
                raise files.cannot_write(self._path, error) from error
            cause = error.strerror or error
            _logger.warning("cannot go on with the log %s: %s; training goes on without it.", self._path, cause)
        self._is_begun = True


def _is_device(path: Path) -> bool:
    """Return whether there is something at `path` that is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _is_log(path: Path) -> bool:
    """Return whether a file begins as a log of ours does, or is empty."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
        first = json.loads(line) if line else {"schema": LOG_SCHEMA, "event": "start"}
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and {"schema", "event"} <= first.keys()


def _is_cut(path: Path) -> bool:
    """Return whether a log ends within a line."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _without_nan(content: Any) -> Any:
    """Return JSON-able content with null in place of NaN and infinities, which JSON has not."""
    return json.loads(json.dumps(content), parse_constant=lambda _name: None)
