"""Trainings on real clusters of 127.0.0.1: as processes that a test may kill, with the log that they write."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np

SECONDS = 240  # for what takes a few on an idle machine
_BUSY = 0.02  # seconds of a processor in a tenth of one
# Rounds of half a second with the slow, plain engine: long enough to be killed in, and nothing to compile.
SETTINGS = (
    *("--dim", "8", "--epochs", "2", "--min-count", "1", "--subsample", "0"),
    *("--set", "training.backend=numpy", "--set", "cluster.sync_words=3000", "--set", "cluster.shards=3"),
    *("--set", "cluster.worker_timeout=60s", "--set", "corpus.tokens=whitespace"),
)


def write_text(path, *, words=36_000):
    """Write a text of so many words."""
    ids = np.random.default_rng(5).zipf(1.3, size=(words // 12, 12)) % 300
    path.write_text("\n".join(" ".join(f"w{number}" for number in line) for line in ids), encoding="utf-8")


def events(folder, name="run.jsonl"):
    """Return the whole lines of a log so far."""
    path = folder / name
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def wait_for(condition, process=None):
    """Return what the condition returns as soon as that is true; fail where the process ends before."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("nothing happened")


def has_trained(folder, rounds=2):
    """Return whether the log tells of so many rounds."""
    return any(event.get("round", 0) >= rounds for event in events(folder))


def finish(process, exit_code=0):
    """Wait for the end of a training; return its stderr."""
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == exit_code, told
    assert "Traceback" not in told
    return told


def workers_of(process):
    """Return the processes of the workers that a training has started."""
    import psutil  # noqa: PLC0415  comes with Dask

    children = psutil.Process(process.pid).children(recursive=True)
    found = []
    for child in children:
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def busy_workers(process, count):
    """Return so many workers that are computing, nothing where there are not so many."""
    import psutil  # noqa: PLC0415  comes with Dask

    with contextlib.suppress(psutil.Error):  # one has ended
        workers = workers_of(process)
        before = [sum(worker.cpu_times()[:2]) for worker in workers]
        time.sleep(0.1)
        used = [sum(worker.cpu_times()[:2]) - seconds for worker, seconds in zip(workers, before, strict=True)]
        busy = [worker for worker, seconds in zip(workers, used, strict=True) if seconds >= _BUSY]
        return busy[:count] if len(busy) >= count else []
    return []


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class External:
    """A scheduler and workers of their own; options: of both, as certificates; first: code that workers begin with.

    host: where the scheduler listens; workers listen on 127.0.0.1 unless they are told otherwise.
    """

    def __init__(self, program, *, workers=2, scheme="tcp", options=(), of_workers=(), first="", host="127.0.0.1"):
        self.program, self.count, self.options, self.of_workers = program, workers, options, of_workers
        self.first, self.host = first, host
        self.scheme, self.port = scheme, free_port()
        self.processes = []

    @property
    def url(self):
        """Where the scheduler listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        http = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
        own = (*http, "--protocol", self.scheme, *self.options)
        self.scheduler = self._start("scheduler", "--host", self.host, "--port", str(self.port), *own)
        wait_for(self._answers, self.scheduler)
        for _ in range(self.count):
            is_told = {"--listen-address", "--host"} & set(self.of_workers)
            host = () if is_told else ("--host", "127.0.0.1")
            one = ("--nthreads", "1", *http, *host, "--protocol", self.scheme)
            self._start("worker", self.url, *one, *self.options, *self.of_workers, environment=self._tricked())
        return self

    def _tricked(self):
        """Return the environment of workers."""
        if not self.first:
            return self.program.environment
        self.program.write("trick/sitecustomize.py", self.first)
        return self.program.with_variables(PYTHONPATH=str(self.program.folder / "trick"))

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGKILL)
            process.wait()

    def kill_workers(self):
        """Kill all workers, and before them what would start them anew."""
        import psutil  # noqa: PLC0415  comes with Dask

        for process in self.processes[1:]:
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGKILL)
            for child in children:
                with contextlib.suppress(psutil.Error):  # it has ended with its parent
                    child.kill()

    def _start(self, kind, *arguments, environment=None):
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", kind, *arguments],
            cwd=self.program.folder,
            env=environment or self.program.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False
