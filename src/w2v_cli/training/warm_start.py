"""The warm start: words that an older vectors file has start with its vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli.config.schema import ModelSettings
from w2v_cli.errors import ConfigError, option
from w2v_cli.humanize import count
from w2v_cli.system.files import sha256_of
from w2v_cli.training.trainer import Trainer
from w2v_cli.vectors import BLOCK_ROWS, KeyedVectors, open_vectors


@dataclass(frozen=True)
class OldVectors:
    """The vectors of a file, its name and its SHA-256."""

    name: str
    sha256: str
    word_vectors: KeyedVectors

    def describe(self) -> dict[str, Any]:
        """Return the facts that decide the new vectors, JSON-able: name and contents of the file, no folder."""
        return {"source": self.name, "sha256": self.sha256}


def read_old_vectors(model: ModelSettings) -> OldVectors | None:
    """Return the vectors of model.init_from, None if it is not set.

    Args:
        model: The settings of the model.

    Raises:
        ConfigError: They have another number of dimensions.
        VectorsError: The file cannot be read.
    """
    if model.init_from is None:
        return None
    path = Path(model.init_from)
    word_vectors = open_vectors(path)
    dim = word_vectors.vectors.shape[1]
    if dim != model.dim:
        raise ConfigError(
            f"{option('init_from', str(path))}: its vectors have {count(dim, 'dimension')}, this training has "
            f"{model.dim}: give {option('dim', dim)}, or other vectors."
        )
    return OldVectors(path.name, sha256_of(path), word_vectors)


def start_from(trainer: Trainer, words: Sequence[str], old: OldVectors) -> int:
    """Set the input vectors of the words that `old` has to its values, as float32.

    All other input vectors, and all output vectors, stay as they are.

    Args:
        trainer: The trainer, prepared; its input vectors are changed.
        words: (V,), the vocabulary.
        old: The vectors to start from.

    Returns:
        The number of words that `old` has.
    """
    ids_by_word = old.word_vectors.ids_by_word
    old_ids = np.array([ids_by_word.get(word, -1) for word in words], np.int64)
    known = np.flatnonzero(old_ids >= 0)
    state = dict(trainer.read_state())
    input_vectors = state["input_vectors"].copy()
    for first in range(0, len(known), BLOCK_ROWS):
        rows = known[first : first + BLOCK_ROWS]
        input_vectors[rows] = old.word_vectors.vectors[old_ids[rows]]
    trainer.restore(state | {"input_vectors": input_vectors})
    return len(known)
