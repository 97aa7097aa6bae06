"""Train word2vec embeddings and ask them questions.

>>> import w2v_cli
>>> vectors = w2v_cli.train(texts=["salt and bread", "sea and salt"] * 20, subsample=0, dim=4, backend="numpy")
>>> vectors
<WordVectors: 4 words, 4 dimensions>

README.md has more, `help(w2v_cli.train)` all. Nothing is loaded before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from w2v_cli.errors import (
        ClusterError,
        ConfigError,
        CorpusError,
        DivergedError,
        DownloadError,
        MissingDependencyError,
        OutputInUseError,
        StorageError,
        UnknownWordError,
        VectorsError,
        W2vError,
    )
    from w2v_cli.pipeline.api import train
    from w2v_cli.pipeline.events import Event
    from w2v_cli.queries import Neighbour, WordVectors, load

__version__ = "0.1.0"

__all__ = [
    "ClusterError",
    "ConfigError",
    "CorpusError",
    "DivergedError",
    "DownloadError",
    "Event",
    "MissingDependencyError",
    "Neighbour",
    "OutputInUseError",
    "StorageError",
    "UnknownWordError",
    "VectorsError",
    "W2vError",
    "WordVectors",
    "__version__",
    "load",
    "train",
]

_MODULES = {"Event": "pipeline.events", "train": "pipeline.api"}
_MODULES |= dict.fromkeys(("Neighbour", "WordVectors", "load"), "queries.word_vectors")


def __getattr__(name: str) -> object:
    """Return a public name, loading what it needs."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
