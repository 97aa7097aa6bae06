"""Kill a training with SIGKILL at random instants, again and again, and see whether anything is ever lost.

    python benchmarks/kill_and_resume.py [--kills 200] [--minutes M] [--words 400000] [--seed 1]

One deterministic training is run to its end without interruption. Then trainings with the same settings and frequent
snapshots are started, killed at a random instant (while they read, compile, train, write a snapshot or write vectors)
and resumed. After each kill the snapshot has to load; when a training has come to its end its file has to equal the
uninterrupted one, byte for byte, and a new one is begun. Four kills of ten are aimed at the writing of a snapshot: they
come a few milliseconds after its temporary file was seen. The counts are printed as JSON; the exit code is 1 where
anything was lost. `tests/faults/test_kill_and_resume.py` is the short form.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from w2v_cli.errors import W2vError
from w2v_cli.training import snapshot

SETTINGS = ("--deterministic", "--dim", "50", "--epochs", "6", "--min-count", "1")
VECTORS, SNAPSHOT = "w2v.safetensors", "w2v.safetensors.snapshot"
_INTO_A_WRITE = 0.4  # of the kills wait for a temporary file
_LONGEST_WRITE = 0.006  # seconds after a temporary file was seen in which it is probably still there


def main() -> int:
    """Do it and print the counts; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="How often to kill. [200]")
    parser.add_argument("--minutes", type=float, default=float("inf"), metavar="M", help="Longest time. [none]")
    parser.add_argument("--words", type=int, default=400_000, metavar="N", help="Length of the text. [400000]")
    parser.add_argument("--snapshot-every", default="1w", metavar="TIME|WORDS", help="[1w: whenever one is written]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="Start of the random instants. [1]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        instants = random.Random(arguments.seed)  # noqa: S311  no secret
        trial = Trial(Path(folder), (*SETTINGS, "--snapshot-every", arguments.snapshot_every), instants, start)
        trial.prepare(arguments.words)
        end = time.monotonic() + 60 * arguments.minutes
        while trial.counts["kills"] < arguments.kills and time.monotonic() < end:
            trial.kill_and_check()
            print(f"{trial.counts['kills']} kills, {len(trial.losses)} losses", file=sys.stderr, flush=True)
        trial.finish()
    print(json.dumps(trial.report()))
    return 1 if trial.losses else 0


def start(folder: Path, arguments: Sequence[str]) -> "subprocess.Popen[str]":
    """Return `w2v` with these arguments, running in a folder."""
    command = [sys.executable, "-m", "w2v_cli", *arguments]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, encoding="utf-8")  # noqa: S603  ourselves


class Trial:
    """A folder with a text, the bytes that its training has to end in, and what happened so far.

    settings: of the training, snapshots often; start: what starts `w2v`, with what it returns as a Popen.
    """

    def __init__(
        self,
        folder: Path,
        settings: Sequence[str],
        instants: random.Random,
        start: Callable[[Path, Sequence[str]], AbstractContextManager[Any]],
    ) -> None:
        self.folder = folder
        self.train = ("train", "text.txt", "--quiet", *settings)
        self.start = start
        self.instants = instants
        self.counts: Counter[str] = Counter()
        self.losses: list[str] = []
        self.expected = b""
        self.seconds = 0.0

    def prepare(self, words: int) -> None:
        """Write the text and train on it without interruption."""
        draws = random.Random(7)  # noqa: S311  a text, no secret
        lines = (" ".join(f"w{int(draws.paretovariate(0.7)) % 5000}" for _ in range(20)) for _ in range(words // 20))
        (self.folder / "text.txt").write_text("\n".join(lines), encoding="utf-8")
        whole = (*self.train, "--output", "whole", "--overwrite", "--snapshot-every", "never")
        self._run(whole)  # compiles what is to be compiled
        began = time.perf_counter()
        self._run(whole)
        self.seconds = time.perf_counter() - began
        self.expected = (self.folder / "whole").read_bytes()

    def kill_and_check(self) -> None:
        """Begin a training or go on with it, kill it, and look at what is left."""
        had_snapshot = (self.folder / SNAPSHOT).exists()
        with self.start(self.folder, self._arguments()) as process:
            self._wait_for_an_instant(process)
            process.send_signal(signal.SIGKILL)
            _, told = process.communicate()
        if process.returncode == -signal.SIGKILL:
            self.counts["kills"] += 1
            self.counts["kills_in_a_write"] += bool(self._temporaries())
            self._check_snapshot(had_snapshot=had_snapshot)
        elif process.returncode == 0:
            self.counts["ended_before_the_kill"] += 1
            self._check_vectors()
        else:
            self._lose(f"exit code {process.returncode}: {told.strip()}")
            self._clear()

    def finish(self) -> None:
        """Let the last training come to its end, and compare it."""
        while (self.folder / SNAPSHOT).exists():
            self._run(self._arguments())
            self._check_vectors()

    def report(self) -> dict[str, object]:
        """Return the counts, and what was lost, JSON-able."""
        names = ("kills", "kills_in_a_write", "snapshots_loaded", "kills_before_the_first_snapshot")
        counts = {name: self.counts[name] for name in (*names, "ended_before_the_kill", "equal_files")}
        return {"seconds_of_a_whole_training": round(self.seconds, 2), **counts, "losses": self.losses}

    def _wait_for_an_instant(self, process: Any) -> None:
        """Return at a random instant of the process's life, or when it has ended."""
        if self.instants.random() < _INTO_A_WRITE:
            known = self._temporaries()
            writes = self.instants.randrange(1, 12)
            while writes and process.poll() is None:
                found = self._temporaries()
                writes -= bool(found - known)
                known = found
            time.sleep(self.instants.uniform(0, _LONGEST_WRITE))
        else:
            time.sleep(self.instants.uniform(0, self.seconds))

    def _check_snapshot(self, *, had_snapshot: bool) -> None:
        if not (self.folder / SNAPSHOT).exists():
            self.counts["kills_before_the_first_snapshot"] += 1
            if had_snapshot:
                self._lose("the snapshot is gone")
            return
        try:
            snapshot.load_snapshot(self.folder / SNAPSHOT)
            self.counts["snapshots_loaded"] += 1
        except W2vError as error:
            self._lose(str(error))
            self._clear()

    def _check_vectors(self) -> None:
        """Compare the file with the uninterrupted one; the next training begins anew."""
        if (self.folder / VECTORS).read_bytes() == self.expected:
            self.counts["equal_files"] += 1
        else:
            self._lose("the vectors are not those of the uninterrupted training")
        if left := self._temporaries():
            self._lose(f"{len(left)} temporary files are left after a whole training")
        self._clear()

    def _lose(self, what: str) -> None:
        self.losses.append(f"after {self.counts['kills']} kills: {what}")

    def _clear(self) -> None:
        for name in (VECTORS, SNAPSHOT):
            (self.folder / name).unlink(missing_ok=True)

    def _temporaries(self) -> set[str]:
        return {name for name in os.listdir(self.folder) if name.endswith(".tmp")}  # noqa: PTH208  in a tight loop

    def _arguments(self) -> tuple[str, ...]:
        if (self.folder / SNAPSHOT).exists():
            return ("train", "text.txt", "--quiet", "--resume")
        return (*self.train, *(("--overwrite",) if (self.folder / VECTORS).exists() else ()))

    def _run(self, arguments: Sequence[str]) -> None:
        with self.start(self.folder, arguments) as process:
            _, told = process.communicate()
        if process.returncode:
            raise SystemExit(f"w2v {' '.join(arguments)}: exit code {process.returncode}: {told}")


if __name__ == "__main__":
    sys.exit(main())
