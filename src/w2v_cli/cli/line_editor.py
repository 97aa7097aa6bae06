"""Lines typed on a terminal, with history and completion if Python has readline."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from w2v_cli.cli import console

_LONGEST_HISTORY = 1000  # lines
_BLANKS = " \t\n"  # delimiters of completed words: dashes and apostrophes are parts of words

Proposals = Callable[[str, bool], list[str]]  # (start of a word, whether it begins the line) -> completions


@contextlib.contextmanager
def line_editor(history: Path, propose: Proposals) -> Iterator[Callable[[str], str]]:
    """Yield a function that shows a prompt and returns the line that the user types, or raises EOFError.

    Args:
        history: the file of earlier lines, to which those of this session are added; a warning if that fails.
        propose: returns completions.
    """
    try:
        import readline
    except ImportError:
        yield input
        return
    with _history_errors(history):
        readline.read_history_file(history)
    readline.set_history_length(_LONGEST_HISTORY)
    readline.set_completer_delims(_BLANKS)
    readline.set_completer(_Completer(readline, propose))
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    before = readline.get_current_history_length()
    try:
        yield input
    finally:
        with _history_errors(history):
            history.parent.mkdir(parents=True, exist_ok=True)
            history.touch(mode=0o600)  # private to the user
            readline.append_history_file(readline.get_current_history_length() - before, history)


class _Completer:
    """Gives readline the completions of a word, one per call."""

    def __init__(self, readline: Any, propose: Proposals) -> None:
        self._readline = readline
        self._propose = propose
        self._proposals: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            found = self._propose(text, self._readline.get_begidx() == 0)
            self._proposals = [
                word for word in found if console.printable(word) == word
            ]  # readline writes them unescaped
        return self._proposals[state] if state < len(self._proposals) else None


@contextlib.contextmanager
def _history_errors(history: Path) -> Iterator[None]:
    """Warn if the history cannot be read or written; a missing one is fine."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        console.warn(f"cannot save the history {history}: {error.strerror or error}.")
