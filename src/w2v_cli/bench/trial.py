"""The trainers that are compared, what they need, and the settings of one training."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Trial:
    """One training by one trainer, which keeps all words.

    Attributes:
        trainer: the name of the trainer.
        corpus: a file with a sentence per line, words separated by single spaces.
        model: the model.
        dim: D, dimensions of the vectors.
        window: context words on each side, at most.
        negatives: K, negative samples per target.
        subsample: the subsampling threshold, a share of the corpus.
        epochs: passes over the corpus.
        learning_rate: the initial rate, which falls to 1e-4 of itself.
        threads: number of threads.
        seed: seed of the random numbers.
    """

    trainer: str
    corpus: str
    model: Literal["cbow", "skipgram"]
    dim: int
    window: int
    negatives: int
    subsample: float
    epochs: int
    learning_rate: float
    threads: int
    seed: int


@dataclass(frozen=True)
class Trainer:
    """A program that trains; `find_missing` returns what it lacks here, or None."""

    name: str
    note: str
    find_missing: Callable[[], str | None]


def word2vec_program() -> str | None:
    """Return the path of the original C program, built by the package word2vec: beside Python or on the PATH."""
    beside = Path(sys.executable).with_name("word2vec")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("word2vec")


def _needs(package: str) -> Callable[[], str | None]:
    def find_missing() -> str | None:
        return (
            None
            if importlib.util.find_spec(package)
            else f"package {package} is not installed; install it with {_INSTALL}"
        )

    return find_missing


def _find_no_word2vec() -> str | None:
    if word2vec_program():
        return None
    return f"program word2vec not found; install it with {_INSTALL} (needs a C compiler)"


_INSTALL = 'pip install "w2v-cli[bench]"'

TRAINERS = (
    Trainer("w2v", "block algorithm, lock-free", lambda: None),
    Trainer("w2v-deterministic", "block algorithm, --deterministic", lambda: None),
    Trainer("gensim", "fed an iterable", _needs("gensim")),
    Trainer(
        "gensim-corpus-file",
        "fed a file: the rate ends at start / (workers · epochs), not at 1e-4 of it",
        _needs("gensim"),
    ),
    Trainer("floret", "fastText without subwords", _needs("floret")),
    Trainer("word2vec", "the original C program", _find_no_word2vec),
)
OURS = tuple(trainer.name for trainer in TRAINERS if trainer.name.startswith("w2v"))
