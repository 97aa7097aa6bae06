"""A training up to its first word: what it would read, take and write, and about how long it would last."""

import contextlib
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli.config.schema import Config
from w2v_cli.config.types import Interval, parse_interval
from w2v_cli.pipeline.events import OnEvent
from w2v_cli.pipeline.memory import state_bytes, vectors_file_bytes
from w2v_cli.pipeline.prepare import PreparedTraining, begin, claim, connect_cluster
from w2v_cli.system.files import OutputExistsError
from w2v_cli.training.snapshot import snapshot_path
from w2v_cli.training.trainer import BEGINNING
from w2v_cli.vectors import encode_words

_SAMPLE_SECONDS = 1.0  # of training, to measure its speed


@dataclass(frozen=True)
class Speed:
    """What was measured: seconds before an epoch's first word, words a second, seconds of measuring after an epoch."""

    begin_seconds: float
    words_per_second: float
    measure_seconds: float

    def seconds_for(self, words: float, epochs: float) -> float:
        """Return about how long training on so many words in so many epochs takes."""
        return words / self.words_per_second + epochs * (self.begin_seconds + self.measure_seconds)


@dataclass(frozen=True)
class DryRunReport:
    """A training that could begin, with its corpus and vocabulary; sizes in bytes.

    progress: how much of it was done before, where it would go on; snapshot_bytes: 0 where none is kept; refusals: why
    the training would not begin as it was asked for: outputs that exist.
    """

    begun: PreparedTraining
    progress: float
    vectors_bytes: int
    snapshot_bytes: int
    free_bytes: int
    speed: Speed
    seconds: float
    refusals: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """The files that would be written, by what they are."""
        output = self.begun.config.output
        files = {"vectors": output.path, "snapshot": str(snapshot_path(Path(output.path))), "log": output.log}
        return {kind: name for kind, name in files.items() if name and (kind != "snapshot" or self.snapshot_bytes)}

    def as_json(self) -> dict[str, Any]:
        """Return the plan for a script."""
        begun, speed, limit = self.begun, self.speed, self.begun.memory.limit
        return {
            "dry_run": True,
            "refusals": list(self.refusals),
            "corpus": begun.identity.corpus,
            "vocabulary": len(begun.corpus.vocabulary),
            "algorithm": begun.loaded.algorithm,
            "backend": str(begun.loaded.backend),
            "threads": begun.loaded.threads,
            "is_reproducible": begun.loaded.is_reproducible,
            "blocks_in_flight": begun.loaded.blocks_in_flight,
            "learning_rate": begun.config.learning_rate,
            "config": begun.config.model_dump(mode="json"),
            "files": self.files,
            "memory_bytes": begun.memory.peak,
            "memory_parts": dict(begun.memory.need.parts),
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
    """Do everything that can be refused, measure the speed for a moment, and return the plan; nothing is written.

    The parameters are those of pipeline.train_vectors, and so are the errors, but for an output that exists: the plan
    is that of a training with `overwrite`, and tells it.
    """
    config, refusals = _unhindered(config, resume)
    with claim(config, resume) as (claimed, taken), connect_cluster(claimed, data_folder, on_event) as cluster:
        begun = begin(claimed, data_folder, on_event, taken, cluster)
        speed = measure_speed(begun)
        output, training = Path(begun.config.output.path), begun.config.training
        vocabulary = begun.corpus.vocabulary
        text_bytes = len(encode_words(vocabulary.words)[0])
        has_snapshot = parse_interval(begun.config.output.snapshot_every) != Interval()
        done = _progress_before(begun)
        epochs_left = (1 - done) * training.epochs
        return DryRunReport(
            begun=begun,
            progress=done,
            vectors_bytes=vectors_file_bytes(text_bytes, len(vocabulary), begun.config.model.dim),
            snapshot_bytes=state_bytes(begun.config, len(vocabulary)) if has_snapshot else 0,
            free_bytes=shutil.disk_usage(output.absolute().parent).free,
            speed=speed,
            seconds=speed.seconds_for(epochs_left * begun.corpus_words, epochs_left),
            refusals=refusals,
        )


def _unhindered(config: Config, resume: Collection[str] | None) -> tuple[Config, tuple[str, ...]]:
    """Return a config to plan with, and what stands against a training with the one that was given."""
    try:
        with claim(config, resume):
            return config, ()
    except OutputExistsError as error:
        output = config.output.model_copy(update={"overwrite": True})
        return config.model_copy(update={"output": output}), (error.message,)


def measure_speed(begun: PreparedTraining, clock: Callable[[], float] = time.perf_counter) -> Speed:
    """Train for a moment and return how fast that was; the vectors are of no use afterwards.

    The work before an epoch's first words, which the minibatch algorithm has, is told apart.
    """
    start = BEGINNING if begun.state is None else begun.state.position
    epochs, began = begun.config.training.epochs, clock()
    first = latest = (began, _progress_before(begun))
    with contextlib.closing(begun.trainer.steps(start)) as advances:
        for number, advance in enumerate(advances):
            float(advance.loss_sum)  # waits for a device, so that what is done is measured, not what is asked for
            latest = (clock(), advance.progress)
            if number == 0:
                first = latest
            elif latest[0] - first[0] >= _SAMPLE_SECONDS:
                break
    if latest is first:  # all there was to train on came at once
        first = (began, _progress_before(begun))
    seconds, done = latest[0] - first[0], latest[1] - first[1]
    words_per_second = done * epochs * begun.corpus_words / seconds if seconds > 0 and done > 0 else float("inf")
    return Speed(first[0] - began, words_per_second, _measure_seconds(begun, clock))


def _measure_seconds(begun: PreparedTraining, clock: Callable[[], float]) -> float:
    """Return how long what is measured after an epoch takes."""
    began = clock()
    if begun.config.training.validation > 0:
        begun.trainer.validation_loss()
    if begun.evaluator is not None:
        begun.evaluator.score(begun.trainer.read_vectors())
    return clock() - began


def _progress_before(begun: PreparedTraining) -> float:
    """Return how much of the training, 0 to 1, was done by earlier runs."""
    if begun.state is None:
        return 0.0
    point, training = begun.state.position, begun.config.training
    return (point.epoch + point.done / (begun.loaded.rounds or begun.corpus_words)) / training.epochs
