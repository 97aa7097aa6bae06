"""The log of a training for other programs: one JSON object per event (docs/reference/log.md)."""

import contextlib
import json
import logging
import os
import platform
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from w2v_cli import __version__
from w2v_cli.config.schema import Config, OutputSettings
from w2v_cli.errors import ConfigError, StorageError, W2vError, explain_system_refusal, option
from w2v_cli.pipeline.events import CorpusRead, Event, OnEvent
from w2v_cli.system import files
from w2v_cli.system.machine import available_cores, machine_bytes

LOG_SCHEMA = 1  # grows when an event or a field changes its meaning
_LONGEST_LINE = 1 << 20
_SIGNAL_BASE = 128  # of an exit code
_SYSTEM_EXIT, _INTERRUPTED_EXIT = 6, 130
_logger = logging.getLogger(__name__)


def check_log(output: OutputSettings, *, is_resumed: bool) -> None:
    """Check that the log can be written; nothing is written.

    An existing log is continued if training is resumed, and replaced with `overwrite`. Any other file is refused; a
    device or a pipe is allowed.

    Raises:
        ConfigError: The log exists, is another file, or is the output.
        StorageError: The file cannot be written.
    """
    if output.log is None:
        return
    path = Path(output.log)
    if output.log == "-":
        raise ConfigError("the log cannot go to stdout (-): use a file, or /dev/stderr.")
    if path.absolute() == Path(output.path).absolute():
        raise ConfigError(f"{option('log')} and {option('output')} are both {path}: use two different files.")
    if _is_device(path):
        return
    if os.path.lexists(path) and not path.is_dir():
        files.refuse_existing(path, overwrite=output.overwrite or is_resumed, what=option("log"))
        if not _is_log(path):
            raise ConfigError(f"{path} is not a w2v log and will not be replaced: choose another {option('log')}.")
    files.check_writable(path)


@contextlib.contextmanager
def logged(config: Config, on_event: OnEvent, *, is_resumed: bool) -> Iterator[OnEvent]:
    """Yield a listener that writes each event to the log of the config, if it has one, and passes it to `on_event`.

    Raises StorageError if the log cannot be started.
    """
    if config.output.log is None:
        yield on_event
        return
    with RunLog(Path(config.output.log), is_resumed=is_resumed) as log:
        log.write(_start(config, is_resumed=is_resumed))

        def emit(event: Event) -> None:
            if not isinstance(event, CorpusRead):
                log.write(event.as_json())
            on_event(event)

        yield emit


class RunLog:
    """The log file; an exception that ends the block is its last event.

    If a write fails during training, a warning is logged and training continues without the file.
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
            self.write(_ending(error))
        with contextlib.suppress(OSError):
            self._file.close()

    def write(self, event: dict[str, Any]) -> None:
        """Write an event on a line of its own; raise StorageError if not even the first one can be written."""
        if self._is_broken:
            return
        seconds = round(self._clock() - self._started, 3)
        about = {
            "schema": LOG_SCHEMA,
            "event": event["event"],
            "time": datetime.now(UTC).isoformat(),
            "seconds": seconds,
        }
        line = json.dumps(_without_nan(about | event)).encode("ascii") + b"\n"
        try:
            if self._file.write(line) != len(line):
                raise OSError(None, "the disk is full")  # noqa: TRY301  as for a write that fails altogether
        except OSError as error:
            self._is_broken = True
            if not self._is_begun:
                raise files.cannot_write(self._path, error) from error
            cause = error.strerror or error
            _logger.warning("cannot write the log %s: %s; training continues without it.", self._path, cause)
        self._is_begun = True


def _is_device(path: Path) -> bool:
    """Return whether there is something at `path` that is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _is_log(path: Path) -> bool:
    """Return whether a file is a w2v log or empty, judged by its first bytes."""
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


def _ending(error: BaseException) -> dict[str, Any]:
    """Return the last event of a training that an exception ends."""
    exit_code, message = 1, str(error)
    match error:
        case SystemExit(code=int(code)) if code > _SIGNAL_BASE:
            return {"event": "stopped", "exit_code": code, "signal": code - _SIGNAL_BASE}
        case KeyboardInterrupt():
            return {"event": "stopped", "exit_code": _INTERRUPTED_EXIT, "signal": _INTERRUPTED_EXIT - _SIGNAL_BASE}
        case W2vError():
            exit_code = error.exit_code
        case _ if refusal := explain_system_refusal(error):
            exit_code, message = _SYSTEM_EXIT, str(StorageError(refusal))
        case OSError():
            exit_code = _SYSTEM_EXIT
    return {"event": "error", "exit_code": exit_code, "kind": type(error).__name__, "message": message}


def _start(config: Config, *, is_resumed: bool) -> dict[str, Any]:
    """Return the first event: the config, and the versions and the machine, which explain speed and differences."""
    return {
        "event": "start",
        "version": __version__,
        "is_resumed": is_resumed,
        "config": config.model_dump(mode="json"),
        "learning_rate": config.learning_rate,
        "process": os.getpid(),
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": available_cores(),
            "memory_bytes": machine_bytes(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba")},
        },
    }
