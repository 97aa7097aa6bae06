"""From a config to a vectors file: prepare, train, save, with the events, the log and the dry run of a training.

Begin with `train.train_vectors`: it locks the output, prepares a run (`prepare`), drives `training.fit` and saves;
listeners get `events`. `api`, with the function `w2v_cli.train`, is imported directly.
"""

from w2v_cli.pipeline.dry_run import DryRunReport, plan_training
from w2v_cli.pipeline.events import CorpusRead, CorpusScanned, Event, TrainingResumed, VectorsSaved, WordsInitialised
from w2v_cli.pipeline.memory import MemoryFound, expected_occurrences
from w2v_cli.pipeline.prepare import scan_found
from w2v_cli.pipeline.train import TrainingResult, train_vectors

__all__ = [
    "CorpusRead",
    "CorpusScanned",
    "DryRunReport",
    "Event",
    "MemoryFound",
    "TrainingResult",
    "TrainingResumed",
    "VectorsSaved",
    "WordsInitialised",
    "expected_occurrences",
    "plan_training",
    "scan_found",
    "train_vectors",
]
