"""Progress of `w2v evaluate`: which file is asked which questions, and what share of them is done."""

from collections.abc import Sequence

from w2v_cli.cli import console
from w2v_cli.cli.bars import Display

_BAR = "{percentage:3.0f} % |{bar}| {desc}"


class ScoreBar(Display):
    """A bar for each file and method, or a line now and then; `titles` are the files' names."""

    def __init__(self, titles: Sequence[str], *, is_quiet: bool) -> None:
        super().__init__(is_quiet=is_quiet)
        self._titles = titles

    def show(self, file: int, what: str, share: float) -> None:
        """Show what share of the questions a file was asked."""
        text = console.printable(f"{self._titles[file]}: {what}")
        if console.can_redraw() and not self.is_quiet:
            self.move_bar(100 * share, 100, text, bar_format=_BAR)
        elif self.is_line_due():
            self.say(f"{100 * share:.0f} % of {text}")
