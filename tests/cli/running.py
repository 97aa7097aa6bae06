"""`w2v` as a process of its own: its environment, its terminal, and what it leaves."""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from w2v_cli.jit import njit

TEXT = (
    "The king and the man sat with the queen and the woman by the Río.\n"
    "You and I and we went to the sea; they went home.\n"
) * 30
# Shows a bar at once, however short the work is.
NO_MOMENT = "import w2v_cli.cli.progress as b; b._MOMENT_SECONDS = 0"
# What makes a training as short as it can be: no Numba to load, few numbers to learn.
FAST = ("--dim", "4", "--epochs", "1", "--set", "training.backend=numpy")


def _hear_signals():
    """Undo what nohup or a shell's `&` may have done: a signal that is ignored is ignored by every child as well."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@dataclass(frozen=True)
class Program:
    """`w2v` in a folder and an environment of its own; `environment` says nothing of the user who runs the tests."""

    folder: Path
    environment: dict[str, str]

    def command(self, *arguments, first=""):
        """Return the command line; `first` is Python code to run before, which plays a trick on the program."""
        start = ["-c", f"{first}\nfrom w2v_cli.cli import main\nmain()"] if first else ["-m", "w2v_cli"]
        return [sys.executable, *start, *arguments]

    def with_variables(self, **variables):
        """Return the environment with these variables; None takes one away."""
        both = self.environment | variables
        return {name: value for name, value in both.items() if value is not None}

    def run(self, *arguments, first="", env=None, **streams):
        """Run `w2v` to its end and return what subprocess.run returns, its output as text."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        streams = ({} if "input" in streams else {"stdin": subprocess.DEVNULL}) | pipes | streams
        return subprocess.run(
            self.command(*arguments, first=first),
            check=False,
            encoding="utf-8",
            cwd=self.folder,
            env=self.with_variables(**env or {}),
            timeout=60,
            **streams,
        )

    @contextlib.contextmanager
    def started(self, *arguments, first="", **streams):
        """Yield the Popen of `w2v`, with pipes; it does not outlive the block."""
        with subprocess.Popen(
            self.command(*arguments, first=first),
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
            encoding="utf-8",
            cwd=self.folder,
            env=self.environment,
            preexec_fn=_hear_signals if os.name == "posix" else None,  # noqa: PLW1509  no threads in the child yet
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run_on_terminal(self, *arguments, columns=80, env=None, first=""):
        """Run `w2v` on a terminal of this width; return its exit code and all that the terminal shows."""
        import pty  # noqa: PLC0415  there is none on Windows

        ours, theirs = pty.openpty()
        _set_width(theirs, columns)
        with subprocess.Popen(
            self.command(*arguments, first=first),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env=self.with_variables(**{"TERM": "xterm", "COLUMNS": None} | (env or {})),
        ) as process:
            os.close(theirs)
            shown = _read_all(ours)
        return process.returncode, shown

    def write(self, name, text):
        """Write a file into the program's folder and return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def files(self):
        """Return the contents of every file in the program's folder, by name; of its data folder as well."""
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in _files_below(self.folder)}


def make_program(folder):
    """Return a Program below `folder`, with an empty home and no data; only compiled code is the user's own."""
    for name in ("home", "work"):
        (folder / name).mkdir()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("W2V_", "XDG_", "PYTHON")) and name not in {"NO_COLOR", "TERM", "LANG", "LC_ALL"}
    }
    own = {
        "HOME": str(folder / "home"),
        "W2V_DATA_DIR": str(folder / "work" / "data"),
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR") or str(njit._writable_cache_folder()),
        "COLUMNS": "80",
        "NO_PROXY": "127.0.0.1",
        "OPENBLAS_NUM_THREADS": "1",  # the start of NumPy's threads would be half of a short run
    }
    return Program(folder / "work", inherited | own)


def the_error(done, exit_code):
    """Return the one line of a failed run's stderr that begins with `error:`, without that."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in done.stderr
    assert (done.returncode, len(errors)) == (exit_code, 1), done.stderr
    assert done.stdout == ""
    return errors[0].removeprefix("error: ")


def _files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _set_width(terminal, columns):
    import fcntl  # noqa: PLC0415  there is none on Windows
    import struct  # noqa: PLC0415  as above
    import termios  # noqa: PLC0415  as above

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def _read_all(terminal):
    """Return all that is written to the other side of a terminal until that is closed."""
    shown = b""
    try:
        while block := os.read(terminal, 1 << 16):
            shown += block
    except OSError:  # EIO: how Linux ends a terminal
        pass
    finally:
        os.close(terminal)
    return shown.decode().replace("\r\n", "\n")
