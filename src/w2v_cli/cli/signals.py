"""Signals that ask the program to stop: it cleans up if it can, and stops in any case."""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE_SECONDS = 2.0
_MANY = 1 << 10  # bytes, one per signal
_SAME_SECONDS = 0.25  # signals so close count as one: `timeout` sends two, and Ctrl-C may be pressed twice by mistake


class Stopped(SystemExit):
    """A signal that asks the program to stop; like any exception, it lets files be cleaned up.

    Attributes:
        signal: the signal.
        what_next: a sentence for the user, or nothing.
    """

    def __init__(self, number: int, what_next: str = "") -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)
        self.what_next = what_next


class SignalWatch:
    """Raises Stopped in the main thread at the first signal; if that has no effect, a thread ends the process.

    Python raises nothing while C code runs, such as LLVM's compiler for half a minute, and drops exceptions raised in
    a callback of such code. So the thread reports and exits if the main thread has not set `ending` within
    _PATIENCE_SECONDS, and immediately at the second signal, unless that comes within _SAME_SECONDS of the first.

    Work that can stop cleanly runs in `heeding` and polls `is_stop_wanted`. From the first poll to the end of the block
    the first signal raises nothing: the poll returns True, and `heeded` is the signal's number.
    """

    def __init__(self, report: Callable[[Stopped], object]) -> None:
        self.ending = threading.Event()
        self.heeded: int | None = None
        self._may_heed = False
        self._is_heeding = False
        self._report = report
        self._was_raised = False
        self._first_at: float | None = None
        self._receiver, self._sender = socket.socketpair()
        self._sender.settimeout(0)  # set_wakeup_fd requires a non-blocking socket

    def start(self) -> None:
        """Start to watch; call this in the main thread."""
        for name in _NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, self._raise_stopped)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        sys.unraisablehook = _show_unless_stopped
        threading.Thread(target=self._watch, name="w2v-signals", daemon=True).start()

    @contextlib.contextmanager
    def heeding(self) -> Iterator[None]:
        """Let the work of this block poll `is_stop_wanted` instead of being interrupted."""
        self._may_heed = True
        try:
            yield
        finally:
            self._may_heed = self._is_heeding = False

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let SIGINT raise KeyboardInterrupt in this block, each time: it cancels a question, not the program.

        Other signals raise Stopped, without the thread that ends the process: the block waits for input, which an
        exception interrupts.
        """
        before, descriptor = signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)

    def is_stop_wanted(self) -> bool:
        """Return whether a signal has arrived since the first call."""
        self._is_heeding = self._may_heed
        return self.heeded is not None

    def _raise_stopped(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first_at is None:
            self._first_at = now
        elif now - self._first_at < _SAME_SECONDS:
            return
        if self._is_heeding and self.heeded is None:
            self.heeded = number
        elif not self._was_raised:  # a second exception would interrupt the cleaning up
            self._was_raised = True
            raise Stopped(number if self.heeded is None else self.heeded)

    def _watch(self) -> None:
        number = self._receiver.recv(1)[0]  # sent by C's handler, even while Python runs no bytecode
        time.sleep(_SAME_SECONDS)
        self._receiver.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            self._receiver.recv(_MANY)
        self._receiver.settimeout(max(_PATIENCE_SECONDS - _SAME_SECONDS, _SAME_SECONDS))
        try:
            self._receiver.recv(1)
        except TimeoutError:
            if self.ending.is_set() or self._is_heeding or self.heeded is not None:
                self._receiver.settimeout(None)
                self._receiver.recv(1)
        self._exit(number)

    def _exit(self, number: int) -> None:
        try:
            if not self.ending.is_set():  # else the main thread reports
                self._report(Stopped(number))
        finally:
            os._exit(128 + number)


def _show_unless_stopped(dropped: Any) -> None:
    """Show an exception that Python drops, unless it is Stopped, which the thread handles."""
    if not isinstance(dropped.exc_value, Stopped):
        sys.__unraisablehook__(dropped)
