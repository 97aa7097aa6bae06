"""`w2v_cli.train`: a training as one call, for notebooks and programs."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

from w2v_cli.cluster.local import end_if_worker
from w2v_cli.config.keywords import OptionsGiven, Settings, from_keywords, from_mapping, plain
from w2v_cli.config.resolve import find_config_file, resolve
from w2v_cli.corpus import find
from w2v_cli.corpus.tokenizer import split_whitespace
from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError, CorpusError
from w2v_cli.pipeline.events import Event, OnEvent
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.queries import WordVectors, load
from w2v_cli.system.files import disk_errors

Place = str | os.PathLike[str]
Texts = Iterable[str] | Iterable[Sequence[str]]


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
        StorageError: The disk is full, a permission is missing, or memory is too small.
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
        raise ConfigError("corpus is the place of a text and texts is the text itself: use only one of them.")
    if resume and output is None:
        raise ConfigError("resume continues from the snapshot beside output: output is missing.")
    is_temporary = texts is not None or output is None
    with TemporaryDirectory(prefix="w2v-", ignore_cleanup_errors=True) if is_temporary else nullcontext("") as folder:
        options = _options(corpus, texts, output, Path(folder)) | from_keywords(settings)
        data_folder = registry.data_folder(os.environ)
        mapping, file = (config, None) if isinstance(config, Mapping) else ({}, config)
        resolved = resolve(
            options=from_mapping(mapping) | options,
            file=None if file is None else find_config_file(os.fspath(file)),
            # the snapshot has the settings of the corpus
            corpus_settings_for=None if resume else lambda source: find.corpus_settings_for(source, data_folder),
        )
        result = train_vectors(
            resolved.config,
            data_folder,
            on_event or _ignore,
            resume=resolved.given_keys if resume else None,
            is_stop_wanted=is_stop_wanted or _never,
        )
        vectors = load(result.path)
        return vectors if output is not None else _in_memory(vectors)


def _options(
    corpus: Place | Sequence[Place] | None, texts: Texts | None, output: Place | None, folder: Path
) -> OptionsGiven:
    """Return the places of text and vectors as options; a missing place is one in `folder`."""
    options: OptionsGiven = {}
    if output is None:
        options["output.path"] = ("output", str(folder / "w2v.safetensors"))
        options["output.snapshot_every"] = ("output", "never")
    else:
        options["output.path"] = ("output", os.fspath(output))
    if texts is not None:
        options["corpus.source"] = ("texts", str(folder / "texts"))
        if _write_texts(texts, folder / "texts"):
            options["corpus.tokens"] = ("texts", "whitespace")
    elif corpus is not None:
        options["corpus.source"] = ("corpus", plain(corpus))
    return options


def _write_texts(texts: Texts, path: Path) -> bool:
    """Write texts to `path`, one after the other; return whether they are lists of words, not strings.

    A string is a text of one line or more; a list of words is a sentence, and takes a line. Raises CorpusError if
    both kinds are mixed, if a text is neither, and if a word holds white space.
    """
    if isinstance(texts, str):
        raise CorpusError("texts is a single string: pass a list of strings, [text].")
    kinds = set[bool]()
    with disk_errors(path), path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        for place, text in enumerate(texts):
            kinds.add(not isinstance(text, str))
            if len(kinds) > 1:
                raise CorpusError(f"texts[{place}]: strings and lists of words are mixed: use one kind.")
            file.write(text if isinstance(text, str) else _as_line(text, place))
            file.write("\n")
    return kinds == {True}


def _as_line(words: Sequence[str], place: int) -> str:
    """Return a sentence of words as a line that whitespace cuts into the same words."""
    try:
        line = " ".join(words)
    except TypeError as error:
        raise CorpusError(f"texts[{place}] is neither a string nor a list of words, but {words!r:.60}.") from error
    if split_whitespace(line) != list(words):
        wrong = next(word for word in words if split_whitespace(word) != [word])
        raise CorpusError(f"texts[{place}] holds {wrong!r:.60}, which is not one word without white space.")
    return line


def _ignore(_event: Event) -> None:
    pass


def _never() -> bool:
    return False


def _in_memory(vectors: WordVectors) -> WordVectors:
    """Return the vectors without their file."""
    counts = None if vectors.counts is None else vectors.counts.copy()
    return WordVectors(vectors.vectors.copy(), tuple(vectors.words), counts, vectors.metadata)
