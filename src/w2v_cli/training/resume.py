"""Resuming: a snapshot is found, compared with the settings of this run, and restored into a trainer."""

import dataclasses
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli import __version__
from w2v_cli.config.schema import FIELDS, FREE_SETTINGS, INPUT_SETTINGS, Config
from w2v_cli.errors import ConfigError, VectorsError, option
from w2v_cli.system.files import OutputExistsError, sha256_of
from w2v_cli.training.snapshot import (
    TRAINING_VERSION,
    Identity,
    Plan,
    Snapshot,
    check_state,
    load_snapshot,
    snapshot_path,
)
from w2v_cli.training.state import BEST_VECTORS, TrainerState
from w2v_cli.training.trainer import Trainer

_SHOWN_DIGITS = 12  # of a SHA-256


def find_snapshot(output: Path, *, is_resumed: bool, overwrite: bool) -> Snapshot | None:
    """Return the snapshot to resume, None for a new training.

    Args:
        output: The vectors file; the snapshot lies beside it.
        is_resumed: Whether a training is resumed.
        overwrite: Whether a new training may replace vectors and snapshot.

    Raises:
        ConfigError: There is no snapshot to resume.
        VectorsError: The snapshot is damaged.
        OutputExistsError: A new training would replace vectors or a snapshot without `overwrite`.
    """
    if is_resumed:
        return load_kept(output)
    for path in (output, snapshot_path(output)):
        if not overwrite and os.path.lexists(path):  # False, not an exception, if the path cannot be inspected
            raise OutputExistsError(
                f"{path} already exists. Use {option('overwrite')} to replace it, {option('resume')} to continue, "
                f"or choose another {option('output')}."
            )
    return None


def load_kept(output: Path) -> Snapshot:
    """Return the snapshot beside `output`; raise ConfigError if there is none, VectorsError if it is damaged."""
    path = snapshot_path(output)
    if not path.exists():
        raise ConfigError(
            f"{option('resume')}: no snapshot {path}. Pass the {option('output')} of the interrupted training, or "
            f"train without {option('resume')}."
        )
    try:
        return load_snapshot(path)
    except VectorsError as error:
        raise VectorsError(f"{option('resume')}: {error.message} Use {option('overwrite')} to start over.") from error


def merge_settings(config: Config, given: Collection[str], snapshot: Snapshot) -> Config:
    """Return the config to resume with: that of the snapshot, with the given settings that may change.

    The number of epochs may grow; a time limit of the earlier run does not count.

    Args:
        config: The settings of this run.
        given: The dotted keys of the settings that the user gave.
        snapshot: The snapshot to resume.

    Raises:
        ConfigError: The given settings ask for another training; a line for each difference.
    """
    old = snapshot.identity.config
    differences = list(_differences(config, given, snapshot.identity))
    if differences:
        raise _refusal(Path(config.output.path), differences)
    kept = {key for key in FREE_SETTINGS | {"corpus.source", "training.epochs"} if key in given}
    if config.corpus.source is None:
        kept.discard("corpus.source")
    unlimited = old.model_copy(update={"training": old.training.model_copy(update={"time_limit": None})})
    merged = _with(unlimited, config, kept | {"output.path"})
    return merged.model_copy(update={"output": merged.output.model_copy(update={"overwrite": True})})


def check_same(output: Path, snapshot: Snapshot, corpus: dict[str, Any], backend: str, corpus_words: int) -> None:
    """Check that text and backend are those of the snapshot.

    Args:
        output: The vectors file, for messages.
        snapshot: The snapshot to resume.
        corpus: The facts of the text of this run.
        backend: The backend of this run.
        corpus_words: The words of an epoch.

    Raises:
        ConfigError: They differ; a line for each difference.
        VectorsError: The position of the snapshot lies outside the training.
    """
    old = snapshot.identity
    differences = []
    if any(old.corpus.get(key) != corpus[key] for key in ("sha256", "vocabulary_sha256")):
        differences.append(f"corpus: {_shown_corpus(old.corpus)} → {_shown_corpus(corpus)}")
    if old.backend != backend:
        differences.append(f"training.backend: {old.backend} → {backend}")
    if differences:
        raise _refusal(output, differences)
    most = corpus_words if old.config.training.algorithm == "minibatch" else corpus_words - 1
    position = snapshot.state.position
    if not (0 <= position.epoch <= old.config.training.epochs and 0 <= position.done <= most):
        raise VectorsError(
            f"{snapshot_path(output)} is damaged: its position, {position}, lies outside the training. Use "
            f"{option('overwrite')} to start over."
        )


