"""The provenance in a vectors file: everything that decides the vectors, and nothing else (docs/adr/0004)."""

import dataclasses
from typing import Any

from w2v_cli.config.schema import FREE_SETTINGS, INPUT_SETTINGS, Config
from w2v_cli.evaluation import EVALUATOR, contents_by_name
from w2v_cli.training import Identity, Trained


def describe(identity: Identity, trained: Trained) -> dict[str, Any]:
    """Return the metadata of the vectors, JSON-able.

    final_loss is the mean loss of the last whole epoch, None if there is none. `stopped_early`, `init_from` and
    `earlier_plans` are left out if they do not apply.
    """
    config = identity.config
    settings = _recorded_settings(config)
    if config.cluster.cluster is None:
        del settings["cluster"]
    settings["training"]["learning_rate"] = config.learning_rate
    losses = trained.epoch_losses
    return {
        "package_version": identity.package_version,
        "algorithm": config.training.algorithm,
        "backend": identity.backend,
        "reproducible": identity.is_reproducible and trained.is_complete,
        "seed": config.sampling.seed,
        "config": settings,
        "corpus": {key: fact for key, fact in identity.corpus.items() if key != "vocabulary_sha256"},
        "epoch_losses": losses,
        "final_loss": losses[-1] if losses else None,
        **validation(trained),
        **evaluation(trained),
        **stopped_early(trained),
        **({} if identity.init_from is None else {"init_from": identity.init_from}),
        **_earlier_plans(identity),
    }


def _recorded_settings(config: Config) -> dict[str, dict[str, Any]]:
    """Return the settings that decide the vectors, by section: no path, time, number of threads or limit of a text."""
    left_out = FREE_SETTINGS | INPUT_SETTINGS
    sections = {
        section: {name: value for name, value in settings.items() if f"{section}.{name}" not in left_out}
        for section, settings in config.model_dump(mode="json").items()
    }
    return {section: settings for section, settings in sections.items() if settings}


def validation(trained: Trained) -> dict[str, Any]:
    """Return the losses on held-out sentences, JSON-able; empty if there are none."""
    losses = trained.validation_losses
    return {"validation_losses": losses, "epoch": trained.epoch} if losses else {}


def evaluation(trained: Trained) -> dict[str, Any]:
    """Return the scores of these vectors by set, and the evaluator, JSON-able; empty if there are none."""
    scores = trained.scores
    return {"evaluation": {"evaluator": EVALUATOR, "scores": contents_by_name(scores)}} if scores else {}


def epoch_evaluations(trained: Trained) -> dict[str, Any]:
    """Return the scores after each epoch, JSON-able; empty if there are none."""
    scored = [report for report in trained.reports if report.scores]
    scores = [{"epoch": report.epoch, "scores": contents_by_name(report.scores)} for report in scored]
    return {"epoch_evaluations": scores} if scores else {}


def stopped_early(trained: Trained) -> dict[str, Any]:
    """Return how far a training came before it was stopped, JSON-able; empty for a complete one."""
    if trained.is_complete:
        return {}
    done = {"whole_epochs": trained.whole_epochs, "epochs": trained.reports[-1].epochs}
    return {"stopped_early": done | {"progress": round(trained.progress, 6)}}


def _earlier_plans(identity: Identity) -> dict[str, Any]:
    """Return the earlier numbers of epochs and the positions at which they were raised; empty if there are none."""
    plans = [dataclasses.asdict(plan) for plan in identity.earlier_plans]
    return {"earlier_plans": plans} if plans else {}
