"""Medians, spreads and ratios of runs, as JSON-able values and as lines of a table."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from w2v_cli.bench.running import Run
from w2v_cli.bench.trial import OURS, TRAINERS

EVALUATOR = "w2v: 3CosAdd over the whole vocabulary, query words excluded; Spearman's rank correlation of cosines"

_NOTES = {trainer.name: trainer.note for trainer in TRAINERS}


def summarise(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return an entry for each model and trainer: figures as {median, min, max}, and ratios of w2v to each peer.

    A ratio compares runs of the same turn, which the load of the machine affects alike.
    """
    entries = []
    for model, trainer in dict.fromkeys((run.trial.model, run.trial.trainer) for run in runs):
        of_trainer = _runs_of(runs, model, trainer)
        entries.append(
            {
                "model": model,
                "trainer": trainer,
                "version": of_trainer[0].version,
                "note": _NOTES[trainer],
                "runs": len(of_trainer),
                "words_per_second": _spread([run.words_per_second for run in of_trainer]),
                "words_per_cpu_second": _spread([run.words_per_cpu_second for run in of_trainer]),
                "seconds": _spread([run.seconds for run in of_trainer]),
                "peak_anonymous_bytes": max(run.anonymous_bytes for run in of_trainer),
                "peak_resident_bytes": max(run.resident_bytes for run in of_trainer),
                "scores": _scores(of_trainer),
                "times_peer": _ratios(runs, of_trainer, model) if trainer in OURS else {},
            }
        )
    return entries


def table(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the rows of a table, headings first."""
    sets = list(dict.fromkeys(name for entry in entries for name in entry["scores"]))
    rows = [("model", "trainer", "words/s (from, to)", "per CPU s", "anonymous MB", *sets)]
    for entry in entries:
        speed = entry["words_per_second"]
        rows.append(
            (
                entry["model"],
                f"{entry['trainer']} {entry['version']}",
                f"{_thousands(speed['median'])} ({_thousands(speed['min'])}, {_thousands(speed['max'])})",
                _thousands(entry["words_per_cpu_second"]["median"]),
                f"{entry['peak_anonymous_bytes'] / 1e6:.0f}",
                *(_score_text(entry["scores"][name]) for name in sets),
            )
        )
    return rows


def ratio_lines(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each ratio of w2v to a peer."""
    return [
        f"{entry['model']}: {entry['trainer']} is {ratio['median']:.2f} times {peer} ("
        + (f"{ratio['min']:.2f} to {ratio['max']:.2f})" if entry["runs"] > 1 else "one run only)")
        for entry in entries
        for peer, ratio in entry["times_peer"].items()
    ]


def note_lines(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each trainer that says how it trains."""
    return list(dict.fromkeys(f"{entry['trainer']}: {entry['note']}" for entry in entries))


def _runs_of(runs: Sequence[Run], model: str, trainer: str) -> list[Run]:
    return [run for run in runs if (run.trial.model, run.trial.trainer) == (model, trainer)]


def _ratios(runs: Sequence[Run], of_trainer: Sequence[Run], model: str) -> dict[str, dict[str, float]]:
    ratios = {}
    trainers = dict.fromkeys(run.trial.trainer for run in runs if run.trial.model == model)
    for peer in (trainer for trainer in trainers if trainer not in OURS):
        pairs = zip(of_trainer, _runs_of(runs, model, peer), strict=True)
        ratios[peer] = _spread([ours.words_per_second / theirs.words_per_second for ours, theirs in pairs])
    return ratios


def _scores(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Return mean and standard deviation over the runs, which differ in their seeds, for each evaluation set."""
    scores = {}
    for name, first in runs[0].scores.items():
        values = [run.scores[name]["score"] for run in runs]
        covered = {"asked": first["asked"], "coverage": first["coverage"]}
        if any(value is None for value in values):
            scores[name] = {"mean": None, "deviation": None, **covered}
        else:
            deviation = statistics.stdev(values) if len(values) > 1 else None
            scores[name] = {"mean": statistics.mean(values), "deviation": deviation, **covered}
    return scores


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _thousands(number: float) -> str:
    return f"{number / 1000:,.0f} k"


def _score_text(score: Mapping[str, Any]) -> str:
    if score["mean"] is None:
        return "none"
    deviation = "" if score["deviation"] is None else f" ± {score['deviation']:.3f}"
    return f"{score['mean']:.3f}{deviation} of {score['asked']:,} ({score['coverage']:.0%})"
