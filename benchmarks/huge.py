"""Train on a text far larger than memory allows, made on the fly, and see how much memory that took.

    python benchmarks/huge.py stdin [--gigabytes 5]     through a pipe, as `w2v train -`
    python benchmarks/huge.py gz [--gigabytes 5]        from one .gz file
    python benchmarks/huge.py line [--gigabytes 1]      a file that is a single line

The text is words of a Zipf distribution, drawn once for 64 MB and repeated. What is printed is one JSON object: bytes
and words of the text, seconds, the peak of anonymous memory (RssAnon: what is no mapped file) and its bound, which is
both matrices and 300 MB. No snapshot falls due before the end, which would take a copy of them. The exit code is 1
where the bound was passed, or the training failed. Linux only.
"""

import argparse
import contextlib
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from w2v_cli.vectors import keyed_vectors

TYPES, EXPONENT = 200_000, 1.07
PART_WORDS = 10_000_000  # 64 MB
WORDS_PER_LINE = 20
ALLOWED = 300_000_000  # bytes beside the matrices
SETTINGS = ("--set", "corpus.tokens=whitespace", "--epochs", "1", "--subsample", "1e-4", "--min-count", "5", "--quiet")
_LOOK_EVERY = 0.05  # seconds


def main() -> int:
    """Do it and print the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("stdin", "gz", "line"))
    parser.add_argument("--gigabytes", type=float, default=5, metavar="N", help="Size of the text. [5]")
    parser.add_argument("--dim", type=int, default=100, metavar="N", help="Dimensions of a vector. [100]")
    arguments = parser.parse_args()
    part = make_part(lines=arguments.kind != "line")
    times = max(round(arguments.gigabytes * 1e9 / len(part)), 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, text = prepare(arguments.kind, folder, part, times)
        command = [sys.executable, "-m", "w2v_cli", "train", source, "--dim", str(arguments.dim), *SETTINGS]
        began = time.perf_counter()
        with text as piped, subprocess.Popen(command, cwd=folder, stdin=piped) as process:  # noqa: S603  ourselves
            peak = watch(process)
        seconds = time.perf_counter() - began
        if process.returncode:
            return 1
        trained = keyed_vectors.load(folder / "w2v.safetensors")
        bound = 2 * len(trained.words) * arguments.dim * 4 + ALLOWED
    figures = {
        "text": arguments.kind,
        "bytes": times * len(part),
        "words": times * PART_WORDS,
        "vocabulary": len(trained.words),
        "seconds": round(seconds, 1),
        "peak_anonymous_bytes": peak,
        "bound_bytes": bound,
    }
    print(json.dumps(figures))
    return int(peak > bound)


def make_part(*, lines: bool) -> bytes:
    """Return 64 MB of text, on lines or on none."""
    chances = np.arange(1, TYPES + 1) ** -EXPONENT
    words = np.array([f"w{i}" for i in range(TYPES)])
    drawn = words[np.random.default_rng(7).choice(TYPES, PART_WORDS, p=chances / chances.sum())]
    if not lines:
        return (" ".join(drawn) + " ").encode()
    return "".join(" ".join(line) + "\n" for line in drawn.reshape(-1, WORDS_PER_LINE)).encode()


def prepare(
    kind: str, folder: Path, part: bytes, times: int
) -> tuple[str, contextlib.AbstractContextManager[IO[bytes] | int]]:
    """Return what `train` is asked to read, and its standard input."""
    if kind == "stdin":
        return "-", _pipe(part, times)
    path = folder / ("text.txt.gz" if kind == "gz" else "text.txt")
    stored = gzip.compress(part, 1) if kind == "gz" else part  # a .gz file may have many members
    with path.open("wb") as file:
        for _ in range(times):
            file.write(stored)
    return path.name, contextlib.nullcontext(subprocess.DEVNULL)


@contextlib.contextmanager
def _pipe(part: bytes, times: int) -> Iterator[IO[bytes]]:
    """Yield the end of a pipe from which a text can be read that is never stored."""
    read_end, write_end = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(write_end, "wb") as file:
            for _ in range(times):
                file.write(part)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(read_end, "rb") as file:
        yield file
    writer.join()


def watch(process: "subprocess.Popen[bytes]") -> int:
    """Return the peak of a process's anonymous memory, in bytes, when it has ended."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            found = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
            peak = max(peak, *(int(kilobytes) * 1024 for kilobytes in found), 0)
        time.sleep(_LOOK_EVERY)
    return peak


if __name__ == "__main__":
    sys.exit(main())
