"""Around a training: what is in its way, what it will need of the disk, when it is to stop, what it leaves."""

import dataclasses
import hashlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from w2v_cli.config.schema import Config
from w2v_cli.config.types import Interval, parse_interval, parse_seconds
from w2v_cli.corpus.vocabulary import Vocabulary
from w2v_cli.errors import DivergedError, W2vError, option
from w2v_cli.system import files
from w2v_cli.training.resume import continued, load_snapshot, restore
from w2v_cli.training.snapshot import Identity, Snapshot, snapshot_path
from w2v_cli.training.snapshot_writer import SnapshotWriter
from w2v_cli.training.state import TrainerState
from w2v_cli.training.trainer import Trainer
from w2v_cli.training.warm_start import OldVectors, start_from

_HALF_BYTES = 2  # of a float16


@dataclass(frozen=True)
class TrainingResumed:
    """Training goes on from a snapshot, so much of it (0 to 1) being done, whole epochs among it."""

    path: Path
    progress: float
    epoch: int
    epochs: int


@dataclass(frozen=True)
class WordsInitialised:
    """Of the words of the vocabulary so many begin with the vectors of an older file."""

    name: str
    matched: int
    words: int


def find_snapshot(output: Path, *, is_resumed: bool, overwrite: bool) -> Snapshot | None:
    """Return the snapshot to go on from, None where training begins anew.

    Raises ConfigError where there is none to go on from, OutputExistsError where beginning anew would replace vectors
    or a snapshot without `overwrite`.
    """
    if is_resumed:
        return load_snapshot(output)
    for path in (output, snapshot_path(output)):
        if not overwrite and os.path.lexists(path):  # False, not an exception, where the path cannot be looked at
            raise files.OutputExistsError(
                f"{path} already exists: choose another {option('output')}, or give {option('overwrite')} "
                f"to begin anew, or {option('resume')} to go on with the training that wrote it."
            )
    return None


def check_writable(output: Path, config: Config) -> None:
    """Raise StorageError where vectors or snapshot could not be written."""
    files.check_writable(output)
    if _has_snapshots(config):
        files.check_writable(snapshot_path(output))


def check_room(output: Path, trainer: Trainer, config: Config, *, has_snapshot: bool) -> None:
    """Raise StorageError where the disk has no room for the files of a training.

    A new snapshot is complete before the old one goes: two of them for a while.
    """
    state = trainer.read_state()
    words, dim = state["input_vectors"].shape
    sizes = [words * dim * _HALF_BYTES]
    if _has_snapshots(config):
        sizes += [sum(array.nbytes for array in state.values())] * (1 if has_snapshot else 2)
    files.check_room(output, sizes)


def build_keeper(output: Path, config: Config, identity: Identity, taken: Snapshot | None) -> SnapshotWriter | None:
    """Return what keeps the snapshots of a training, None where none are wanted."""
    if not _has_snapshots(config):
        return None
    every, kept = parse_interval(config.output.snapshot_every), taken.state.position if taken else None
    is_eager = config.cluster.cluster is not None  # the workers train meanwhile
    return SnapshotWriter(snapshot_path(output), identity, every, kept=kept, is_eager=is_eager)


def stop_condition(config: Config, began: float, is_stop_wanted: Callable[[], bool]) -> Callable[[], bool]:
    """Return whether training is to stop: because the user wants it, or because the time is over.

    began: time.monotonic() at the start of all.
    """
    limit = config.training.time_limit
    deadline = math.inf if limit is None else began + parse_seconds(limit)
    return lambda: is_stop_wanted() or time.monotonic() >= deadline


def with_kept_snapshot(error: W2vError, keeper: SnapshotWriter | None) -> W2vError:
    """Return the error that ended a training, and where the last good state of it lies."""
    if keeper is None or keeper.kept is None:
        return error
    epoch = keeper.kept.epoch + (keeper.kept.done > 0)  # from 1: the end of one, or in the middle of the next
    how_to_go_on = "." if isinstance(error, DivergedError) else f": {option('resume')} goes on there."
    return type(error)(f"{error.message} {keeper.path} is kept, from epoch {epoch}{how_to_go_on}")


def remove_snapshot(output: Path) -> None:
    """Remove the snapshot beside `output`, whose vectors are on disk."""
    path = snapshot_path(output)
    with files.disk_errors(path):
        path.unlink(missing_ok=True)
        files.sync_folder(path.parent)


def vocabulary_sha256(vocabulary: Vocabulary) -> str:
    """Return the hex digest of the words and their counts: of what was made of the text."""
    digest = hashlib.sha256()
    for number, word in enumerate(vocabulary.words):
        digest.update(f"\n{word}".encode() if number else word.encode())
    digest.update(vocabulary.counts.astype("<i8").tobytes())
    return digest.hexdigest()


def go_on(
    output: Path, trainer: Trainer, taken: Snapshot, identity: Identity, on_event: Callable[[TrainingResumed], None]
) -> tuple[Identity, TrainerState]:
    """Bring the trainer to where the snapshot was taken; return whose training it is now and where it goes on."""
    epochs = identity.config.training.epochs
    state = restore(trainer, taken, output, epochs)
    on_event(TrainingResumed(snapshot_path(output), state.sums.progress, state.position.epoch, epochs))
    return continued(taken, identity), state


def take_over(
    trainer: Trainer,
    vocabulary: Vocabulary,
    old: OldVectors,
    identity: Identity,
    on_event: Callable[[WordsInitialised], None],
) -> Identity:
    """Give the trainer the old vectors; return whose training it is now."""
    matched = start_from(trainer, vocabulary.words, old)
    on_event(WordsInitialised(old.name, matched, len(vocabulary)))
    return dataclasses.replace(identity, init_from=old.describe() | {"words": matched})


def _has_snapshots(config: Config) -> bool:
    return parse_interval(config.output.snapshot_every) != Interval()
