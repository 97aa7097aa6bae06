"""`w2v_cli.train`: a training as one call, for notebooks and programs."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

from w2v_cli.cluster.local import end_if_worker
from w2v_cli.config.keywords import OptionsGiven, Settings, from_keywords, from_mapping, plain
from w2v_cli.config.resolve import find_config_file, resolve
from w2v_cli.corpus import find
from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError
from w2v_cli.pipeline import train as train_module
from w2v_cli.pipeline.events import Event, OnEvent, VectorsSaved
from w2v_cli.pipeline.in_memory_texts import Texts, write_texts
from w2v_cli.queries import WordVectors, load

__all__ = ["train"]

Place = str | os.PathLike[str]


def train(
    corpus: Place | Sequence[Place] | None = None,
    *,
    texts: Texts | None = None,
    output: Place | None = None,
    config: Place | Mapping[str, Any] | None = None,
    resume: bool = False,
    on_event: OnEvent | None = None,
    is_stop_wanted: Callable[[], bool] | None = None,
    **settings: Unpack[Settings],
) -> WordVectors:
    """Train word vectors as `w2v train` does, and return them.

    Nothing is printed and no signal is handled. Ctrl-C raises KeyboardInterrupt; the last snapshot then stays beside
    `output`. Environment variables of settings, such as W2V_TRAINING__EPOCHS, are not read; W2V_DATA_DIR is.

    Args:
        corpus: A file, folder, pattern or URL, a list of them, or the name of a corpus such as "demo". Without corpus
            and texts: PTB if it was downloaded, else the built-in text.
        texts: The text itself instead of its place: strings of one or more lines, or sentences as lists of words.
        output: The vectors file. Without one, nothing stays on disk.
        config: More settings: the name of a shipped config, a YAML file, or a dictionary such as
            {"training": {"epochs": 3}}. A keyword is stronger.
        resume: Continue from the snapshot beside `output`.
        on_event: Called with each event (`w2v_cli.pipeline.events`): CorpusRead every megabyte or two, Progress twenty
            times an epoch.
        is_stop_wanted: Called often. When it returns True, training ends early and the vectors so far are returned.
        **settings: Settings by their last name: model, dim, window, negatives, min_count, epochs, seed, …
            (docs/reference/settings.md).

    Returns:
        The vectors of the vocabulary, the most frequent word first.

    Raises:
        ConfigError: A setting is wrong, or the output exists.
        CorpusError: The text is missing, unreadable or too small.
        DivergedError: The training diverged.
        StorageError: The disk, a permission or the memory is in the way.
        OutputInUseError: Another training writes this output.
        MissingDependencyError: A GPU or an optional package is missing.

    Examples:
        >>> words = [["sun", "moon", "stars"], ["salt", "sea", "waves"]] * 40
        >>> vectors = train(texts=words, dim=8, epochs=2, subsample=0.0, backend="numpy")
        >>> sorted(vectors)
        ['moon', 'salt', 'sea', 'stars', 'sun', 'waves']
        >>> len(vectors.similar("sun", top=3)), len(vectors.metadata["epoch_losses"])
        (3, 2)
    """
    end_if_worker()
    if texts is not None and corpus is not None:
        raise ConfigError("corpus says where a text lies, and texts is the text itself: give one of them.")
    if resume and output is None:
        raise ConfigError("resume goes on from the snapshot beside output: name the output.")
    is_temporary = texts is not None or output is None
    with TemporaryDirectory(prefix="w2v-", ignore_cleanup_errors=True) if is_temporary else nullcontext("") as folder:
        options = _options(corpus, texts, output, Path(folder)) | from_keywords(settings)
        saved = _train(options, config, on_event or _ignore, is_stop_wanted or _never, is_resumed=resume)
        trained = load(saved.path)
        return trained if output is not None else _in_memory(trained)


def _options(
    corpus: Place | Sequence[Place] | None, texts: Texts | None, output: Place | None, folder: Path
) -> OptionsGiven:
    """Return where text and vectors are, as options; what lies nowhere yet has its place in `folder`."""
    options: OptionsGiven = {}
    if output is None:
        options["output.path"] = ("output", str(folder / "w2v.safetensors"))
        options["output.snapshot_every"] = ("output", "never")
    else:
        options["output.path"] = ("output", os.fspath(output))
    if texts is not None:
        options["corpus.source"] = ("texts", str(folder / "texts"))
        if write_texts(texts, folder / "texts"):
            options["corpus.tokens"] = ("texts", "whitespace")
    elif corpus is not None:
        options["corpus.source"] = ("corpus", plain(corpus))
    return options


def _train(
    options: OptionsGiven,
    config: Place | Mapping[str, Any] | None,
    on_event: OnEvent,
    is_stop_wanted: Callable[[], bool],
    *,
    is_resumed: bool,
) -> VectorsSaved:
    """Train with the settings of all sources; a training that is resumed has what its corpus asks for already."""
    data_folder = registry.data_folder(os.environ)
    mapping, file = (config, None) if isinstance(config, Mapping) else ({}, config)
    resolved = resolve(
        options=from_mapping(mapping) | options,
        file=None if file is None else find_config_file(os.fspath(file)),
        corpus_settings_for=None if is_resumed else lambda source: find.corpus_settings_for(source, data_folder),
    )
    return train_module.train_vectors(
        resolved.config,
        data_folder,
        on_event,
        resume=resolved.given_keys if is_resumed else None,
        is_stop_wanted=is_stop_wanted,
    )


def _ignore(_event: Event) -> None:
    pass


def _never() -> bool:
    return False


def _in_memory(trained: WordVectors) -> WordVectors:
    """Return the vectors without their file."""
    counts = None if trained.counts is None else trained.counts.copy()
    return WordVectors(trained.vectors.copy(), tuple(trained.words), counts, trained.metadata)
