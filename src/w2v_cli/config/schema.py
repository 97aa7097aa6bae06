"""The schema of the config: every setting with its default, its limits and a line of help.

A new setting is one field here, one line in configs/default.yaml, and one keyword in config/keywords.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from w2v_cli.config.types import (
    Cluster,
    FileName,
    FileNames,
    Interval,
    IntervalText,
    Pattern,
    Section,
    TextSources,
    TimeText,
    Word,
    parse_interval,
    setting,
)

ModelName = Literal["cbow", "skipgram"]
Tokens = Literal["words", "whitespace", "regex"]
Sentences = Literal["line", "paragraph", "punctuation", "stream"]
Decay = Literal["linear", "constant"]
_LEARNING_RATES: Mapping[ModelName, float] = MappingProxyType({"cbow": 0.05, "skipgram": 0.025})
_ADAM_LEARNING_RATE = 0.001


class CorpusSettings(Section):
    """The text to read, and how it is split into words."""

    source: TextSources | None = setting(
        None,
        description="texts to read: files, folders, patterns (*.txt), URLs, - for stdin; or a corpus name; null: the "
        "built-in choice",
        names_input=True,
    )
    tokens: Tokens = setting(
        "words",
        description="words: lower-case words of prose; whitespace: everything between spaces; regex: matches of "
        "token_pattern",
    )
    token_pattern: Pattern = setting(
        r"\w+",
        description="Python regular expression for tokens: regex, matched within each stretch between spaces; its "
        "matches are the words, unchanged",
    )
    max_token_bytes: int = setting(
        100_000,
        ge=16,
        le=1_000_000_000,
        description="longest stretch without a space that is read; longer ones are skipped and reported",
    )
    sentences: Sentences = setting(
        "line",
        description="where windows end: at the line, at a blank line (paragraph), at . ! ? and the like or a blank "
        "line (punctuation), or nowhere (stream)",
    )
    end_of_line: Word | None = setting(
        None, description="word added at the end of each line, such as <eos>; null: none"
    )
    min_count: int = setting(5, ge=1, le=1_000_000_000, description="words that occur less often are dropped")
    max_vocab: int = setting(
        4_000_000,
        ge=1000,
        le=1_000_000_000,
        description="different words counted at a time; beyond that, the rarest are dropped while counting",
    )
    invalid_utf8: Literal["replace", "strict"] = setting(
        "replace", description="invalid UTF-8: replace it and warn, or stop"
    )
    max_expansion: int = setting(
        200,
        ge=1,
        le=1_000_000_000,
        description="a compressed text of over 64 MB may unpack to this many times its size; more is refused as a bomb",
        decides_vectors=False,
    )
    max_unpacked: int = setting(
        1_000_000_000_000,
        ge=1,
        le=10**18,
        description="a compressed text may unpack to this many bytes",
        decides_vectors=False,
    )


class ModelSettings(Section):
    """The model and its size."""

    model: ModelName = setting(
        "cbow", description="cbow: the context predicts the centre; skipgram: the centre predicts its context"
    )
    dim: int = setting(100, ge=1, le=10_000, description="dimensions of a word vector (D)")
    window: int = setting(5, ge=1, le=1000, description="words of context on each side of the centre")
    shrink_window: bool = setting(default=True, description="draw the window of each centre from 1 to window")
    partial_windows: bool = setting(
        default=True, description="keep centres whose window is cut at a border; false: drop them"
    )
    cbow_gradient: Literal["classic", "mean"] = setting(
        "classic",
        description="gradient for each context word of cbow: the whole (word2vec.c), or divided by their number",
    )
    init: Literal["uniform", "normal"] = setting(
        "uniform",
        description="initial vectors: input uniform within 0.5/D and output zero, or both normal draws times 0.01",
    )
    init_from: FileName | None = setting(
        None, description="vectors file to start from, for the words that it contains; null: none", names_input=True
    )


class SamplingSettings(Section):
    """Random draws: negative samples and subsampling."""

    negatives: int = setting(5, ge=1, le=1000, description="negative samples per target (K)")
    exponent: float = setting(0.75, ge=0, le=1, description="negatives are drawn in proportion to count ** exponent")
    subsample: float = setting(
        1e-3, ge=0, le=1, description="frequency above which occurrences of a word are dropped at random (t); 0: off"
    )
    seed: int = setting(1, ge=0, le=2**64 - 1, description="seed of all random draws")


class TrainingSettings(Section):
    """The training: algorithm, steps and stopping."""

    algorithm: Literal["auto", "minibatch", "block"] = setting(
        "auto",
        description="block: consecutive centres, fast; minibatch: shuffled windows, as in the book; auto: block if "
        "possible",
    )
    backend: Literal["auto", "numpy", "numba", "cupy"] = setting(
        "auto", description="numpy or numba on the CPU, cupy on an NVIDIA GPU; auto: numba"
    )
    optimizer: Literal["sgd", "adam"] = setting("sgd", description="how gradients become steps")
    epochs: int = setting(15, ge=1, le=100_000, description="passes over the corpus")
    learning_rate: float | None = setting(
        None, gt=0, le=10, description="initial learning rate, per example; null: .05 cbow, .025 skipgram, .001 adam"
    )
    decay: Decay = setting("linear", description="how the learning rate changes over all epochs")
    batch_size: int = setting(512, ge=1, le=1_000_000, description="examples per minibatch (B)")
    threads: int | None = setting(
        None,
        ge=1,
        le=1024,
        description="CPU threads; null: one per core that this process may use",
        decides_vectors=False,
    )
    gpu_concurrency: int | None = setting(
        None,
        ge=1,
        le=1_000_000,
        description="blocks of 32 words that the GPU trains at once with the block algorithm: more are faster, too "
        "many for the vocabulary make worse vectors; null: as many as the GPU holds, at most one per 256 words of the "
        "vocabulary",
        decides_vectors=False,
    )
    deterministic: bool = setting(
        default=False, description="make runs reproducible on any number of threads, a little more slowly"
    )
    validation: float = setting(
        0.0,
        ge=0,
        le=0.5,
        description="share of the sentences held out to measure the loss after each epoch; 0: none",
    )
    patience: int | None = setting(
        None, ge=1, le=100_000, description="stop after this many epochs without a lower validation loss; null: never"
    )
    evaluate: FileNames = setting(
        (),
        description="evaluation sets, names or files, to score the vectors on after each epoch",
        decides_vectors=False,
    )
    time_limit: TimeText | None = setting(
        None,
        description="stop after this time, such as 30m, and write vectors and snapshot; null: never",
        decides_vectors=False,
    )


class ClusterSettings(Section):
    """The cluster that a training runs on, and the merging of its workers' changes."""

    cluster: Cluster | None = setting(
        None,
        description="train on a Dask cluster: local:4 (workers on this machine), tcp://HOST:PORT, tls://HOST:PORT or "
        "a scheduler's file.json; null: in this process",
        decides_vectors=False,
    )
    shards: int = setting(
        4,
        ge=1,
        le=4096,
        description="parts of the text that are trained in parallel in a round, each by one worker",
    )
    sync_words: int | None = setting(
        None,
        ge=1000,
        le=1_000_000_000_000,
        description="words of a shard between two merges; null: chosen for some hundred rounds per epoch, at most "
        "1,000,000",
    )
    combine: Literal["adasum", "weighted", "mean"] = setting(
        "adasum",
        description="how the shards' changes to a row are merged: adasum adds what differs and averages what agrees; "
        "mean: over the shards that changed it; weighted: the same, weighted by the word's count in each",
    )
    delta_format: Literal["float32", "float16"] = setting(
        "float32", description="number format of the changes that workers send; float16 halves the bytes"
    )
    worker_timeout: TimeText = setting(
        "2m",
        description="how long to wait for the scheduler, and for a worker if none is left",
        decides_vectors=False,
    )
    tls_ca: FileName | None = setting(
        None, description="certificate (PEM) of the authority that signed the cluster's", decides_vectors=False
    )
    tls_cert: FileName | None = setting(
        None, description="certificate (PEM) to present to the cluster", decides_vectors=False
    )
    tls_key: FileName | None = setting(None, description="private key (PEM) of tls_cert", decides_vectors=False)


