"""A whole comparison: writes the corpus for all trainers, runs the trials and returns the report."""

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
    """The settings of a comparison.

    Attributes:
        corpus: a text file or the name of a corpus.
        tokens: how the text is split into words.
        min_count: words that occur less often are dropped.
        most_words: how many words of the corpus to use, None for all.
        models: the models.
        trainers: the names of the trainers.
        dim: D, dimensions of the vectors.
        epochs: passes over the corpus.
        threads: threads of each trainer.
        repeats: runs of each trial.
        seed: the seed of the first run; later runs count up from it.
    """

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
    """Return the trainers of a list such as `w2v,gensim`, each once, or of `all`.

    Raises:
        ConfigError: for an unknown name.
    """
    known = tuple(trainer.name for trainer in TRAINERS)
    chosen = known if names == "all" else tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in known:
            raise ConfigError(f"{option('trainers', name)}: unknown trainer; choose from {', '.join(known)}.")
    return chosen


def find_left_out(names: Sequence[str]) -> dict[str, str]:
    """Return the trainers that cannot run here, and why."""
    reasons = {trainer.name: trainer.find_missing() for trainer in TRAINERS if trainer.name in names}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def compare(comparison: Comparison, data_folder: Path, on_run: Callable[[Run], None]) -> dict[str, Any]:
    """Run a comparison and return the report, as JSON-able values.

    Another trainer that fails is skipped, with the reason in the report.

    Args:
        comparison: what to compare.
        data_folder: the folder of corpora and evaluation sets.
        on_run: called after each run.

    Raises:
        ConfigError: if no trainer can run here.
        W2vError: if w2v itself fails.
    """
    left_out = find_left_out(comparison.trainers)
    if len(left_out) == len(comparison.trainers):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise ConfigError(f"none of the {option('trainers')} can run here. {reasons}.")
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
    """Return the facts about the machine that the figures depend on."""
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
