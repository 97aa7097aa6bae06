"""A whole comparison: the corpus written for all, the trials that can be run, and what came of them."""

import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from w2v_cli import __version__
from w2v_cli.bench.report import EVALUATOR, summarise
from w2v_cli.bench.running import Run, measure_peak, run_in_turns, write_corpus
from w2v_cli.bench.trial import TRAINERS, Trial
from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus import find
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError, option
from w2v_cli.system.machine import available_cores

EVALUATION_SETS = ("wordsim353", "simlex999", "questions-words")
_LEARNING_RATES: Mapping[str, float] = {"cbow": 0.05, "skipgram": 0.025}  # the peers' own
_WINDOW, _NEGATIVES, _SUBSAMPLE = 5, 5, 1e-3


@dataclass(frozen=True)
class Comparison:
    """What is to be compared; most_words: of the corpus, None: all of it."""

    corpus: str
    tokens: Literal["words", "whitespace"]
    min_count: int
    most_words: int | None
    models: tuple[Literal["cbow", "skipgram"], ...]
    trainers: tuple[str, ...]
    dim: int
    epochs: int
    threads: int
    repeats: int
    seed: int


def choose_trainers(names: str) -> tuple[str, ...]:
    """Return the trainers of a list such as `w2v,gensim`, each once, or all; raise ConfigError for one that is none."""
    known = tuple(trainer.name for trainer in TRAINERS)
    chosen = known if names == "all" else tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in known:
            raise ConfigError(f"{option('trainers', name)}: there is no such trainer; choose among {', '.join(known)}.")
    return chosen


def find_left_out(names: Sequence[str]) -> dict[str, str]:
    """Return which of the trainers cannot be run here, and why."""
    reasons = {trainer.name: trainer.find_missing() for trainer in TRAINERS if trainer.name in names}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def compare(comparison: Comparison, data_folder: Path, on_run: Callable[[Run], None]) -> dict[str, Any]:
    """Run it and return the report, JSON-able.

    Raises ConfigError where no trainer can be run here, and W2vError where ours fails; a peer that fails is left out.
    """
    left_out = find_left_out(comparison.trainers)
    if len(left_out) == len(comparison.trainers):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise ConfigError(f"no trainer of {option('trainers')} can be run here. {reasons}.")
    found = find.find_corpus(comparison.corpus, data_folder)
    settings: dict[str, Any] = {"tokens": comparison.tokens, "min_count": comparison.min_count}
    if known := find.corpus_settings_for(comparison.corpus, data_folder):
        settings |= {key.removeprefix("corpus."): value for key, value in known[1].items()}
    sets = {name: registry.installed_path(registry.find(name), data_folder) for name in EVALUATION_SETS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.txt"
        scanned = scan_corpus(found.sources, CorpusSettings.model_validate(settings), threads=comparison.threads)
        words = write_corpus(scanned, path, most_words=comparison.most_words)
        trials = [
            Trial(
                trainer=trainer,
                corpus=str(path),
                model=model,
                dim=comparison.dim,
                window=_WINDOW,
                negatives=_NEGATIVES,
                subsample=_SUBSAMPLE,
                epochs=comparison.epochs,
                learning_rate=_LEARNING_RATES[model],
                threads=comparison.threads,
                seed=comparison.seed,
            )
            for model in comparison.models
            for trainer in comparison.trainers
            if trainer not in left_out
        ]
        there = {name: set_path for name, set_path in sets.items() if set_path is not None}
        runs, failed = run_in_turns(trials, comparison.repeats, words, there, on_run)
        peak = measure_peak(trials[0])
    return {
        "version": __version__,
        "comparison": asdict(comparison)
        | {"window": _WINDOW, "negatives": _NEGATIVES, "subsample": _SUBSAMPLE, "learning_rates": _LEARNING_RATES},
        "corpus": {"words": words, "vocabulary": scanned.text.vocabulary_size, "sha256": scanned.corpus.sha256},
        "machine": _machine() | {"sgemm_gigaflops_of_one_core": round(peak, 1)},
        "evaluator": EVALUATOR,
        "sets_left_out": [name for name, set_path in sets.items() if set_path is None],
        "left_out": left_out | failed,
        "results": summarise(runs),
    }


def _machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
