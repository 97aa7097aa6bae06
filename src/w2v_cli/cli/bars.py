"""What every display of progress has: a bar on stderr where that is a terminal, lines every few seconds elsewhere."""

import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from w2v_cli.cli import console

_SECONDS_BETWEEN_LINES = 5.0


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

    def close_bar(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
