"""The dry run: a training up to its first word, and an estimate of memory, disk and time."""

import contextlib
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli.config.schema import Config
from w2v_cli.pipeline.events import OnEvent
from w2v_cli.pipeline.memory import state_bytes, vectors_file_bytes
from w2v_cli.pipeline.prepare import PreparedTraining, connect_cluster, lock_output, prepare
from w2v_cli.system.files import OutputExistsError
from w2v_cli.training import BEGINNING, snapshot_path
from w2v_cli.vectors import encode_words

_SAMPLE_SECONDS = 1.0  # of training, to measure its speed


@dataclass(frozen=True)
class Speed:
    """The measured speed: seconds before an epoch's first word, words a second, seconds of measuring after an epoch."""

    begin_seconds: float
    words_per_second: float
    measure_seconds: float

    def seconds_for(self, words: float, epochs: float) -> float:
        """Return about how long training on a number of words in a number of epochs takes."""
        return words / self.words_per_second + epochs * (self.begin_seconds + self.measure_seconds)


@dataclass(frozen=True)
class DryRunReport:
    """A training that could start; sizes in bytes.

    Attributes:
        prepared: the training, ready to start.
        progress: the share that an earlier run has done, 0 to 1.
        vectors_bytes: estimated size of the vectors file.
        snapshot_bytes: size of the snapshots; 0 if none are wanted.
        free_bytes: free space beside the output.
        speed: the measured speed.
        seconds: the estimated time of training.
        refusals: outputs that exist, for which the training would be refused.
    """

    prepared: PreparedTraining
    progress: float
    vectors_bytes: int
    snapshot_bytes: int
    free_bytes: int
    speed: Speed
    seconds: float
    refusals: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """The files that would be written, by kind."""
        output = self.prepared.config.output
        files = {"vectors": output.path, "snapshot": str(snapshot_path(Path(output.path))), "log": output.log}
        return {kind: name for kind, name in files.items() if name and (kind != "snapshot" or self.snapshot_bytes)}

    def as_json(self) -> dict[str, Any]:
        """Return the report for a script (docs/reference/json.md)."""
        prepared, speed, limit = self.prepared, self.speed, self.prepared.memory.limit
        return {
            "dry_run": True,
            "refusals": list(self.refusals),
            "corpus": prepared.identity.corpus,
            "vocabulary": len(prepared.corpus.vocabulary),
            "algorithm": prepared.loaded.algorithm,
            "backend": str(prepared.loaded.backend),
            "threads": prepared.loaded.threads,
            "is_reproducible": prepared.loaded.is_reproducible,
            "blocks_in_flight": prepared.loaded.blocks_in_flight,
            "learning_rate": prepared.config.learning_rate,
            "config": prepared.config.model_dump(mode="json"),
            "files": self.files,
            "memory_bytes": prepared.memory.peak,
            "memory_parts": dict(prepared.memory.need.parts),
            "memory_available": None if limit is None else limit.available,
            "memory_limit": None if limit is None else limit.name,
            "vectors_bytes": self.vectors_bytes,
            "snapshot_bytes": self.snapshot_bytes,
            "disk_free_bytes": self.free_bytes,
            "progress": self.progress,
            "words_per_second": round(speed.words_per_second),
            "measure_seconds": round(speed.measure_seconds, 3),
            "estimated_seconds": round(self.seconds, 1),
        }


def plan_training(
    config: Config, data_folder: Path, on_event: OnEvent, *, resume: Collection[str] | None = None
) -> DryRunReport:
    """Prepare a training, measure its speed for a moment, and return the report; nothing is written.

    Args:
        config: All settings.
        data_folder: The folder of downloaded corpora and evaluation sets.
        on_event: Called with each event.
        resume: None for a new training; else the dotted keys of `config` that were given, as for `train_vectors`.

    Returns:
        The report; outputs that exist are its refusals, and the rest is that of a training with `overwrite`.

    Raises:
        W2vError: One of its subclasses, as for `train_vectors`.
    """
    config, refusals = _unhindered(config, resume)
    with (
        lock_output(config, resume) as (locked, snapshot),
        connect_cluster(locked, data_folder, on_event) as cluster,
    ):
        prepared = prepare(locked, data_folder, on_event, snapshot, cluster)
        speed = measure_speed(prepared)
        output, training = Path(prepared.config.output.path), prepared.config.training
        vocabulary = prepared.corpus.vocabulary
        text_bytes = len(encode_words(vocabulary.words)[0])
        has_snapshot = prepared.config.output.has_snapshots
        done = _progress_before(prepared)
        epochs_left = (1 - done) * training.epochs
        return DryRunReport(
            prepared=prepared,
            progress=done,
            vectors_bytes=vectors_file_bytes(text_bytes, len(vocabulary), prepared.config.model.dim),
            snapshot_bytes=state_bytes(prepared.config, len(vocabulary)) if has_snapshot else 0,
            free_bytes=shutil.disk_usage(output.absolute().parent).free,
            speed=speed,
            seconds=speed.seconds_for(epochs_left * prepared.corpus_words, epochs_left),
            refusals=refusals,
        )


def _unhindered(config: Config, resume: Collection[str] | None) -> tuple[Config, tuple[str, ...]]:
    """Return the config to plan with, and the outputs for which the given one would be refused."""
    try:
        with lock_output(config, resume):
            return config, ()
    except OutputExistsError as error:
        output = config.output.model_copy(update={"overwrite": True})
        return config.model_copy(update={"output": output}), (error.message,)


def measure_speed(prepared: PreparedTraining, clock: Callable[[], float] = time.perf_counter) -> Speed:
    """Train for a moment and return the speed; the vectors are useless afterwards.

    The work before an epoch's first words, which the minibatch algorithm has, is measured apart.
    """
    start = BEGINNING if prepared.state is None else prepared.state.position
    epochs, began = prepared.config.training.epochs, clock()
    first = latest = (began, _progress_before(prepared))
    with contextlib.closing(prepared.trainer.steps(start)) as steps:
        for number, step in enumerate(steps):
            float(step.loss_sum)  # waits for a device, so that work done is measured, not work queued
            latest = (clock(), step.progress)
            if number == 0:
                first = latest
            elif latest[0] - first[0] >= _SAMPLE_SECONDS:
                break
    if latest is first:  # the whole text was one step
        first = (began, _progress_before(prepared))
    seconds, done = latest[0] - first[0], latest[1] - first[1]
    words_per_second = done * epochs * prepared.corpus_words / seconds if seconds > 0 and done > 0 else float("inf")
    return Speed(first[0] - began, words_per_second, _measure_seconds(prepared, clock))


def _measure_seconds(prepared: PreparedTraining, clock: Callable[[], float]) -> float:
    """Return the seconds that validation and evaluation take after an epoch."""
    began = clock()
    if prepared.config.training.validation > 0:
        prepared.trainer.validation_loss()
    if prepared.evaluator is not None:
        prepared.evaluator.score(prepared.trainer.read_vectors())
    return clock() - began


def _progress_before(prepared: PreparedTraining) -> float:
    """Return how much of the training, 0 to 1, was done by earlier runs."""
    if prepared.state is None:
        return 0.0
    position, training = prepared.state.position, prepared.config.training
    return (position.epoch + position.done / (prepared.loaded.rounds or prepared.corpus_words)) / training.epochs
