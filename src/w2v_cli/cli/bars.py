"""What every display of progress has: a bar where stderr can redraw one, lines every few seconds elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from w2v_cli.cli import console

_MEGABYTE = 1_000_000
_BAR = "{percentage:3.0f} % |{bar}| {desc}"
_SECONDS_BETWEEN_LINES = 5.0
_MOMENT_SECONDS = 0.5  # what takes less needs no bar


class Display:
    """A bar that is closed at the end, and lines that keep their distance."""

    def __init__(self, *, is_quiet: bool) -> None:
        self.is_quiet = is_quiet
        self._bar: Any = None
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close_bar()

    def say(self, line: str) -> None:
        """Write a line, above the bar where there is one, unless quiet."""
        if not self.is_quiet:
            self._last_line = time.monotonic()
            with tqdm.external_write_mode():
                console.note(line)

    def is_line_due(self) -> bool:
        """Return whether the last line was long ago."""
        return time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES

    def move_bar(self, done: float, total: float | None, text: str, **appearance: Any) -> None:
        """Show a bar, or move the one that is there: so much of a total is done."""
        if self._bar is None:
            self._bar = tqdm(desc=text, total=total, dynamic_ncols=True, leave=False, **appearance)
        self._bar.total = total
        self._bar.set_description_str(text, refresh=False)
        self._bar.update(done - self._bar.n)

    def show_bytes_of(self, text: str, done: int, total: int | None) -> None:
        """Show how many bytes are done: by a bar, or by a line now and then."""
        if self.is_quiet:
            return
        if console.can_redraw():
            self.move_bar(done, total, text, unit="B", unit_scale=True, delay=_MOMENT_SECONDS)
        elif self.is_line_due():
            of_total = f" of {total / _MEGABYTE:,.1f}" if total else ""
            self.say(f"{text}: {done / _MEGABYTE:,.1f}{of_total} MB")

    def close_bar(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class StepBar(Display):
    """Shows on a terminal how far a command is that writes nothing else before it is done; elsewhere nothing.

    Each step has a bar, once it has taken a moment, or a line now and then where nothing can be redrawn.
    """

    def __init__(self, *, is_quiet: bool) -> None:
        super().__init__(is_quiet=is_quiet or not sys.stderr.isatty())
        self._doing = ""

    def show(self, doing: str, done: float, total: float | None) -> None:
        """Show how much of a step is done, of how much; bytes where the whole is not known."""
        if self.is_quiet:
            return
        if doing != self._doing:
            self.close_bar()
            self._doing = doing
        if console.can_redraw():
            appearance = {"unit": "B", "unit_scale": True} if total is None else {"bar_format": _BAR}
            self.move_bar(done, total, console.printable(doing), delay=_MOMENT_SECONDS, **appearance)
        elif self.is_line_due():
            share = f"{done / _MEGABYTE:,.0f} MB" if total is None else f"{100 * done / total:.0f} %"
            self.say(f"{console.printable(doing)}: {share}")