class OutputSettings(Section):
    """The files that a training writes."""

    path: FileName = setting("w2v.safetensors", description="vectors file", decides_vectors=False)
    overwrite: bool = setting(
        default=False, description="replace an existing vectors file and log", decides_vectors=False
    )
    log: FileName | None = setting(
        None, description="log file, one JSON object per line; null: none", decides_vectors=False
    )
    snapshot_every: IntervalText = setting(
        "10m",
        description="how often to save a snapshot for --resume, besides after each epoch: a time, words or never",
        decides_vectors=False,
    )

    @property
    def has_snapshots(self) -> bool:
        """Whether snapshots are wanted."""
        return parse_interval(self.snapshot_every) != Interval()


class Config(Section):
    """Every setting of a training; its JSON form in a vectors file or snapshot validates to an equal config."""

    corpus: CorpusSettings = CorpusSettings()
    model: ModelSettings = ModelSettings()
    sampling: SamplingSettings = SamplingSettings()
    training: TrainingSettings = TrainingSettings()
    cluster: ClusterSettings = ClusterSettings()
    output: OutputSettings = OutputSettings()

    @property
    def learning_rate(self) -> float:
        """The initial learning rate, per example: the one given, or else the usual one."""
        given = self.training.learning_rate
        return self.usual_learning_rate if given is None else given

    @property
    def usual_learning_rate(self) -> float:
        """The usual initial learning rate of optimizer and model, per example."""
        return _ADAM_LEARNING_RATE if self.training.optimizer == "adam" else _LEARNING_RATES[self.model.model]


