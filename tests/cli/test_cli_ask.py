"""A conversation on a terminal: answers, history, completion, Ctrl-C and Ctrl-D, on a dumb and on a narrow one."""

import contextlib
import os
import re
import select
import signal
import subprocess
import time

import numpy as np
import pytest

from cli.running import _set_width, the_error
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows: NOT run")
pytest.importorskip("readline", reason="Python has no readline: history and completion were NOT tested")

PROMPT = "w2v> "
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07|\r")
ROWS = {"king": (2, 1), "kings": (2, 2), "queen": (1, 3), "man": (3, 1), "well-known": (0, 1), "\x1b[2Jk": (1, 0)}
PATIENCE_SECONDS = 20
A_MOMENT = 0.3  # readline hears no signal between what it shows and the wait for a key


class Terminal:
    """A terminal with `w2v ask` on it, and what it has shown."""

    def __init__(self, ours):
        self._ours = ours
        self.shown = self.raw = ""

    def wait_for(self, text):
        """Return what is shown up to `text`, and forget it."""
        while text not in (plain := CONTROL.sub("", self.shown)):
            ready, _, _ = select.select([self._ours], [], [], PATIENCE_SECONDS)
            assert ready, f"{text!r} does not come: {self.shown!r}"
            with contextlib.suppress(OSError):  # EIO: how Linux ends a terminal
                if block := os.read(self._ours, 1 << 16):
                    self.shown += block.decode()
                    self.raw += block.decode()
                    continue
            raise AssertionError(f"it ended without {text!r}: {self.shown!r}")
        before, _, self.shown = plain.partition(text)
        return before

    def type(self, keys):
        """Press keys."""
        os.write(self._ours, keys.encode())

    def ask(self, line):
        """Type a line and return the lines of its answer."""
        self.type(line + "\n")
        return self.wait_for(PROMPT).split("\n", 1)[1].splitlines()


@contextlib.contextmanager
def talk(program, *arguments, columns=80, exit_code=0, **variables):
    """Yield a terminal on which `w2v ask` shows its first prompt; it has to end by itself, with this exit code."""
    ours, theirs = pty.openpty()
    _set_width(theirs, columns)
    with subprocess.Popen(
        program.command("ask", *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=program.folder,
        env=program.with_variables(**{"TERM": "xterm", "COLUMNS": None} | variables),
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509  no threads in the child yet
    ) as process:
        try:
            os.close(theirs)
            terminal = Terminal(ours)
            terminal.process = process
            terminal.greeting = terminal.wait_for(PROMPT)
            yield terminal
            assert process.wait(PATIENCE_SECONDS) == exit_code
        finally:
            process.kill()
            os.close(ours)


def _take_terminal():
    """Make the terminal the child's own, so that Ctrl-C is a signal to it; undo what nohup may have done."""
    import fcntl  # noqa: PLC0415  there is none on Windows
    import termios  # noqa: PLC0415  as above

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def asked(w2v):
    """Return the Program with vectors of six words, one of which would clear the screen."""
    rows = np.array(list(ROWS.values()), np.float16)
    content = KeyedVectors(rows, tuple(ROWS), np.arange(len(ROWS), 0, -1))
    keyed_vectors.save(w2v.folder / "w2v.safetensors", content, overwrite=False)
    return w2v


def test_questions_are_answered_until_ctrl_d(asked):
    """Words, sums, analogies, pairs, odd words and settings; an unknown word or command is told and nothing ends."""
    with talk(asked, "--top", "2") as terminal:
        assert "w2v.safetensors: 6 words. Type /help for help, Ctrl-D to leave." in terminal.greeting
        assert [line.split() for line in terminal.ask("king")] == [
            ["word", "similarity"],
            ["man", "0.9899"],
            ["kings", "0.9487"],
        ]
        assert terminal.ask("  ") == []
        assert terminal.ask("king + man")[1].startswith("kings ")
        assert len(terminal.ask("king : man :: queen")) == 3
        assert terminal.ask("/similarity king man") == ["0.9899"]
        assert terminal.ask("/odd king man well-known")[1].startswith("well-known ")
        assert "error: 'kinng' is not in the vocabulary (6 words). Did you mean 'king'" in terminal.ask("kinng")[0]
        assert "no such command: /tip" in terminal.ask("/tip 3")[0]
        assert terminal.ask("/top 1") + terminal.ask("/method mul") + terminal.ask("/restrict 2") == []
        assert [line.split()[0] for line in terminal.ask("king")] == ["word", "kings"]
        assert terminal.ask("/restrict off") + terminal.ask("/min-count 4") == []
        assert "'x' is not a whole number" in terminal.ask("/top x")[0]
        assert "error: top must be at least 1" in terminal.ask("/top 0")[0]
        terminal.type("\x04")


def test_help_is_there_for_whoever_types_it(asked):
    """However it is asked for; the word itself is asked for as a sum."""
    content = KeyedVectors(np.eye(2), ("help", "king"))
    keyed_vectors.save(asked.folder / "w2v.safetensors", content, overwrite=True)
    with talk(asked) as terminal:
        shown = terminal.ask("/help")
        assert "king : man :: queen" in "\n".join(shown)
        assert terminal.ask("help") == terminal.ask("?") == shown
        assert [line.split()[0] for line in terminal.ask("+ help")] == ["word", "king"]
        terminal.type("\x04")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("king queen", "Did you mean 'king + queen'? To compare two words: /similarity king queen"),
        ("king man queen", "Did you mean 'king + man + queen'? To ask for an analogy: king : man :: queen"),
        ("king man queen kings", "To find the odd one out: /odd king man queen kings"),
        ("king-man+queen", "Did you mean 'king - man + queen'"),
    ],
)
def test_words_side_by_side_get_a_hint(asked, line, hint):
    """What somebody types who does not know the signs is answered with how it is written."""
    with talk(asked, columns=300) as terminal:
        [error] = terminal.ask(line)
        assert error.startswith(f"error: {line!r} is not in the vocabulary (6 words). ")
        assert hint in error
        terminal.type("\x04")


