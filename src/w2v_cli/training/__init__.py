"""The training loop: schedule, progress, early stopping, snapshots and resuming.

Takes a config and an encoded text, gives trained matrices and reports. Begin with `loop.fit`: it drives a `Trainer`
(`block`, `minibatch`, and the one of a cluster) and keeps a `TrainerState`, which is what `snapshot` writes.
"""

from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.divergence import DivergenceGuard
from w2v_cli.training.factory import EngineLoaded, build_trainer, with_algorithm
from w2v_cli.training.loop import Trained, fit
from w2v_cli.training.progress import Progress
from w2v_cli.training.resume import check_same, find_snapshot, merge_settings, resume_training
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.snapshot import Identity, Snapshot, remove_snapshot, snapshot_path
from w2v_cli.training.snapshot_writer import SnapshotWriter
from w2v_cli.training.state import TrainerState
from w2v_cli.training.trainer import BEGINNING, NamedArrays, Position, RoundDone, StepResult, Trainer, mean_loss
from w2v_cli.training.warm_start import read_old_vectors, start_from

__all__ = [
    "BEGINNING",
    "BlockTrainer",
    "DivergenceGuard",
    "EngineLoaded",
    "Identity",
    "NamedArrays",
    "Position",
    "Progress",
    "RoundDone",
    "Schedule",
    "Snapshot",
    "SnapshotWriter",
    "StepResult",
    "Trained",
    "Trainer",
    "TrainerState",
    "build_trainer",
    "check_same",
    "find_snapshot",
    "fit",
    "mean_loss",
    "merge_settings",
    "read_old_vectors",
    "remove_snapshot",
    "resume_training",
    "snapshot_path",
    "start_from",
    "with_algorithm",
]
