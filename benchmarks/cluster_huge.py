"""Train on a text far larger than memory allows on a cluster of this machine, and see how much memory that took.

    python benchmarks/cluster_huge.py [--gigabytes 5] [--workers 2] [--dim 100]

The text is that of benchmarks/huge.py, on lines, in one file. What is printed is one JSON object: bytes and words of
the text, seconds, the peaks of anonymous memory (RssAnon) of the driver and of the largest worker, and their bounds,
which are those of docs/cluster.md. The exit code is 1 where one was passed, or the training failed. Linux only.
"""

import argparse
import contextlib
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from huge import PART_WORDS, SETTINGS, make_part, prepare

from w2v_cli import vectors

SHARDS = 4
PROGRAM = 300_000_000  # bytes of the program itself
PER_WORD = 220  # of the vocabulary, in the driver
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
        where = ("--cluster", f"local:{arguments.workers}", "--set", f"cluster.shards={SHARDS}")
        where += ("--set", f"cluster.sync_words={arguments.sync_words}")
        command = [sys.executable, "-m", "w2v_cli", "train", source, "--dim", str(arguments.dim), *where, *SETTINGS]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=folder) as process:  # noqa: S603  ourselves
            driver, worker = watch(process)
        seconds = time.perf_counter() - began
        if process.returncode:
            return 1
        words = len(vectors.load(folder / "w2v.safetensors").words)
    matrix = 4 * words * arguments.dim
    driver_bound = matrix * (6 + 2 * (math.ceil(math.log2(SHARDS)) + 2)) + PER_WORD * words + PROGRAM
    worker_bound = round(matrix * (2 + 2 * 1.2 + 4)) + PROGRAM
    figures = {
        "bytes": times * len(part),
        "words": times * PART_WORDS,
        "vocabulary": words,
        "seconds": round(seconds, 1),
        "driver_peak_bytes": driver,
        "driver_bound_bytes": driver_bound,
        "worker_peak_bytes": worker,
        "worker_bound_bytes": worker_bound,
    }
    print(json.dumps(figures))
    return int(driver > driver_bound or worker > worker_bound)


def watch(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    """Return the peaks of anonymous memory of a process and of the largest of its children, when it has ended."""
    peak = children_peak = 0
    while process.poll() is None:
        peak = max(peak, _anonymous(process.pid))
        for child in _children(process.pid):
            children_peak = max(children_peak, _anonymous(child))
        time.sleep(_LOOK_EVERY)
    return peak, children_peak


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
