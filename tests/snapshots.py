"""What a snapshot keeps, as an example: numbers of every kind, none of them round."""

import numpy as np

from w2v_cli.config.schema import Config
from w2v_cli.evaluation.per_epoch import SetScore
from w2v_cli.training.progress import LossSums, Progress
from w2v_cli.training.snapshot import Identity, Plan
from w2v_cli.training.state import TrainerState
from w2v_cli.training.trainer import Position

ROWS = np.array([[0.1, -2.5e-30], [65504.0, 0.0], [-0.0, 1e-45]], np.float32)
IDENTITY = Identity(
    config=Config(),
    corpus={"source": "x.txt", "sha256": "ab", "words": 3, "vocabulary_sha256": "cd"},
    backend="numba",
    is_reproducible=True,
    init_from={"source": "old", "sha256": "ef"},
    earlier_plans=(Plan(2, Position(2, 0)),),
)
STATE = TrainerState(
    position=Position(3, 1234),
    sums=LossSums(0.75, 0.8, 1e-300, 2, 0.1 + 0.2, 2.5, 7, 1.5, 9),
    seconds=1.5,
    lowest_loss=2.25,
    best_epoch=3,
    reports=[
        Progress(1, 4, 0.25, 1000.0, 3.0, 0.05, 1e-300, 2.5, 2.25, (SetScore("x", "accuracy", None, 0, 3),), 1, 2, 3)
    ],
    is_over=True,
    arrays={"input_vectors": ROWS, "output_vectors": ROWS * 2, "steps": np.array([5], np.int64)},
)
