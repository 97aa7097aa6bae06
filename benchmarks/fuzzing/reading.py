"""What a reader is to the fuzzer, and what may come of a case: a value, or one of our errors in one short line."""

import os
import random
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from w2v_cli.cli.console import printable
from w2v_cli.errors import ConfigError, W2vError

READ = "read"
KINDS = (W2vError, *W2vError.__subclasses__())
_LONGEST_LINE = 1000  # characters of a message
_MOST_LINES = 200  # of a ConfigError: one a problem, of each source up to a limit
_FRAMES = 4  # of a traceback that are told
# Raised by Python where something is started, fetched, or looked up by a pickle: no reader does any of it, but Numba,
# which loads what it has compiled.
_FORBIDDEN = frozenset(
    {"os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect"}
    | {"socket.getaddrinfo", "pickle.find_class", "webbrowser.open", "os.kill"}
)


@dataclass(frozen=True)
class Case:
    """Bytes to be read, and in which way, JSON-able."""

    data: bytes
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """Something that reads bytes: `make` draws a case, `read` reads it in an empty folder and uses what comes out.

    prepare: what takes time before the first case; memory_bytes: by which a process may grow over all cases.
    """

    name: str
    make: Callable[[random.Random], Case]
    read: Callable[[Case, Path], None]
    prepare: Callable[[], None] = lambda: None
    memory_bytes: int = 200 << 20


@dataclass(frozen=True)
class Fault:
    """What must not happen: its kind, what was seen, and where in the code."""

    kind: str
    text: str
    where: str


class Watch:
    """Hears of everything that Python does and no reader may do; once in a process, for it cannot be taken away."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: Any) -> None:
        if event in _FORBIDDEN and self.is_on and not _is_numba_loading():
            self.seen.append(f"{event} {str(arguments)[:200]}")


def _is_numba_loading() -> bool:
    frame = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("numba."):
            return True
        frame = frame.f_back
    return False


def judge(reader: Reader, case: Case, folder: Path, watch: Watch) -> str | Fault:
    """Return how a case ended: READ, the name of our error's class, or a fault; `folder` is empty before and after."""
    before = set(os.listdir(folder))  # noqa: PTH208  thousands of times a second
    watch.seen.clear()
    watch.is_on = True
    try:
        reader.read(case, folder)
        outcome: str | Fault = READ
    except W2vError as error:
        outcome = _judge_message(error) or next(kind.__name__ for kind in type(error).__mro__ if kind in KINDS)
    except BaseException as error:  # noqa: BLE001  the very thing that is looked for
        outcome = Fault(type(error).__name__, str(error)[:300], _where(error))
    finally:
        watch.is_on = False
    if watch.seen:
        return Fault("code ran", watch.seen[0], "")
    if left := set(os.listdir(folder)) - before:  # noqa: PTH208
        return Fault("files left behind", ", ".join(sorted(left))[:300], "")
    return outcome


def _judge_message(error: W2vError) -> Fault | None:
    """Return what is wrong with the message of an error of ours; of a wrong config it has a line for each problem."""
    text = str(error)
    lines = text.split("\n") if isinstance(error, ConfigError) else [text]
    if len(lines) > _MOST_LINES:
        return Fault("message of too many lines", f"{len(lines)}: {text[:200]}", _where(error))
    for line in lines:
        if not line.strip() or "\n" in line or "\r" in line:
            return Fault("message not of one line", repr(text[:300]), _where(error))
        if len(line) > _LONGEST_LINE:
            return Fault("message too long", f"{len(line)} characters: {line[:200]!r}", _where(error))
        printable(line).encode("utf-8")
    return None


def _where(error: BaseException) -> str:
    """Return the innermost frames of an error, `module.py:12 function`."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
