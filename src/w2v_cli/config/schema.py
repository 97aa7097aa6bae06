"""The schema of the config: every setting with its default, limits and a line of help."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from w2v_cli.config.types import (
    Cluster,
    FileName,
    FileNames,
    IntervalText,
    Pattern,
    Section,
    TextSources,
    TimeText,
    Word,
    setting,
)

ModelName = Literal["cbow", "skipgram"]
_LEARNING_RATES: Mapping[ModelName, float] = MappingProxyType({"cbow": 0.05, "skipgram": 0.025})
_ADAM_LEARNING_RATE = 0.001


class CorpusSettings(Section):
    """What is read, and what counts as a word."""

    source: TextSources | None = setting(
        None,
        description="texts to read: files, folders, patterns (*.txt), URLs, - for stdin; or a corpus name; null: the "
        "built-in choice",
        names_input=True,
    )
    tokens: Literal["words", "whitespace", "regex"] = setting(
        "words",
        description="words: lower-case words of raw prose; whitespace: whatever stands between spaces; regex: what "
        "token_pattern matches",
    )
    token_pattern: Pattern = setting(
        r"\w+",
        description="for tokens: regex, a regular expression of Python, matched within each stretch between spaces and "
        "once for equal ones; its matches are the words, as they are",
    )
    max_token_bytes: int = setting(
        100_000,
        ge=16,
        le=1_000_000_000,
        description="longest stretch without a space that is read; longer ones are skipped and counted",
    )
    sentences: Literal["line", "paragraph", "punctuation", "stream"] = setting(
        "line",
        description="windows end with the line, with the paragraph (a blank line), with . ! ? and their like (or a "
        "blank line), or never (stream)",
    )
    end_of_line: Word | None = setting(None, description="word put at the end of each line, such as <eos>; null: none")
    min_count: int = setting(5, ge=1, le=1_000_000_000, description="occurrences that a word needs to be kept")
    max_vocab: int = setting(
        4_000_000,
        ge=1000,
        le=1_000_000_000,
        description="different words counted at a time; of more, the rarest are forgotten on the way",
    )
    invalid_utf8: Literal["replace", "strict"] = setting(
        "replace", description="bytes that are no UTF-8: replace them and warn, or stop"
    )
    max_expansion: int = setting(
        200,
        ge=1,
        le=1_000_000_000,
        description="times its size that a compressed text of over 64 MB may unpack to; more is taken for a bomb",
        decides_vectors=False,
    )
    max_unpacked: int = setting(
        1_000_000_000_000,
        ge=1,
        le=10**18,
        description="bytes that a compressed text may unpack to",
        decides_vectors=False,
    )


class ModelSettings(Section):
    """Which model is trained, and its size."""

    model: ModelName = setting(
        "cbow", description="cbow: the context predicts the centre; skipgram: the centre predicts its context"
    )
    dim: int = setting(100, ge=1, le=10_000, description="dimensions of a word vector (D)")
    window: int = setting(5, ge=1, le=1000, description="words of context on each side of the centre")
    shrink_window: bool = setting(default=True, description="draw each centre's window from 1 to window")
    partial_windows: bool = setting(
        default=True, description="keep centres whose window a border cuts; false: drop them"
    )
    cbow_gradient: Literal["classic", "mean"] = setting(
        "classic", description="gradient to each context word of cbow: whole (word2vec.c), or divided by their number"
    )
    init: Literal["uniform", "normal"] = setting(
        "uniform", description="first vectors: input within 0.5/D and output zero, or both 0.01 times normal draws"
    )
    init_from: FileName | None = setting(
        None, description="vectors file whose rows the words that it holds begin with; null: none", names_input=True
    )


class SamplingSettings(Section):
    """What is drawn at random."""

    negatives: int = setting(5, ge=1, le=1000, description="negative samples per target (K)")
    exponent: float = setting(0.75, ge=0, le=1, description="negatives are drawn in proportion to count ** exponent")
    subsample: float = setting(
        1e-3, ge=0, le=1, description="share of the corpus above which a word is thinned out (t); 0: off"
    )
    seed: int = setting(1, ge=0, le=2**64 - 1, description="start of all random draws; the same seed, the same draws")


class TrainingSettings(Section):
    """How the vectors are fitted."""

    algorithm: Literal["auto", "minibatch", "block"] = setting(
        "auto", description="block: runs of centres, fast; minibatch: shuffled windows, as the book's; auto: what fits"
    )
    backend: Literal["auto", "numpy", "numba", "cupy"] = setting(
        "auto", description="what computes: numpy or numba on the CPU, cupy on an NVIDIA GPU"
    )
    optimizer: Literal["sgd", "adam"] = setting("sgd", description="rule that turns gradients into steps")
    epochs: int = setting(15, ge=1, le=100_000, description="passes over the corpus")
    learning_rate: float | None = setting(
        None, gt=0, le=10, description="first step size, per example; null: .05 cbow, .025 skipgram, .001 adam"
    )
    decay: Literal["linear", "constant"] = setting("linear", description="course of the learning rate over all epochs")
    batch_size: int = setting(512, ge=1, le=1_000_000, description="examples per minibatch (B)")
    threads: int | None = setting(
        None,
        ge=1,
        le=1024,
        description="CPU threads; null: one for each core that this process may use",
        decides_vectors=False,
    )
    gpu_concurrency: int | None = setting(
        None,
        ge=1,
        le=1_000_000,
        description="blocks of 32 words that a GPU trains at a time by the block algorithm: more are faster, and too "
        "many for the vocabulary make worse vectors; null: what the GPU holds, one for each 256 words of the "
        "vocabulary at most",
        decides_vectors=False,
    )
    deterministic: bool = setting(
        default=False, description="give the same vectors each time, on any number of threads, a little more slowly"
    )
    validation: float = setting(
        0.0,
        ge=0,
        le=0.5,
        description="share of the sentences held out to measure the loss on after each epoch; 0: none",
    )
    patience: int | None = setting(
        None, ge=1, le=100_000, description="epochs without a lower held-out loss after which to stop; null: never"
    )
    evaluate: FileNames = setting(
        (),
        description="evaluation sets, names or files, that the vectors are scored on after each epoch",
        decides_vectors=False,
    )
    time_limit: TimeText | None = setting(
        None,
        description="stop after so long, such as 30m, with vectors and snapshot written; null: never",
        decides_vectors=False,
    )


class ClusterSettings(Section):
    """Where a training is shared out, and how its parts are put together again."""

    cluster: Cluster | None = setting(
        None,
        description="train on a Dask cluster: local:4 (workers on this machine), tcp://HOST:PORT, tls://HOST:PORT or a "
        "scheduler's file.json; null: in this process",
        decides_vectors=False,
    )
    shards: int = setting(
        4,
        ge=1,
        le=4096,
        description="parts of the text, far apart, that are trained side by side in a round, each by one worker",
    )
    sync_words: int | None = setting(
        None,
        ge=1000,
        le=1_000_000_000_000,
        description="words of a shard, after which all shards are combined; null: what gives an epoch some hundred "
        "rounds, 1,000,000 at most",
    )
    combine: Literal["adasum", "weighted", "mean"] = setting(
        "adasum",
        description="how the changes that shards make to a row become one: adasum adds what differs and averages what "
        "is alike; mean: over the shards that changed it; weighted: the same, by how often the word stands in each",
    )
    delta_format: Literal["float32", "float16"] = setting(
        "float32", description="numbers that workers send changes in: float16 halves the bytes"
    )
    worker_timeout: TimeText = setting(
        "2m",
        description="how long to wait for a scheduler's answer, and for a worker where there is none",
        decides_vectors=False,
    )
    tls_ca: FileName | None = setting(
        None, description="certificate (PEM) that has signed those of the cluster", decides_vectors=False
    )
    tls_cert: FileName | None = setting(
        None, description="certificate (PEM) that this program shows to the cluster", decides_vectors=False
    )
    tls_key: FileName | None = setting(None, description="its private key (PEM)", decides_vectors=False)


class OutputSettings(Section):
    """Where the vectors go."""

    path: FileName = setting("w2v.safetensors", description="file for the vectors", decides_vectors=False)
    overwrite: bool = setting(
        default=False, description="replace the file, and the log, where it exists", decides_vectors=False
    )
    log: FileName | None = setting(
        None, description="file for a log of the training, one JSON object a line; null: none", decides_vectors=False
    )
    snapshot_every: IntervalText = setting(
        "10m",
        description="how often the state for --resume is kept besides at an epoch's end: a time, words or never",
        decides_vectors=False,
    )


class Config(Section):
    """Every setting of a training run; its JSON form lies in the vectors file and validates to an equal config."""

    corpus: CorpusSettings = CorpusSettings()
    model: ModelSettings = ModelSettings()
    sampling: SamplingSettings = SamplingSettings()
    training: TrainingSettings = TrainingSettings()
    cluster: ClusterSettings = ClusterSettings()
    output: OutputSettings = OutputSettings()

    @property
    def learning_rate(self) -> float:
        """Return the first learning rate, per example: the one given, or the usual one of optimiser and model."""
        given = self.training.learning_rate
        return self.usual_learning_rate if given is None else given

    @property
    def usual_learning_rate(self) -> float:
        """Return the usual first learning rate of optimiser and model, per example."""
        return _ADAM_LEARNING_RATE if self.training.optimizer == "adam" else _LEARNING_RATES[self.model.model]


def _fields() -> Mapping[str, FieldInfo]:
    """Return every setting's field by its dotted key, in the order of the sections."""
    fields = {}
    for section, info in Config.model_fields.items():
        for name, field in type(info.default).model_fields.items():
            fields[f"{section}.{name}"] = field
    return MappingProxyType(fields)


