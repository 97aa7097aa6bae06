"""Progress on stderr, common to all commands: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

from w2v_cli.cli import console
from w2v_cli.humanize import size

if TYPE_CHECKING:
    from w2v_cli.datasets.registry import Step

PERCENTAGE_BAR = "{percentage:3.0f} % |{bar}| {desc}"
_SECONDS_BETWEEN_LINES = 5.0
_MOMENT_SECONDS = 0.5  # a shorter step shows no bar


class Display:
    """A progress display: one bar at a time, closed at the end, and lines above it."""

    def __init__(self, *, is_quiet: bool) -> None:
        self.is_quiet = is_quiet
        self._bar: Any = None
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close_bar()

    def say(self, line: str) -> None:
        """Write a line, above the bar if there is one, unless quiet."""
        if not self.is_quiet:
            self._last_line = time.monotonic()
            with tqdm.external_write_mode():
                console.note(line)

    def is_line_due(self) -> bool:
        """Return whether the last line is more than a few seconds old."""
        return time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES

    def move_bar(self, done: float, total: float | None, text: str, **appearance: Any) -> None:
        """Move the bar, or show one.

        Args:
            done: how much is done, in the unit of `total`.
            total: how much there is, None if unknown.
            text: the description beside the bar.
            appearance: tqdm's keywords for a new bar.
        """
        if self._bar is None:
            self._bar = tqdm(desc=text, total=total, dynamic_ncols=True, leave=False, **appearance)
        self._bar.total = total
        self._bar.set_description_str(text, refresh=False)
        self._bar.update(done - self._bar.n)

    def show_bytes_of(self, text: str, done: int, total: int | None) -> None:
        """Show how many bytes are done, by a bar or by a line every few seconds."""
        if self.is_quiet:
            return
        if console.can_redraw():
            self.move_bar(done, total, text, unit="B", unit_scale=True, delay=_MOMENT_SECONDS)
        elif self.is_line_due():
            self.say(f"{text}: {size(done)}{f' of {size(total)}' if total else ''}")

    def close_bar(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class StepBar(Display):
    """The progress of a command step by step; only on a terminal, and only for steps that take a moment."""

    def __init__(self, *, is_quiet: bool) -> None:
        super().__init__(is_quiet=is_quiet or not sys.stderr.isatty())
        self._step = ""

    def show(self, step: str, done: float, total: float | None) -> None:
        """Show how much of a step is done.

        Args:
            step: what is being done, such as `finding neighbours`.
            done: how much of it is done.
            total: how much there is; None if unknown, and `done` counts bytes.
        """
        if self.is_quiet:
            return
        if step != self._step:
            self.close_bar()
            self._step = step
        text = console.printable(step)
        if console.can_redraw():
            appearance = {"unit": "B", "unit_scale": True} if total is None else {"bar_format": PERCENTAGE_BAR}
            self.move_bar(done, total, text, delay=_MOMENT_SECONDS, **appearance)
        elif self.is_line_due():
            share = size(done) if total is None else f"{100 * done / total:.0f} %"
            self.say(f"{text}: {share}")


class DownloadDisplay(Display):
    """Shows what happens to each file; `missing` are the files that were not found."""

    def __init__(self, *, is_quiet: bool) -> None:
        super().__init__(is_quiet=is_quiet)
        self.missing: list[str] = []
        self._name = ""

    def show_step(self, step: "Step") -> None:
        """Say what happens to a file, and why."""
        from w2v_cli.datasets.registry import Action

        self.close_bar()
        self._name = step.name
        if step.action is Action.MISS:
            self.missing.append(step.name)
        origin = step.origin[0] if isinstance(step.origin, tuple) else step.origin
        why = f" ({step.reason})" if step.reason else ""
        self.say(
            {
                Action.KEEP: f"{step.name} is already there",
                Action.FETCH: f"Downloading {step.name} from {origin}{why}",
                Action.COPY: f"Copying {step.name} from {origin}{why}",
                Action.WRITE: f"Writing {step.name} from the installed packages",
                Action.MISS: f"Skipping {step.name}: {step.reason}",
            }[step.action]
        )

    def show_bytes(self, done: int, total: int | None) -> None:
        """Show how much of the current file is there."""
        self.show_bytes_of(self._name, done, total)
