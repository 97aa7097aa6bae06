"""Time per word by the length of the text, by the size of the vocabulary, and by threads; and the memory it takes.

    python benchmarks/scaling.py TEXT [--models cbow,skipgram] [--repeats 3]

TEXT (real sentences, a sentence a line) is cut to 1, 3 and 12 million words and trained on for 12 million words in
all; the vocabularies, of 10,000 to 1,000,000 words, are those of made texts of 10 million words whose frequencies
follow Zipf's law. Every setting is run in turns, so that what slows the machine slows all alike. One JSON object for
each: words/s and nanoseconds a word (median, least and largest), peak anonymous memory, the bytes of both matrices,
and `cold_bytes`: of the vectors that a word needs, how many bytes lie outside the rows that the last-level cache can
hold, if it holds those that are needed most. Memory traffic explains a growth of time where it grows with cold_bytes.
"""

import argparse
import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.bench.running import Run, run_in_turns
from w2v_cli.bench.trial import Trial
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, shared_negatives
from w2v_cli.kernels.block.scratch import padded_dim
from w2v_cli.kernels.sampling import keep_probabilities

MILLION = 1_000_000
LENGTHS, TRAINED_WORDS = (MILLION, 3 * MILLION, 12 * MILLION), 12 * MILLION
VOCABULARIES, ZIPF_WORDS, ZIPF_EXPONENT = (10_000, 100_000, MILLION), 10 * MILLION, 1.0
WORDS_PER_LINE = 20
CACHE_BYTES = 32 << 20
RATES = {"cbow": 0.05, "skipgram": 0.025}
WINDOW, NEGATIVES, SUBSAMPLE = 5, 5, 1e-3


@dataclass(frozen=True)
class Case:
    """One setting: what is varied and to what; the text's words and the counts of its vocabulary, falling."""

    varied: str
    value: int
    trial: Trial
    words: int
    counts: NDArray[np.int64]


def main() -> None:
    """Run all and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--models", default="cbow,skipgram", metavar="NAMES")
    parser.add_argument("--dim", type=int, default=100, metavar="N")
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = [*cut_texts(arguments.text, Path(folder)), *made_texts(Path(folder))]
        for model in arguments.models.split(","):
            cases = list(plan(texts, model, arguments.dim))
            runs: list[list[Run]] = [[] for _ in cases]
            for repeat in range(arguments.repeats):
                for case, of_case in zip(cases, runs, strict=True):
                    trial = replace(case.trial, seed=case.trial.seed + repeat)
                    of_case.extend(run_in_turns([trial], 1, case.words, {}, lambda _: None)[0])
            for case, of_case in zip(cases, runs, strict=True):
                print(json.dumps(describe(case, of_case)), flush=True)


def cut_texts(text: Path, folder: Path) -> Iterator[tuple[str, int, Path, int]]:
    """Yield (what is varied, its value, file, words) for the first part of a text, in several lengths."""
    for length in LENGTHS:
        path, words = folder / f"first-{length}.txt", 0
        with text.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as part:
            for line in lines:
                if words >= length:
                    break
                words += part.write(line) and len(line.split())
        yield "text_words", length, path, words


def made_texts(folder: Path) -> Iterator[tuple[str, int, Path, int]]:
    """Yield the same for texts in which every word of a vocabulary occurs."""
    for vocabulary in VOCABULARIES:
        chances = np.arange(1, vocabulary + 1) ** -ZIPF_EXPONENT
        rng = np.random.default_rng(7)
        ids = rng.choice(vocabulary, ZIPF_WORDS - vocabulary, p=chances / chances.sum())
        ids = rng.permutation(np.concatenate((ids, np.arange(vocabulary))))
        path = folder / f"zipf-{vocabulary}.txt"
        with path.open("w", encoding="utf-8") as file:
            words = iter(ids.tolist())
            while line := list(islice(words, WORDS_PER_LINE)):
                file.write(" ".join(map(str, line)) + "\n")
        yield "vocabulary", vocabulary, path, ZIPF_WORDS


def plan(texts: list[tuple[str, int, Path, int]], model: Any, dim: int) -> Iterator[Case]:
    """Yield the cases of a model: texts and vocabularies with two threads, the longest text with one."""
    for varied, value, path, words in texts:
        counted = Counter(path.read_text(encoding="utf-8").split())
        counts = np.array(sorted(counted.values(), reverse=True))
        epochs = max(TRAINED_WORDS // words, 1)
        trial = Trial(
            "w2v", str(path), model, dim, WINDOW, NEGATIVES, SUBSAMPLE, epochs, RATES[model], threads=2, seed=1
        )
        yield Case(varied, value, trial, words, counts)
        if value == LENGTHS[-1]:
            yield Case("threads", 1, replace(trial, threads=1), words, counts)


def describe(case: Case, runs: list[Run]) -> dict[str, Any]:
    """Return the figures of a case."""
    speeds = [run.words_per_second for run in runs]
    row_bytes = padded_dim(case.trial.dim) * 4
    return {
        "model": case.trial.model,
        case.varied: case.value,
        "words_per_second": [round(speed(speeds)) for speed in (statistics.median, min, max)],
        "nanoseconds_a_word": [round(1e9 / speed(speeds)) for speed in (statistics.median, max, min)],
        "peak_anonymous_bytes": max(run.anonymous_bytes for run in runs),
        "matrix_bytes": 2 * len(case.counts) * row_bytes,
        "cold_bytes": round(cold_rows(case, CACHE_BYTES // row_bytes) * row_bytes),
    }


def cold_rows(case: Case, cached: int) -> float:
    """Return how many rows a word of the text needs, on average, that are not among the `cached` most needed ones."""
    kept = case.counts * keep_probabilities(case.counts, SUBSAMPLE) / case.counts.sum()
    negatives = case.counts**0.75 / (case.counts**0.75).sum() * kept.sum()
    per_centre = shared_negatives(NEGATIVES) / BLOCK_CENTRES
    inputs, outputs = kept * (1 + 2 * WINDOW / BLOCK_CENTRES), kept + negatives * per_centre
    return float(np.sort(np.concatenate((inputs, outputs)))[:-cached].sum())


if __name__ == "__main__":
    main()