def resume_training(trainer: Trainer, snapshot: Snapshot, new: Identity) -> tuple[Identity, TrainerState]:
    """Restore a trainer from a snapshot; return the identity of the training and the state to start from.

    Args:
        trainer: The trainer, prepared; its arrays are replaced.
        snapshot: The snapshot to continue from.
        new: The identity of this run.

    Returns:
        `new` with the history of the snapshot's identity, and the state.

    Raises:
        VectorsError: The arrays of the snapshot do not fit the trainer.
    """
    old, plans = snapshot.identity, snapshot.identity.earlier_plans
    planned, epochs = old.config.training.epochs, new.config.training.epochs
    state = restore(trainer, snapshot, Path(new.config.output.path), epochs)
    if epochs != planned:
        plans = (*plans, Plan(planned, state.position))
    is_reproducible = old.is_reproducible and new.is_reproducible
    identity = dataclasses.replace(new, is_reproducible=is_reproducible, init_from=old.init_from, earlier_plans=plans)
    return identity, state


def restore(trainer: Trainer, snapshot: Snapshot, output: Path, epochs: int) -> TrainerState:
    """Restore the arrays of a snapshot into the trainer; return the state from which a training of `epochs` continues.

    Raises VectorsError if the arrays do not fit the trainer.
    """
    state, planned = snapshot.state, snapshot.identity.config.training.epochs
    check_state(snapshot_path(output), state.arrays, trainer.read_state())
    trainer.restore(state.arrays)
    sums = dataclasses.replace(state.sums)
    if epochs != planned:  # progress is a share of all epochs
        sums.progress *= planned / epochs
        sums.next_report = 0.0
    arrays = {}
    if state.lowest_loss is not None:  # without best vectors, the last epoch was the best one; more may follow
        best = trainer.read_vectors() if state.best_vectors is None else state.best_vectors
        arrays = {BEST_VECTORS: np.array(best)}
    return dataclasses.replace(state, sums=sums, reports=list(state.reports), arrays=arrays)


def _differences(config: Config, given: Collection[str], identity: Identity) -> Iterator[str]:
    """Yield a line for each given setting that differs from the snapshot."""
    old = identity.config
    if identity.training_version != TRAINING_VERSION:
        yield f"w2v-cli, whose algorithms have changed: {identity.package_version} → {__version__}"
    compared = [
        key for key in FIELDS if key in given and key not in {*FREE_SETTINGS, *INPUT_SETTINGS, "training.epochs"}
    ]
    asked_for = _with(old, config, compared)
    for key in compared:
        was, wanted = _value(old, key), _value(asked_for, key)
        if wanted not in _equals(key, was, identity):
            yield f"{key}: {json.dumps(was)} → {json.dumps(wanted)}"
    if "cluster.cluster" in given and (old.cluster.cluster is None) != (config.cluster.cluster is None):
        yield f"cluster.cluster: {json.dumps(old.cluster.cluster)} → {json.dumps(config.cluster.cluster)}"
    if "training.epochs" in given and config.training.epochs < old.training.epochs:
        yield f"training.epochs, which may only grow: {old.training.epochs} → {config.training.epochs}"
    if "model.init_from" in given and config.model.init_from is not None:
        name, sha256 = Path(config.model.init_from).name, sha256_of(Path(config.model.init_from))
        init_from = identity.init_from or {"source": "none", "sha256": ""}
        if init_from["sha256"] != sha256:
            was = f"{init_from['source']} {init_from['sha256'][:_SHOWN_DIGITS]}"
            yield f"model.init_from: {was.rstrip()} → {name} {sha256[:_SHOWN_DIGITS]}"


def _equals(key: str, was: object, identity: Identity) -> list[object]:
    """Return the values that mean the same as that of the snapshot."""
    if key == "training.algorithm":
        return [was, "auto"]
    if key == "training.backend":
        return [was, identity.backend, "auto"]
    return [was]


def _value(config: Config, key: str) -> Any:
    """Return the value of a dotted key; for a learning rate of null, the one that it stands for."""
    if key == "training.learning_rate":
        return config.learning_rate
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def _with(config: Config, other: Config, keys: Collection[str]) -> Config:
    """Return `config` with the values that `other` has for some dotted keys."""
    values = config.model_dump()
    for section, name in (key.split(".") for key in keys):
        values[section][name] = getattr(getattr(other, section), name)
    return Config.model_validate(values)


def _shown_corpus(corpus: dict[str, Any]) -> str:
    digits = str(corpus.get("sha256"))[:_SHOWN_DIGITS]
    return f"{corpus.get('source')}, {corpus.get('words')} words, SHA-256 {digits}…"


def _refusal(output: Path, differences: list[str]) -> ConfigError:
    """Return the error for settings that differ from the snapshot."""
    path = snapshot_path(output)
    head = f"{option('resume')}: {path} belongs to another training (snapshot → this run):"
    cure = f"use the same values, or {option('overwrite')} to start a new training."
    return ConfigError("\n".join([head, *differences, cure]))
