"""Train on a text far larger than memory allows on a cluster of this machine, and see how much memory that took.

    python benchmarks/cluster_huge.py [--gigabytes 5] [--workers 2] [--dim 100]

The text is that of benchmarks/huge.py, on lines, in one file. What is printed is one JSON object: bytes and words of
the text, seconds of counting and of training, and the peaks of anonymous memory (RssAnon) beside their bounds, which
are those of docs/how-to/cluster.md: of the driver, in which the scheduler of a local cluster runs too, while it counts
and in each fifth of the training, and of each worker. The exit code is 1 where a bound was passed or training failed.
Linux only.
"""

import argparse
import contextlib
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from huge import PART_WORDS, SETTINGS, make_part, prepare

from w2v_cli.vectors import keyed_vectors

SHARDS = 4
PROGRAM = 300_000_000  # bytes of the program itself
PER_WORD = 220  # of the vocabulary, in the driver
PER_WORKERS_WORD = 100  # in a worker
_LOOK_EVERY = 0.1  # seconds


def main() -> int:
    """Do it and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=5, metavar="N", help="Size of the text. [5]")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="[2]")
    parser.add_argument("--dim", type=int, default=100, metavar="N", help="Dimensions of a vector. [100]")
    parser.add_argument("--sync-words", type=int, default=1_000_000, metavar="N", help="Words of a shard. [1000000]")
    arguments = parser.parse_args()
    part = make_part(lines=True)
    times = max(round(arguments.gigabytes * 1e9 / len(part)), 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, _ = prepare("file", folder, part, times)
        where = ("--cluster", f"local:{arguments.workers}", "--set", f"cluster.shards={SHARDS}", "--log", "run.jsonl")
        where += ("--set", f"cluster.sync_words={arguments.sync_words}")
        command = [sys.executable, "-m", "w2v_cli", "train", source, "--dim", str(arguments.dim), *where, *SETTINGS]
        with subprocess.Popen(command, cwd=folder) as process:  # noqa: S603  ourselves
            watched = watch(process)
        if process.returncode:
            return 1
        words = len(keyed_vectors.load(folder / "w2v.safetensors").words)
        events = [json.loads(line) for line in (folder / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    seconds = {event["event"]: event["seconds"] for event in events}  # the last of each kind
    counted, trained = seconds["corpus"], seconds["progress"]
    fifths = [counted + (trained - counted) * fifth / 5 for fifth in range(1, 6)]
    matrix = 4 * words * arguments.dim
    figures = {
        "bytes": times * len(part),
        "words": times * PART_WORDS,
        "vocabulary": words,
        "rounds": next(event["rounds"] for event in events if "rounds" in event),
        "counting_seconds": round(counted),
        "training_seconds": round(trained - counted),
        "driver_counting_peak_bytes": watched.driver_peak(0, counted),
        "driver_peak_bytes_by_fifths": [
            watched.driver_peak(*span) for span in zip([counted, *fifths], fifths, strict=False)
        ],
        "driver_peak_bytes": watched.driver_peak(0, math.inf),
        "driver_bound_bytes": matrix * (6 + 2 * (math.ceil(math.log2(SHARDS)) + 2)) + PER_WORD * words + PROGRAM,
        "worker_peak_bytes": sorted(watched.children.values())[-arguments.workers :],
        "worker_bound_bytes": round(matrix * (2 + 2 * 1.2 + 4)) + PER_WORKERS_WORD * words + PROGRAM,
    }
    print(json.dumps(figures))
    return int(
        figures["driver_peak_bytes"] > figures["driver_bound_bytes"]
        or max(figures["worker_peak_bytes"]) > figures["worker_bound_bytes"]
    )


@dataclass
class Watched:
    """Anonymous memory in bytes: of the driver by the seconds since it began, the peak of each child by its id."""

    driver: list[tuple[float, int]] = field(default_factory=list)
    children: dict[int, int] = field(default_factory=dict)

    def driver_peak(self, begin: float, end: float) -> int:
        """Return the driver's peak between two times."""
        return max((size for seconds, size in self.driver if begin <= seconds <= end), default=0)


def watch(process: "subprocess.Popen[bytes]") -> Watched:
    """Return what a process and its children have taken, when it has ended."""
    began, watched = time.perf_counter(), Watched()
    while process.poll() is None:
        watched.driver.append((time.perf_counter() - began, _anonymous(process.pid)))
        for child in _children(process.pid):
            watched.children[child] = max(watched.children.get(child, 0), _anonymous(child))
        time.sleep(_LOOK_EVERY)
    return watched


def _children(process: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in path.read_text(encoding="ascii").split()]
    return found


def _anonymous(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main())