def test_tab_completes_words(asked):
    """A word that is begun, dashes and all, and commands where a line begins; what steers a terminal is no choice."""
    with talk(asked) as terminal:
        terminal.type("wel\t\n")
        assert "well-known" in terminal.wait_for("similarity")
        terminal.wait_for(PROMPT)
        terminal.type("king - q\t\n")
        assert "king - queen" in terminal.wait_for("similarity")
        terminal.wait_for(PROMPT)
        terminal.type("\t\t")
        terminal.wait_for("well-known")
        terminal.type("/qu\t\n")
        terminal.wait_for("/quit")
    assert "^[[2Jk" not in terminal.raw


def test_lines_come_back_in_the_next_session(asked):
    """The arrow key brings the last line of an earlier session; the file is the user's alone."""
    with talk(asked) as terminal:
        terminal.ask("queen")
        terminal.type("/quit\n")
    [history] = (asked.folder.parent / "home").rglob("history")
    assert history.read_text() == "queen\n/quit\n"
    assert history.stat().st_mode & 0o777 == 0o600

    with talk(asked) as terminal:
        terminal.type("\x1b[A\x1b[A\n")
        assert "queen" in terminal.wait_for("similarity")
        terminal.wait_for(PROMPT)
        terminal.type("\x04")
    assert history.read_text() == "queen\n/quit\nqueen\n"


def test_ctrl_c_gives_up_a_line_and_not_the_conversation(asked):
    """As often as it is pressed; the next question is answered."""
    with talk(asked) as terminal:
        for _ in range(3):
            terminal.type("half a li")
            terminal.wait_for("half a li")
            time.sleep(A_MOMENT)
            terminal.type("\x03")
            terminal.wait_for(PROMPT)
        assert terminal.ask("/similarity king man") == ["0.9899"]
        terminal.type("\x04")


def test_another_signal_ends_it(asked):
    """SIGTERM at the prompt: exit code 143, and the history is kept."""
    with talk(asked, exit_code=143) as terminal:
        terminal.ask("king")
        time.sleep(A_MOMENT)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.wait_for("stopped by SIGTERM")

    assert [path.read_text() for path in (asked.folder.parent / "home").rglob("history")] == ["king\n"]


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=str)
def test_a_poor_terminal_is_enough(asked, variables):
    """On 20 columns, dumb or without colour, questions are answered in whole lines."""
    with talk(asked, columns=20, **variables) as terminal:
        terminal.type("/similarity king man\n")
        terminal.wait_for("0.9899\n")
        terminal.wait_for(PROMPT)
        terminal.type("kinng\n")
        terminal.wait_for("error: 'kinng' is not in the vocabulary")
        assert "\x1b[31m" not in terminal.shown
        terminal.wait_for(PROMPT)
        terminal.type("\x04")


def test_a_history_that_cannot_be_kept_is_warned_of(asked):
    """Questions are answered all the same."""
    asked.write("no-folder", "")
    with talk(asked, XDG_STATE_HOME=str(asked.folder / "no-folder")) as terminal:
        assert terminal.ask("/similarity king man") == ["0.9899"]
        terminal.type("\x04")
        terminal.wait_for("Not a directory")


def test_without_a_terminal_it_says_what_to_do(asked):
    """Questions from a pipe are for `w2v similar -`."""
    assert "`w2v similar -`" in the_error(asked.run("ask", input="king\n"), 2)
