"""Options that several commands share, and the options of `train` that give settings their values."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from w2v_cli.cli.completion import complete_set

DEFAULT_VECTORS = Path("w2v.safetensors")

# The groups of options in the help of `train`; what is in none comes last.
COMMON, TEXT, MODEL, TRAINING = "Common options", "Text", "Model", "Training"
OUTPUT, CLUSTER, GPU = "Output", "Cluster", "GPU"

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A vectors file of w2v, or the book's pickle.")]
VectorsOption = Annotated[
    Path,
    typer.Option("--vectors", "-v", metavar="FILE", help="The vectors to query: a file of w2v, or the book's pickle."),
]
FilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--vectors",
        "-v",
        metavar="FILE",
        help="The vectors to query; repeat the option to compare files.",
        show_default=str(DEFAULT_VECTORS),
    ),
]
TopOption = Annotated[int, typer.Option("--top", "-n", min=1, metavar="N", help="How many words to show.")]
MethodOption = Annotated[
    Literal["add", "mul", "dot"],
    typer.Option(
        metavar="add|mul|dot",
        help="add: cosine with the sum of unit vectors (3CosAdd); mul: 3CosMul (Levy and Goldberg 2014); "
        "dot: dot product with the sum of the vectors as they are, the book's method.",
    ),
]
MinCountOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Show only words that occur at least N times in the corpus."),
]
RestrictOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Show only words among the N most frequent.")
]
FormatName = Literal[  # the names of vectors.formats.FORMATS, which loads NumPy; a test compares them
    "word2vec", "word2vec-binary", "fasttext", "glove", "npz", "safetensors", "book", "projector", "finalfusion"
]
FormatOption = Annotated[
    FormatName | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"{', '.join(get_args(FormatName))}.",
        show_default="detected from the file",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout instead of text.")]
JsonLinesOption = Annotated[bool, typer.Option("--json", help="Write JSON, one object per line.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress on stderr, only warnings and errors.")
]


@dataclass(frozen=True)
class SettingOption:
    """An option of `train` that gives a setting its value. The config checks the value, as from every other source.

    Attributes:
        key: the dotted key of the setting.
        metavar: how the help names the value; empty for a flag.
        help: what the help says, without the default.
        group: the heading under which the help shows it.
        default: how the help names the default, None to leave it out.
        flags: the names of the option; by default the last part of the key, as `--min-count`.
        stands_for: the value that a flag gives the setting.
        is_list: whether the option may be repeated.
        is_literal: whether the value is taken as it stands and not read as YAML reads it.
    """

    key: str
    metavar: str
    help: str
    group: str
    default: str | None = None
    flags: tuple[str, ...] = ()
    stands_for: object = None
    is_list: bool = False
    is_literal: bool = False

    @property
    def flag(self) -> str:
        """The option as it is typed: `--min-count`."""
        return self.flags[0] if self.flags else "--" + self.key.rpartition(".")[2].replace("_", "-")

    @property
    def parameter(self) -> str:
        """The name of the parameter: `min_count`."""
        return self.flag.removeprefix("--").replace("-", "_")

    def complete(self, incomplete: str) -> Iterator[str]:
        """Yield the values that a shell may propose."""
        if self.is_list:
            yield from complete_set(incomplete)
        elif "|" in self.metavar:
            yield from (value for value in self.metavar.split("|") if value.startswith(incomplete))


SETTING_OPTIONS = (
    SettingOption(
        "output.path",
        "FILE",
        "The vectors file to write.",
        COMMON,
        "w2v.safetensors",
        flags=("--output", "-o"),
        is_literal=True,
    ),
    SettingOption("output.overwrite", "", "Replace an existing output and its snapshot.", COMMON, stands_for=True),
    SettingOption(
        "model.model",
        "cbow|skipgram",
        "cbow predicts a word from its context, skipgram the context from the word.",
        COMMON,
        "cbow",
    ),
    SettingOption("training.epochs", "N", "Passes over the corpus.", COMMON, "15"),
    SettingOption("model.dim", "N", "Dimensions of the vectors.", COMMON, "100"),
    SettingOption("model.window", "N", "Context words on each side, at most.", COMMON, "5"),
    SettingOption("training.threads", "N", "Number of threads.", COMMON, "one per core"),
    SettingOption("corpus.min_count", "N", "Drop words that occur fewer than N times.", TEXT, "5"),
    SettingOption(
        "sampling.subsample",
        "SHARE",
        "Subsample words whose share of the corpus is above this threshold; 0 to disable.",
        TEXT,
        "0.001",
    ),
    SettingOption("sampling.negatives", "N", "Negative samples per target word.", MODEL, "5"),
    SettingOption(
        "model.init_from", "VECTORS", "Start from the vectors in this file, for the words it contains.", MODEL
    ),
    SettingOption(
        "training.algorithm",
        "auto|minibatch|block",
        "block is fast; minibatch trains on shuffled windows, as in the book; auto chooses by the other settings.",
        TRAINING,
        "auto",
    ),
    SettingOption(
        "training.learning_rate",
        "RATE",
        "Initial learning rate.",
        TRAINING,
        "0.05 for cbow, 0.025 for skipgram, 0.001 with adam",
    ),
    SettingOption("sampling.seed", "N", "Seed of the random numbers.", TRAINING, "1"),
    SettingOption(
        "training.deterministic",
        "",
        "Make the result depend on the seed alone, not on the number of threads; somewhat slower.",
        TRAINING,
        stands_for=True,
    ),
    SettingOption(
        "training.validation",
        "SHARE",
        "Hold out this share of the sentences, for example 0.01, and report the loss on them.",
        TRAINING,
        "0",
    ),
    SettingOption(
        "training.patience", "N", "Stop after N epochs in which the held-out loss did not fall.", TRAINING, "never"
    ),
    SettingOption(
        "training.time_limit",
        "TIME",
        "Stop after this time, for example 90s, 30m or 2h, and save; --resume continues.",
        TRAINING,
        "none",
    ),
    SettingOption(
        "training.evaluate",
        "SET",
        "Score the vectors after each epoch on wordsim353, simlex999, questions-words or your own file; repeat for "
        "several.",
        TRAINING,
        is_list=True,
    ),
    SettingOption("output.log", "FILE", "Log progress as JSON, one event per line.", OUTPUT, is_literal=True),
    SettingOption(
        "output.snapshot_every",
        "INTERVAL",
        "Save the state for --resume this often, for example 10m or 5000000w (words), and at ends of epochs; never "
        "disables it.",
        OUTPUT,
        "10m",
    ),
    SettingOption(
        "cluster.cluster",
        "CLUSTER",
        "Train on a Dask cluster: local:4 (four workers on this machine), tls://HOST:PORT, tcp://HOST:PORT (this "
        "machine only) or a scheduler file.",
        CLUSTER,
    ),
    SettingOption("cluster.tls_ca", "FILE", "Certificate of the authority that signed the cluster's.", CLUSTER),
    SettingOption("cluster.tls_cert", "FILE", "Certificate to present to the cluster.", CLUSTER),
    SettingOption("cluster.tls_key", "FILE", "Private key of --tls-cert.", CLUSTER),
    SettingOption(
        "training.backend",
        "",
        "Train on an NVIDIA GPU; fails if none is usable.",
        GPU,
        flags=("--gpu",),
        stands_for="cupy",
    ),
    SettingOption(
        "training.gpu_concurrency",
        "N",
        "Blocks of 32 words that the GPU trains at once.",
        GPU,
        "chosen for the GPU and the vocabulary",
    ),
)


def as_option(name: str, value: object = ...) -> str:
    """Return a setting as it is typed, for a message.

    Args:
        name: the last part of the setting's key, or the name of an option that stands for none.
        value: a value that the message proposes.

    >>> as_option("min_count"), as_option("backend", "numpy"), as_option("backend", "cupy"), as_option("overwrite")
    ('--min-count', '--set training.backend=numpy', '--gpu', '--overwrite')
    """
    from w2v_cli.config.keywords import KEYS

    if (name, value) == ("backend", "cupy"):
        return "--gpu"
    key, flag = KEYS.get(name, name), "--" + name.replace("_", "-")
    has_option = key == name or (key, name) in {(option.key, option.parameter) for option in SETTING_OPTIONS}
    if value is ... or (value is True and has_option):
        return flag if has_option else f"--set {key}"
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{flag} {text}" if has_option else f"--set {key}={text}"
