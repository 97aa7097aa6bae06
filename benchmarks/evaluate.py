"""How long `w2v evaluate` takes: all of questions-words.txt on a million words of 100 and of 300 dimensions.

    python benchmarks/evaluate.py QUESTIONS [--folder DIR] [--repeats 3]

QUESTIONS is a file like questions-words.txt; its words stand among the first 30,000 of two files (226 and 626 MB) that
are made of random numbers and kept in the folder, so that every question is asked. Each run is a process of its own;
its time is that from its start to its end, imports and checking the file included, and its processor time that of all
cores, which tells more on a busy machine. Anonymous memory is the largest RssAnon that was seen in /proc, looked at
every millisecond. Printed as JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ask import LOOK_SECONDS, anonymous_kilobytes, draw_rows, summary

from w2v_cli.evaluation.sets import read_sets
from w2v_cli.vectors.keyed_vectors import KeyedVectors, save

WORDS = 1_000_000
FREQUENT = 30_000


def main() -> None:
    """Make the files, evaluate, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path, help="The questions.")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="Where the files are kept.")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="Runs of each kind. [3]")
    arguments = parser.parse_args()
    report = {}
    for dim in (100, 300):
        path = make(arguments.folder / f"evaluate-{WORDS}x{dim}.safetensors", dim, arguments.questions)
        for options in (["--method", "add"], ["--method", "mul"], ["--ignore-case"]):
            before = processor_seconds()
            runs = [evaluate(path, arguments.questions, options) for _ in range(arguments.repeats)]
            mean = (processor_seconds() - before) / len(runs)
            report[f"1 M x {dim}, {' '.join(options)}"] = summary(runs) | {"processor_seconds": round(mean, 1)}
    print(json.dumps(report, indent=1))


def processor_seconds() -> float:
    """Return what the runs so far have taken of all cores."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make(path: Path, dim: int, questions: Path) -> Path:
    """Return a vectors file of random numbers with all words of the questions, made where it is not there yet."""
    if not path.exists():
        draws = np.random.default_rng(1)
        rows = draw_rows(draws, WORDS, dim)
        names = [f"word{number:07d}" for number in range(WORDS)]
        [asked] = read_sets([str(questions)], path.parent)
        words = list(dict.fromkeys(word.casefold() for word in asked.words))
        for place, word in zip(draws.choice(FREQUENT, len(words), replace=False).tolist(), words, strict=True):
            names[place] = word
        save(path, KeyedVectors(rows, names, np.arange(WORDS, 0, -1)), overwrite=False)
    return path


def evaluate(path: Path, questions: Path, options: list[str]) -> tuple[float, float]:
    """Return the seconds that a run takes and the megabytes of its anonymous memory."""
    command = [sys.executable, "-m", "w2v_cli", "evaluate", str(path), "--on", str(questions), *options]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        peak = 0
        while process.poll() is None:
            peak = max(peak, anonymous_kilobytes(process.pid))
            time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - begun
        whole = process.stdout.read().splitlines()[1].split("\t")  # type: ignore[union-attr]  it is a pipe
    if process.returncode or whole[-1] != "0":
        sys.exit(f"w2v ended with {process.returncode}, {whole[-1]} questions were skipped")
    return seconds, peak / 1000


if __name__ == "__main__":
    main()
