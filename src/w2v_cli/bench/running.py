"""Runs of trials in turns, each in a process of its own, with peak memory and the quality of the vectors."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli.bench.trial import OURS, Trial
from w2v_cli.corpus.scan import ScanResult
from w2v_cli.errors import W2vError
from w2v_cli.evaluation import analogy_accuracy, read_analogy_questions, read_word_pairs, similarity_correlation
from w2v_cli.vectors import KeyedVectors

_LOOK_EVERY = 0.02  # seconds between two measurements of memory
_WARM_UP_LINES = 200


@dataclass(frozen=True)
class Run:
    """The result of a trial.

    Attributes:
        trial: what was run.
        words_per_second: corpus words trained per second of wall time.
        words_per_cpu_second: the same per second of CPU time.
        seconds: wall time of the whole process, with reading and start-up.
        anonymous_bytes: peak of RssAnon, the memory that is not a mapped file.
        resident_bytes: peak of VmRSS.
        version: the trainer's.
        scores: by evaluation set.
    """

    trial: Trial
    words_per_second: float
    words_per_cpu_second: float
    seconds: float
    anonymous_bytes: int
    resident_bytes: int
    version: str
    scores: Mapping[str, Mapping[str, Any]]


def write_corpus(scanned: ScanResult, path: Path, *, most_words: int | None = None) -> int:
    """Write the kept words, a sentence per line, as input of all trainers; return their number."""
    text, words, written = scanned.text, list(scanned.corpus.vocabulary.words), 0
    with path.open("w", encoding="utf-8") as file:
        for first, last in pairwise(text.sentence_offsets.tolist()):
            if most_words is not None and written >= most_words:
                break
            file.write(" ".join([words[word_id] for word_id in text.word_ids[first:last].tolist()]) + "\n")
            written += last - first
    return written


def run_in_turns(
    trials: Sequence[Trial], repeats: int, words: int, sets: Mapping[str, Path], on_run: Callable[[Run], None]
) -> tuple[list[Run], dict[str, str]]:
    """Run all trials in turns, each turn with the next seed.

    w2v is first run on a few lines, so that compiling is not measured.

    Args:
        trials: the trials.
        repeats: number of turns.
        words: corpus words of an epoch.
        sets: evaluation sets by name.
        on_run: called after each run.

    Returns:
        The runs, without those of peers that failed; and why those failed, by name.

    Raises:
        W2vError: if w2v itself fails.
    """
    runs: list[Run] = []
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for trial in trials:
            if trial.trainer in OURS:
                _warm_up(trial, Path(folder))
        for repeat in range(repeats):
            for trial in trials:
                if trial.trainer in failed:
                    continue
                try:
                    run = _measure(replace(trial, seed=trial.seed + repeat), Path(folder), words, sets)
                except W2vError as error:
                    if trial.trainer in OURS:
                        raise
                    failed[trial.trainer] = str(error)
                    continue
                runs.append(run)
                on_run(run)
    return [run for run in runs if run.trial.trainer not in failed], failed


def _warm_up(trial: Trial, folder: Path) -> None:
    """Train on the first lines of the corpus, to compile the kernels."""
    few = folder / "few.txt"
    with Path(trial.corpus).open(encoding="utf-8") as lines:
        few.write_text("".join(islice(lines, _WARM_UP_LINES)), encoding="utf-8")
    _run(replace(trial, corpus=str(few), epochs=1), folder)


def measure_peak(trial: Trial) -> float:
    """Return the speed of a matrix product on one core, in 1e9 operations per second."""
    with tempfile.TemporaryDirectory() as folder:
        result, _, _ = _run(replace(trial, trainer="sgemm"), Path(folder), {"OPENBLAS_NUM_THREADS": "1"})
    return float(result["gigaflops"])


def _measure(trial: Trial, folder: Path, words: int, sets: Mapping[str, Path]) -> Run:
    started = time.perf_counter()
    result, anonymous, resident = _run(trial, folder)
    seconds = time.perf_counter() - started
    trained_words = words * trial.epochs
    return Run(
        trial,
        words_per_second=trained_words / result["seconds"],
        words_per_cpu_second=trained_words / result["cpu_seconds"],
        seconds=seconds,
        anonymous_bytes=anonymous,
        resident_bytes=resident,
        version=result["version"],
        scores=_scores(folder / "vectors.npz", sets),
    )


def _run(trial: Trial, folder: Path, environment: Mapping[str, str] | None = None) -> tuple[dict[str, Any], int, int]:
    """Run a trial; return its result and the peaks of its memory, anonymous and resident, in bytes."""
    trial_file = folder / "trial.json"
    trial_file.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    command = [sys.executable, "-m", "w2v_cli.bench.worker", str(trial_file), str(folder)]
    peaks = [0, 0]
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | (environment or {})) as process,  # noqa: S603
    ):
        while process.poll() is None:
            peaks = [max(pair) for pair in zip(peaks, _memory(process.pid), strict=True)]
            time.sleep(_LOOK_EVERY)
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()
    if process.returncode != 0:
        raise W2vError(f"{trial.trainer} failed: {lines[-1] if lines else process.returncode}")
    return json.loads((folder / "result.json").read_text(encoding="utf-8")), peaks[0], peaks[1]


def _memory(pid: int) -> tuple[int, int]:
    """Return the anonymous and resident bytes of a process and its children; 0 if the system does not report them."""
    anonymous = resident = 0
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:  # it has ended, or this is not Linux
        return 0, 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            anonymous = int(line.split()[1]) * 1024
        elif line.startswith("VmRSS:"):
            resident = int(line.split()[1]) * 1024
    for child in children:
        of_child = _memory(int(child))
        anonymous, resident = anonymous + of_child[0], resident + of_child[1]
    return anonymous, resident


def _scores(file: Path, sets: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Return the scores of the vectors on each evaluation set, with the share of it that was asked."""
    with np.load(file) as arrays:
        words, vectors = arrays["words"].tolist(), arrays["vectors"]
    word_vectors = KeyedVectors(vectors, tuple(words), None, {})
    scores: dict[str, dict[str, Any]] = {}
    for name, path in sets.items():
        if name == "questions-words":
            total = analogy_accuracy(word_vectors, read_analogy_questions(path)).total
            scores[name] = {"score": total.accuracy, "asked": total.asked, "coverage": total.coverage}
        else:
            correlation = similarity_correlation(word_vectors, read_word_pairs(path))
            coverage = correlation.coverage
            scores[name] = {"score": correlation.correlation, "asked": correlation.asked, "coverage": coverage}
    return scores
