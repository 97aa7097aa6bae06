"""`train_vectors`, the work of `w2v train`: from a corpus to a vectors file."""

import math
import time
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli.config.schema import Config
from w2v_cli.config.types import parse_interval, parse_seconds
from w2v_cli.corpus.report import ScanReport
from w2v_cli.errors import DivergedError, W2vError, option
from w2v_cli.pipeline.events import OnEvent, VectorsSaved
from w2v_cli.pipeline.prepare import connect_cluster, lock_output, prepare
from w2v_cli.pipeline.provenance import describe, epoch_evaluations, evaluation, stopped_early, validation
from w2v_cli.pipeline.run_log import logged
from w2v_cli.training import (
    DivergenceGuard,
    Identity,
    Snapshot,
    SnapshotWriter,
    Trained,
    fit,
    remove_snapshot,
    snapshot_path,
)
from w2v_cli.vectors import keyed_vectors


@dataclass(frozen=True)
class TrainingResult:
    """A finished training and its files.

    Attributes:
        path: the vectors file.
        vocabulary_size: V, the words in it.
        trained: the vectors and the reports.
        report: what was read of the text and what was dropped.
        snapshot: the file for --resume, None if there is none.
    """

    path: Path
    vocabulary_size: int
    trained: Trained
    report: ScanReport
    snapshot: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return what a script needs to know of the training (docs/reference/json.md)."""
        trained = self.trained
        return {
            "output": str(self.path),
            "words": self.vocabulary_size,
            "seconds": round(trained.seconds, 3),
            "words_per_second": round(trained.reports[-1].words_per_second),
            "epoch_losses": trained.epoch_losses,
            "corpus": self.report.as_json(),
            **validation(trained),
            **evaluation(trained),
            **epoch_evaluations(trained),
            **stopped_early(trained),
        }


def train_vectors(
    config: Config,
    data_folder: Path,
    on_event: OnEvent,
    *,
    resume: Collection[str] | None = None,
    discard_snapshot: bool = False,
    is_stop_wanted: Callable[[], bool] = lambda: False,
) -> TrainingResult:
    """Train on the corpus that the config names, and write the vectors file.

    All checks come before training.

    Args:
        config: All settings.
        data_folder: The folder of downloaded corpora and evaluation sets.
        on_event: Called with each event.
        resume: None starts a new training. Otherwise training continues from the output's snapshot, with its settings;
            these are the dotted keys of `config` that were given and have to agree.
        discard_snapshot: Remove the snapshot when the training is complete.
        is_stop_wanted: Asked after each step. Once true, snapshot and vectors are written, and the training is not
            complete.

    Returns:
        The vectors, the reports and the paths of the files.

    Raises:
        W2vError: One of its subclasses, see `w2v_cli.train`.
    """
    began, output = time.monotonic(), Path(config.output.path)
    with (
        lock_output(config, resume) as (locked, snapshot),
        logged(locked, on_event, is_resumed=snapshot is not None) as emit,
        connect_cluster(locked, data_folder, emit) as cluster,
    ):
        prepared = prepare(locked, data_folder, emit, snapshot, cluster)
        vocabulary = prepared.corpus.vocabulary
        writer = _build_writer(prepared.config, prepared.identity, snapshot)
        try:
            with writer or nullcontext():
                trained = fit(
                    prepared.trainer,
                    prepared.corpus_words,
                    prepared.config.training,
                    prepared.schedule,
                    DivergenceGuard(prepared.config),
                    emit,
                    score=None if prepared.evaluator is None else prepared.evaluator.score,
                    state=prepared.state,
                    writer=writer,
                    is_stop_wanted=_stop_condition(prepared.config.training.time_limit, began, is_stop_wanted),
                )
                metadata = describe(prepared.identity, trained)
                saved = keyed_vectors.KeyedVectors(trained.input_vectors, vocabulary.words, vocabulary.counts, metadata)
                keyed_vectors.save(output, saved, overwrite=prepared.config.output.overwrite)
        except W2vError as error:
            raise _with_kept_snapshot(error, writer) from error
        if (discard_snapshot and trained.is_complete) or (writer is None and snapshot is None):
            remove_snapshot(output)
        kept = snapshot_path(output) if snapshot_path(output).exists() else None
        emit(VectorsSaved.of(output, len(vocabulary), trained, kept))
        return TrainingResult(output, len(vocabulary), trained, prepared.corpus.report, kept)


def _build_writer(config: Config, identity: Identity, snapshot: Snapshot | None) -> SnapshotWriter | None:
    """Return the writer of a training's snapshots, None if none are wanted; snapshot: the one that was resumed."""
    if not config.output.has_snapshots:
        return None
    return SnapshotWriter(
        snapshot_path(Path(config.output.path)),
        identity,
        parse_interval(config.output.snapshot_every),
        kept=None if snapshot is None else snapshot.state.position,
        is_eager=config.cluster.cluster is not None,  # the workers train meanwhile
    )


def _stop_condition(limit: str | None, began: float, is_stop_wanted: Callable[[], bool]) -> Callable[[], bool]:
    """Return whether training should stop: the user asks for it, or the time limit has passed.

    began: time.monotonic() when the limit began to count.
    """
    deadline = math.inf if limit is None else began + parse_seconds(limit)
    return lambda: is_stop_wanted() or time.monotonic() >= deadline


def _with_kept_snapshot(error: W2vError, writer: SnapshotWriter | None) -> W2vError:
    """Return the error that ended a training, with the path of its last snapshot."""
    if writer is None or writer.kept is None:
        return error
    epoch = writer.kept.epoch + (writer.kept.done > 0)  # from 1: the end of one, or in the middle of the next
    what_next = "." if isinstance(error, DivergedError) else f": {option('resume')} continues from it."
    return type(error)(f"{error.message} {writer.path} is kept, from epoch {epoch}{what_next}")
