"""The settings as keywords of `w2v_cli.train`: their types for editors, and their keys in the config."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypedDict

from w2v_cli.config.schema import FIELDS, Decay, ModelName, Sentences, Tokens
from w2v_cli.errors import ConfigError

OptionsGiven = dict[str, tuple[str, object]]
_OWN_KEYWORDS = {"source", "path"}  # `train` calls them corpus and output
KEYS = {key.rpartition(".")[2]: key for key in FIELDS if key.rpartition(".")[2] not in _OWN_KEYWORDS}


class Settings(TypedDict, total=False):
    """The settings of a training but for corpus and output, in the order of docs/reference/settings.md."""

    tokens: Tokens
    token_pattern: str
    max_token_bytes: int
    sentences: Sentences
    end_of_line: str | None
    min_count: int
    max_vocab: int
    invalid_utf8: Literal["replace", "strict"]
    max_expansion: int
    max_unpacked: int
    model: ModelName
    dim: int
    window: int
    shrink_window: bool
    partial_windows: bool
    cbow_gradient: Literal["classic", "mean"]
    init: Literal["uniform", "normal"]
    init_from: str | os.PathLike[str] | None
    negatives: int
    exponent: float
    subsample: float
    seed: int
    algorithm: Literal["auto", "minibatch", "block"]
    backend: Literal["auto", "numpy", "numba", "cupy"]
    optimizer: Literal["sgd", "adam"]
    epochs: int
    learning_rate: float | None
    decay: Decay
    batch_size: int
    threads: int | None
    gpu_concurrency: int | None
    deterministic: bool
    validation: float
    patience: int | None
    evaluate: str | Sequence[str]
    time_limit: str | None
    cluster: str | None
    shards: int
    sync_words: int | None
    combine: Literal["adasum", "weighted", "mean"]
    delta_format: Literal["float32", "float16"]
    worker_timeout: str
    tls_ca: str | os.PathLike[str] | None
    tls_cert: str | os.PathLike[str] | None
    tls_key: str | os.PathLike[str] | None
    overwrite: bool
    log: str | os.PathLike[str] | None
    snapshot_every: str


def from_keywords(settings: Mapping[str, object]) -> OptionsGiven:
    """Return keywords as the options of `resolve`; an unknown name is kept, for `resolve` to report."""
    return {KEYS.get(name, name): (name, plain(value)) for name, value in settings.items()}


def from_mapping(config: Mapping[str, object]) -> OptionsGiven:
    """Return a nested mapping, such as {"training": {"epochs": 3}}, as the options of `resolve`.

    Raises:
        ConfigError: A section is not a mapping.
    """
    return {key: (f"config {key}", plain(value)) for key, value in _iterate_settings(config)}


def _iterate_settings(config: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for section, settings in config.items():
        if not isinstance(settings, Mapping):
            raise ConfigError(
                f'config {section}: must be a mapping of settings, such as {{"training": {{"epochs": 3}}}}.'
            )
        for name, value in settings.items():
            yield f"{section}.{name}", value


def plain(value: object) -> object:
    """Return a value as YAML has it: a path as text, a list as a tuple."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value