def _fields() -> Mapping[str, FieldInfo]:
    """Return the field of every setting by its dotted key, in the order of the sections."""
    fields = {}
    for section, info in Config.model_fields.items():
        for name, field in type(info.default).model_fields.items():
            fields[f"{section}.{name}"] = field
    return MappingProxyType(fields)


def _keys_with(trait: str, *, value: bool) -> frozenset[str]:
    """Return the keys of the settings whose field was given this value of a trait by `setting`."""
    traits: dict[str, Any] = {key: field.json_schema_extra for key, field in FIELDS.items()}
    return frozenset(key for key in FIELDS if traits[key][trait] is value)


SECTIONS = tuple(Config.model_fields)
FIELDS = _fields()
FREE_SETTINGS = _keys_with("decides_vectors", value=False)  # may be others when a training is resumed
INPUT_SETTINGS = _keys_with("names_input", value=True)  # an input is identified by its SHA-256, not its name
LIMITS = ("gt", "ge", "le")  # as pydantic names them: above, at least, at most


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """A setting for help texts and docs, such as `training.epochs`, 15, `1 to 100000`, `passes over the corpus`."""

    key: str
    default: object
    allowed: str
    description: str


def describe_settings() -> tuple[SettingDescription, ...]:
    """Return a description of every setting, in the order of the sections."""
    return tuple(
        SettingDescription(key, field.default, allowed_values(field), field.description or "")
        for key, field in FIELDS.items()
    )


def allowed_values(field: FieldInfo) -> str:
    """Return the values that a setting takes, such as `cbow or skipgram`, `1 to 1024 or null`, `text`."""
    if get_origin(field.annotation) is tuple:
        return "a list of texts"
    parts = get_args(field.annotation)  # a Literal's values, or the two sides of `X | None`, or nothing
    if get_origin(field.annotation) is Literal:
        return " or ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    limits = {name: getattr(limit, name) for limit in field.metadata for name in LIMITS if hasattr(limit, name)}
    if limits:
        lowest = f"above {limits['gt']}" if "gt" in limits else limits["ge"]
        allowed = f"{lowest} to {limits['le']}"
    else:
        allowed = "true or false" if field.annotation is bool else "text"
        if TextSources in parts:
            allowed = "text, a list of texts"
    return f"{allowed} or null" if type(None) in parts else allowed
