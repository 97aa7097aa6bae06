"""The fields of a log's events, JSON-able (docs/reference/log.md)."""

import os
import platform
from importlib.metadata import version
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster.pool import ClusterJoined, WorkerLost
from w2v_cli.config.schema import Config
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.errors import StorageError, W2vError, as_keyword, explain_system_refusal, render
from w2v_cli.evaluation import contents_by_name
from w2v_cli.pipeline.events import CorpusScanned, Milestone, VectorsSaved
from w2v_cli.pipeline.session import TrainingResumed, WordsInitialised
from w2v_cli.system.machine import available_cores, machine_bytes
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.progress import Progress

_SIGNAL_BASE = 128  # of an exit code
_SYSTEM_EXIT, _INTERRUPTED_EXIT = 6, 130


def event_fields(event: Milestone) -> tuple[str, dict[str, Any]]:
    """Return an event's name and fields."""
    fields: dict[str, Any]
    match event:
        case ClusterJoined():
            name, fields = "cluster", {"cluster": event.label, "workers": list(event.workers)}
        case WorkerLost():
            name, fields = "worker_lost", {"worker": event.worker, "works": list(event.works)}
        case CorpusFound():
            name, fields = "corpus_found", {"source": event.source, "name": event.name}
        case CorpusScanned():
            name, fields = "corpus", _corpus(event)
        case EngineLoaded():
            fields = _picked(event, "algorithm", "backend", "threads", "is_compiled", "is_reproducible")
            name, fields = "training", fields | {"blocks_in_flight": event.blocks_in_flight}
        case TrainingResumed():
            name, fields = "resumed", {"snapshot": str(event.path)} | _picked(event, "progress", "epoch", "epochs")
        case WordsInitialised():
            name, fields = "initialised", {"from": event.name, "matched": event.matched, "words": event.words}
        case Progress():
            name, fields = "progress" if event.epoch_mean_loss is None else "epoch", _progress(event)
        case VectorsSaved():
            name, fields = "saved", _saved(event)
    return name, fields


def _corpus(event: CorpusScanned) -> dict[str, Any]:
    corpus = event.corpus
    return {
        "words": corpus.report.words,
        "different_words": corpus.distinct_words,
        "vocabulary": len(corpus.vocabulary),
        "kept_words": corpus.vocabulary.kept_words,
        "sha256": corpus.sha256,
        "warnings": [render(warning, as_keyword) for warning in corpus.warnings],
        "report": corpus.report.as_json(),
        "scan_seconds": event.seconds,
    }


def _saved(event: VectorsSaved) -> dict[str, Any]:
    trained = event.trained
    return {
        "path": str(event.path),
        "snapshot": None if event.snapshot is None else str(event.snapshot),
        "words": event.vocabulary_size,
        "training_seconds": trained.seconds,
        "scores": contents_by_name(trained.scores),
        **_picked(trained, "progress", "is_complete", "epoch"),
    }


def _progress(event: Progress) -> dict[str, Any]:
    """Return the fields of a report; one at an epoch's end has more."""
    names = ("epoch", "epochs", "progress", "words_per_second", "seconds_left", "learning_rate", "mean_loss")
    fields = _picked(event, *names)
    if event.round is not None:
        fields |= _picked(event, "round", "rounds", "workers")
    if event.epoch_mean_loss is not None:
        fields |= _picked(event, "epoch_mean_loss", "validation_loss")
        fields["scores"] = contents_by_name(event.scores)
    return fields


def _picked(event: object, *names: str) -> dict[str, Any]:
    return {name: getattr(event, name) for name in names}


def ending_fields(error: BaseException) -> tuple[str, dict[str, Any]]:
    """Return the name and fields of what ends a training that does not end by itself."""
    exit_code, message = 1, str(error)
    match error:
        case SystemExit(code=int(code)) if code > _SIGNAL_BASE:
            return "stopped", {"exit_code": code, "signal": code - _SIGNAL_BASE}
        case KeyboardInterrupt():
            return "stopped", {"exit_code": _INTERRUPTED_EXIT, "signal": _INTERRUPTED_EXIT - _SIGNAL_BASE}
        case W2vError():
            exit_code = error.exit_code
        case _ if refusal := explain_system_refusal(error):
            exit_code, message = _SYSTEM_EXIT, str(StorageError(refusal))
        case OSError():
            exit_code = _SYSTEM_EXIT
    return "error", {"exit_code": exit_code, "kind": type(error).__name__, "message": message}


def start_fields(config: Config, *, is_resumed: bool) -> dict[str, Any]:
    """Return the fields of the first event: the config, and what may explain a speed or a difference later."""
    return {
        "version": __version__,
        "is_resumed": is_resumed,
        "config": config.model_dump(mode="json"),
        "learning_rate": config.learning_rate,
        "process": os.getpid(),
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": available_cores(),
            "memory_bytes": machine_bytes(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba")},
        },
    }
