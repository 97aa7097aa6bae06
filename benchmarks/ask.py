"""How long questions take: `w2v similar` on a million words of 300 dimensions, and a thousand words on 400,000 of 100.

    python benchmarks/ask.py [--folder DIR] [--repeats 5]

The two files (627 and 91 MB) are made of random numbers and kept in the folder. Each run is a process of its own; its
time is that from its start to its end, imports included. Runs are *warm* (the file is in the system's cache, as after
training) or, for the large file, *cold* (it was driven out of the cache, so that the disk has its part). Anonymous
memory is the largest RssAnon that was seen in /proc, looked at every millisecond. Printed as JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.vectors.keyed_vectors import KeyedVectors, save

ROWS_AT_ONCE = 1 << 15
LOOK_SECONDS = 0.001
MANY = 1000


def main() -> None:
    """Make the files, ask, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="Where the files are kept.")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="Runs of each kind. [5]")
    arguments = parser.parse_args()
    large = make(arguments.folder / "ask-1000000x300.safetensors", 1_000_000, 300)
    small = make(arguments.folder / "ask-400000x100.safetensors", 400_000, 100)
    one, many = ["word0000777"], [f"word{number:07d}" for number in range(0, MANY * 300, 300)]
    report = {
        "1 word, 1 M x 300, warm": [ask(large, one) for _ in range(arguments.repeats)],
        "1 word, 1 M x 300, cold": [ask(large, one, is_cold=True) for _ in range(arguments.repeats)],
        "1,000 words, 400 k x 100, warm": [ask(small, many) for _ in range(arguments.repeats)],
    }
    print(json.dumps({name: summary(runs) for name, runs in report.items()}, indent=1))


def make(path: Path, words: int, dim: int) -> Path:
    """Return a vectors file of random numbers, made where it is not there yet."""
    if not path.exists():
        rows = draw_rows(np.random.default_rng(1), words, dim)
        names = [f"word{number:07d}" for number in range(words)]
        save(path, KeyedVectors(rows, names, np.arange(words, 0, -1)), overwrite=False)
    return path


def draw_rows(draws: np.random.Generator, words: int, dim: int) -> NDArray[np.float16]:
    """Return random vectors (words, dim)."""
    rows = np.empty((words, dim), np.float16)
    for first in range(0, words, ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        part[...] = draws.standard_normal(part.shape, dtype=np.float32)
    return rows


def ask(path: Path, words: list[str], *, is_cold: bool = False) -> tuple[float, float]:
    """Return the seconds that a run takes and the megabytes of its anonymous memory."""
    if is_cold:
        drop_from_cache(path)
    command = [sys.executable, "-m", "w2v_cli", "similar", "-", "--vectors", str(path)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        process.stdin.write("\n".join(words))  # type: ignore[union-attr]  it is a pipe
        process.stdin.close()  # type: ignore[union-attr]  as above
        peak = 0
        while process.poll() is None:
            peak = max(peak, anonymous_kilobytes(process.pid))
            time.sleep(LOOK_SECONDS)
    if process.returncode:
        sys.exit(f"w2v ended with {process.returncode}")
    return time.perf_counter() - begun, peak / 1000


def drop_from_cache(path: Path) -> None:
    """Make the system forget what it has of a file in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def anonymous_kilobytes(process: int) -> int:
    """Return the RssAnon of a process, 0 where it has just ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), 0)


def summary(runs: list[tuple[float, float]]) -> dict[str, Any]:
    """Return the median and the extremes of the runs' times, and the largest memory."""
    seconds = [run[0] for run in runs]
    return {
        "seconds": {
            "median": round(statistics.median(seconds), 2),
            "least": round(min(seconds), 2),
            "largest": round(max(seconds), 2),
        },
        "anonymous_megabytes": round(max(run[1] for run in runs)),
    }


if __name__ == "__main__":
    main()
