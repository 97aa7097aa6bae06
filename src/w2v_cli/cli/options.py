"""Options that several commands share, and those of `train` that stand for a setting of the config."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

DEFAULT_VECTORS = Path("w2v.safetensors")

VectorsOption = Annotated[
    Path,
    typer.Option("--vectors", "-v", metavar="FILE", help="The vectors to ask: a file of w2v, or the book's pickle."),
]
FilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--vectors",
        "-v",
        metavar="FILE",
        help="The vectors to ask; give it twice or more to compare files.  [default: w2v.safetensors]",
        show_default=False,
    ),
]
TopOption = Annotated[int, typer.Option("--top", "-n", min=1, metavar="N", help="How many words to show.")]
MethodOption = Annotated[
    Literal["add", "mul", "dot"],
    typer.Option(
        metavar="add|mul|dot",
        help="add: cosine with the sum of unit vectors (3CosAdd); mul: 3CosMul (Levy and Goldberg 2014); "
        "dot: the book's way, the dot product of the sum with vectors of any length.",
    ),
]
MinCountOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only words that occur so often in the corpus answer.")
]
RestrictOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the N most frequent words answer.")]
FormatName = Literal[  # the names of vectors.formats.FORMATS, which loads NumPy; a test compares them
    "word2vec", "word2vec-binary", "fasttext", "glove", "npz", "safetensors", "book", "projector", "finalfusion"
]
FormatOption = Annotated[
    FormatName | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"{', '.join(get_args(FormatName))}.  [default: what the file says]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON object instead of text.")]
JsonLinesOption = Annotated[
    bool, typer.Option("--json", help="Write JSON, one object a line (docs/reference/json.md).")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr; warnings and errors remain.")]


@dataclass(frozen=True)
class SettingOption:
    """An option with the value of a setting. The config checks it, all of them at once and as in every other source."""

    key: str
    values: str
    help: str

    @property
    def parameter(self) -> str:
        """The name of the parameter: `min_count` for corpus.min_count."""
        return self.key.rpartition(".")[2]

    @property
    def flag(self) -> str:
        """The option as it is typed: `--min-count`."""
        return "--" + self.parameter.replace("_", "-")

    def complete(self, incomplete: str) -> Iterator[str]:
        """Yield the values that a shell may propose."""
        if "|" in self.values:
            yield from (value for value in self.values.split("|") if value.startswith(incomplete))


SETTING_OPTIONS = (
    SettingOption("model.model", "cbow|skipgram", "cbow: context → centre; skipgram: centre → context. [cbow]"),
    SettingOption(
        "training.algorithm",
        "auto|minibatch|block",
        "block: runs of centres, fast; minibatch: shuffled windows, as the book's; auto: what fits. [auto]",
    ),
    SettingOption("training.epochs", "N", "Passes over the corpus. [15]"),
    SettingOption("model.dim", "N", "Dimensions of a vector. [100]"),
    SettingOption("model.window", "N", "Words each side of the centre, at most. [5]"),
    SettingOption("sampling.negatives", "N", "Negative samples for each target. [5]"),
    SettingOption("corpus.min_count", "N", "Leave out words that occur less often. [5]"),
    SettingOption(
        "sampling.subsample",
        "SHARE",
        "Share of the corpus above which a word's occurrences are thinned; 0: never. [0.001]",
    ),
    SettingOption("training.learning_rate", "RATE", "Starting rate. [0.05 cbow, 0.025 skipgram, 0.001 with adam]"),
    SettingOption("sampling.seed", "N", "Start of the random draws. [1]"),
    SettingOption(
        "training.validation", "SHARE", "Hold out sentences, such as 0.01 of them, and tell the loss on them. [0.0]"
    ),
    SettingOption("training.patience", "N", "Stop after N epochs without a lower held-out loss. [never]"),
    SettingOption("training.threads", "N", "Threads to work on. [one for each core]"),
    SettingOption(
        "training.gpu_concurrency", "N", "Blocks of 32 words that a GPU trains at a time. [from GPU and vocabulary]"
    ),
    SettingOption(
        "model.init_from", "VECTORS", "Begin with the vectors that this file has for the words it knows. [none]"
    ),
    SettingOption(
        "training.time_limit", "TIME", "Stop after 90s, 30m or 2h, vectors written; --resume goes on. [never]"
    ),
    SettingOption(
        "cluster.cluster",
        "CLUSTER",
        "Train on a Dask cluster: local:4 (workers here), tls://HOST:PORT, tcp://HOST:PORT (this machine only), or a "
        "scheduler's file.json; see docs/how-to/cluster.md. [this process]",
    ),
    SettingOption("cluster.tls_ca", "FILE", "Certificate that has signed those of the cluster. [none]"),
    SettingOption("cluster.tls_cert", "FILE", "Certificate to show to the cluster. [none]"),
    SettingOption("cluster.tls_key", "FILE", "Private key of --tls-cert. [none]"),
    SettingOption(
        "output.snapshot_every",
        "INTERVAL",
        "Keep the state for --resume this often, as 10m or 5000000w, and at ends of epochs; never: not at all. [10m]",
    ),
)

# The settings whose options are declared with `train` itself.
_FLAGS_OF_TRAIN = ("training.deterministic", "training.evaluate", "output.overwrite", "output.log")


def with_setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with SETTING_OPTIONS in place of its `**settings`, for Typer to read."""
    signature = inspect.signature(command)
    positional, keyword = [], []
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            positional.append(parameter)
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keyword.append(parameter)
    settings = [_parameter_for(option) for option in SETTING_OPTIONS]
    command.__signature__ = signature.replace(parameters=[*positional, *settings, *keyword])  # type: ignore[attr-defined]  # PEP 362: inspect reads it, functions do not declare it
    return command


def _parameter_for(option: SettingOption) -> inspect.Parameter:
    declaration = typer.Option(option.flag, metavar=option.values, help=option.help, autocompletion=option.complete)
    annotation: Any = Annotated[str | None, declaration]
    return inspect.Parameter(option.parameter, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def as_option(name: str, value: object = ...) -> str:
    """Return a setting as it is typed, for a message; value: one that the message proposes, or none.

    >>> as_option("min_count"), as_option("backend", "numpy"), as_option("backend", "cupy"), as_option("overwrite")
    ('--min-count', '--set training.backend=numpy', '--gpu', '--overwrite')
    """
    from w2v_cli.config.keywords import KEYS  # noqa: PLC0415  pydantic is not needed for --help

    if (name, value) == ("backend", "cupy"):
        return "--gpu"
    key, flag = KEYS.get(name, name), "--" + name.replace("_", "-")
    has_option = key == name or key in {*(option.key for option in SETTING_OPTIONS), *_FLAGS_OF_TRAIN}
    if value is ... or (value is True and has_option):
        return flag if has_option else f"--set {key}"
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{flag} {text}" if has_option else f"--set {key}={text}"


def given_settings(settings: Mapping[str, str | None]) -> Iterator[tuple[str, str, str]]:
    """Yield (key, flag, text) of the SETTING_OPTIONS that were given; `settings` holds all, by parameter."""
    for option in SETTING_OPTIONS:
        text = settings[option.parameter]
        if text is not None:
            yield option.key, option.flag, text