def _keys(has: Callable[[Any], bool]) -> frozenset[str]:
    """Return the keys of the settings whose traits, which `setting` gave them, are so."""
    return frozenset(key for key, field in FIELDS.items() if has(field.json_schema_extra))


SECTIONS = tuple(Config.model_fields)
FIELDS = _fields()
FREE_SETTINGS = _keys(lambda traits: not traits["decides_vectors"])  # may be others when a training is resumed
INPUT_SETTINGS = _keys(lambda traits: traits["names_input"])  # an input is identified by its SHA-256, not its name
LIMIT_SIGNS = {"gt": ">", "ge": ">=", "le": "<="}


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """A setting for help texts and docs: `training.epochs`, 15, `1 to 100000`, `passes over the corpus`."""

    key: str
    default: object
    allowed: str
    description: str


def describe_settings() -> tuple[SettingDescription, ...]:
    """Return every setting with its default, its allowed values and its one-line description."""
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
    limits = {name: getattr(limit, name) for limit in field.metadata for name in LIMIT_SIGNS if hasattr(limit, name)}
    if limits:
        lowest = f"above {limits['gt']}" if "gt" in limits else limits["ge"]
        allowed = f"{lowest} to {limits['le']}"
    else:
        allowed = "true or false" if field.annotation is bool else "text"
        if TextSources in parts:
            allowed = "text, a list of texts"
    return f"{allowed} or null" if type(None) in parts else allowed
