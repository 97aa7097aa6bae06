"""From a corpus to a vectors file: everything that `w2v train` does, as one call."""

import time
from collections.abc import Callable, Collection
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from w2v_cli.config.schema import Config
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.errors import W2vError
from w2v_cli.pipeline import session
from w2v_cli.pipeline.events import CorpusScanned, Event, OnEvent, VectorsSaved
from w2v_cli.pipeline.prepare import PreparedTraining, begin, claim, connect_cluster
from w2v_cli.pipeline.provenance import describe, epoch_evaluations, evaluation, stopped_early, validation
from w2v_cli.pipeline.run_log import logged
from w2v_cli.pipeline.session import TrainingResumed, WordsInitialised
from w2v_cli.system.machine import available_cores
from w2v_cli.training.divergence import DivergenceGuard
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.loop import Trained, fit
from w2v_cli.training.snapshot import snapshot_path
from w2v_cli.training.snapshot_writer import SnapshotWriter
from w2v_cli.vectors import keyed_vectors

__all__ = [
    "CorpusFound",
    "CorpusScanned",
    "EngineLoaded",
    "Event",
    "OnEvent",
    "TrainingResumed",
    "VectorsSaved",
    "WordsInitialised",
    "available_cores",
    "summary",
    "train_vectors",
]


def train_vectors(
    config: Config,
    data_folder: Path,
    on_event: OnEvent,
    *,
    resume: Collection[str] | None = None,
    discard_snapshot: bool = False,
    is_stop_wanted: Callable[[], bool] = lambda: False,
) -> VectorsSaved:
    """Train on the corpus that the config names and write the vectors file; return the last event.

    resume: None begins anew; else training goes on from the output's snapshot, with its settings, and these are the
    dotted keys of `config` that were really given and have to agree. discard_snapshot: remove it in the end.
    is_stop_wanted: asked again and again from the first training on; where it says so, snapshot and vectors are
    written and the training is not complete.
    What can be refused is refused before training. Raises the W2vError of whatever is in the way.
    """
    began, output = time.monotonic(), Path(config.output.path)
    with (
        claim(config, resume) as (claimed, taken),
        logged(claimed, on_event, is_resumed=taken is not None) as tell,
        connect_cluster(claimed, data_folder, tell) as cluster,
    ):
        begun = begin(claimed, data_folder, tell, taken, cluster)
        keeper = session.build_keeper(output, begun.config, begun.identity, taken)
        is_over = session.stop_condition(begun.config, began, is_stop_wanted)
        try:
            trained = _train(begun, output, tell, keeper, is_over)
        except W2vError as error:
            raise session.with_kept_snapshot(error, keeper) from error
        if (discard_snapshot and trained.is_complete) or (keeper is None and taken is None):
            session.remove_snapshot(output)
        path = snapshot_path(output)
        kept = path if path.exists() else None
        saved = VectorsSaved(output, len(begun.corpus.vocabulary), trained, begun.corpus.report, kept)
        tell(saved)
        return saved


def _train(
    begun: PreparedTraining,
    output: Path,
    on_event: OnEvent,
    keeper: SnapshotWriter | None,
    is_over: Callable[[], bool],
) -> Trained:
    """Train, and write the vectors and the last snapshot."""
    with keeper or nullcontext():
        trained = fit(
            begun.trainer,
            begun.corpus_words,
            begun.config.training,
            begun.schedule,
            DivergenceGuard(begun.config),
            on_event,
            score=None if begun.evaluator is None else begun.evaluator.score,
            state=begun.state,
            writer=keeper,
            is_stop_wanted=is_over,
        )
        keyed_vectors.save(output, _word_vectors(begun, trained), overwrite=begun.config.output.overwrite)
    return trained


def summary(saved: VectorsSaved) -> dict[str, Any]:
    """Return what a script wants to know of a finished training, JSON-able."""
    last = saved.trained.reports[-1]
    return {
        "output": str(saved.path),
        "words": saved.vocabulary_size,
        "seconds": round(saved.trained.seconds, 3),
        "words_per_second": round(last.words_per_second),
        "epoch_losses": saved.trained.epoch_losses,
        "corpus": saved.report.as_json(),
        **validation(saved.trained),
        **evaluation(saved.trained),
        **epoch_evaluations(saved.trained),
        **stopped_early(saved.trained),
    }


def _word_vectors(begun: PreparedTraining, trained: Trained) -> keyed_vectors.KeyedVectors:
    """Return the vectors with their provenance: all that decides them and nothing else (docs/adr/0004).

    No time, path or thread count, so that equal trainings make equal bytes.
    """
    identity, vocabulary = begun.identity, begun.corpus.vocabulary
    metadata = describe(identity, trained)
    return keyed_vectors.KeyedVectors(trained.input_vectors, vocabulary.words, vocabulary.counts, metadata)
