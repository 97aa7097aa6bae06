"""`w2v` in many processes that are cheap to start: children of one that has imported everything already.

They are real processes: they get real signals, real limits and are really killed. Only their first second, in which
Python loads its modules, is not repeated.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What the parent of all children does: forks one for each request, and tells how each has ended.
_PARENT = """
import json, os, pathlib, signal, socket, sys, tempfile, traceback
import ruamel.yaml
import w2v_cli.cli.app, w2v_cli.cli.training_display, w2v_cli.config.resolve, w2v_cli.pipeline.train

def warm_up():
    # Load all compiled code that a training with the NumPy backend needs; its threads are gone before the first fork.
    with tempfile.TemporaryDirectory() as folder:
        text = pathlib.Path(folder, "text.txt")
        text.write_text("the sea and the land é " * 20)
        options = {"corpus.source": str(text), "training.backend": "numpy", "output.path": f"{folder}/x"}
        config = w2v_cli.config.resolve.resolve(options={key: (key, value) for key, value in options.items()}).config
        w2v_cli.pipeline.train.train_vectors(config, text, lambda _: None)

def run(request, out, err):
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    os.chdir(request["folder"])
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
    sys.argv = ["w2v", *request["arguments"]]
    code = 1
    try:
        exec(request["first"], {})
        w2v_cli.cli.main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

warm_up()
requests = socket.socket(fileno=int(sys.argv[1]))
while True:
    text, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 2)
    if not text:
        break
    request = json.loads(text)
    if "wait" in request:
        pid, status = os.waitpid(request["wait"], os.WNOHANG if request.get("now") else 0)
        answer = os.waitstatus_to_exitcode(status) if pid else None
    else:
        answer = os.fork()
        if answer == 0:
            requests.close()
            run(request, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
    requests.sendall(json.dumps(answer).encode() + b"\\n")
"""


@dataclass
class Child:
    """A running `w2v`; stdout and stderr are files to read from, returncode is set by `wait`."""

    pid: int
    stdout: Any
    stderr: Any
    fork: "Fork"
    returncode: int | None = None

    def send_signal(self, number):
        """Send a signal, if the child has not been waited for."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def wait(self):
        """Return the exit code, negative for the signal that killed it, when the child has ended."""
        if self.returncode is None:
            self.returncode = self.fork.ask({"wait": self.pid})
        return self.returncode

    def poll(self):
        """Return the exit code if the child has ended, else None."""
        if self.returncode is None:
            self.returncode = self.fork.ask({"wait": self.pid, "now": True})
        return self.returncode

    def communicate(self):
        """Return what else it writes to stdout and stderr until it ends."""
        out, err = self.stdout.read(), self.stderr.read()
        self.wait()
        return out, err

    def read_until(self, begin):
        """Read stderr up to a line that begins so; return whether there was one."""
        return any(line.startswith(begin) for line in self.stderr)


@dataclass
class Fork:
    """The process whose children run `w2v`, in `folder`."""

    process: Any
    requests: Any
    answers: Any
    folder: Path

    def ask(self, request, descriptors=()):
        """Send a request and return the answer."""
        socket.send_fds(self.requests, [json.dumps(request).encode()], descriptors)
        return json.loads(self.answers.readline())

    @contextlib.contextmanager
    def started(self, *arguments, first=""):
        """Yield a Child that runs `w2v` after the Python code `first`; it does not outlive the block."""
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        request = {"arguments": list(map(str, arguments)), "folder": str(self.folder), "first": first}
        pid = self.ask(request, (out_end, err_end))
        os.close(out_end)
        os.close(err_end)
        with os.fdopen(out, encoding="utf-8") as stdout, os.fdopen(err, encoding="utf-8") as stderr:
            child = Child(pid, stdout, stderr, self)
            try:
                yield child
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()

    def run(self, *arguments, first=""):
        """Run `w2v` to its end and return what subprocess.run would."""
        with self.started(*arguments, first=first) as child:
            out, err = child.communicate()
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def files(self):
        """Return the contents of every file in the folder, by name."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}


@contextlib.contextmanager
def forking(environment):
    """Yield a Fork; set its folder before use."""
    ours, theirs = socket.socketpair()
    with (
        ours,
        ours.makefile(encoding="utf-8") as answers,
        subprocess.Popen(
            [sys.executable, "-c", _PARENT, str(theirs.fileno())], pass_fds=[theirs.fileno()], env=environment
        ) as process,
    ):
        theirs.close()
        yield Fork(process, ours, answers, Path())
        ours.shutdown(socket.SHUT_RDWR)
