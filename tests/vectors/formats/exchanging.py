"""Vectors that are exported and imported again, for the tests beside."""

import numpy as np

from w2v_cli.vectors.formats.convert import export_vectors, import_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors, load

WORDS = ("the", "naïve", "日本語", "👩🏽‍🚀", "e\u0301", "a\u200db", "x" * 10_000, "\u00a0", "\\x20", "0.5", "\ufeff")


def example(words=WORDS, dtype=np.float16, dim=5, *, has_counts=True):
    """Return vectors of the words: random bits, of every size that the type has."""
    rng = np.random.default_rng(3)
    vectors = (rng.standard_normal((len(words), dim)) * 10.0 ** rng.integers(-7, 4, (len(words), dim))).astype(dtype)
    counts = np.arange(len(words), 0, -1) if has_counts else None
    return KeyedVectors(vectors, words, counts, {"seed": 7})


def export(word_vectors, path, name=None, **options):
    """Export vectors; the options are those of the command."""
    options = {"dtype": None, "escaped": False, "overwrite": False} | options
    return export_vectors("mine", word_vectors, path, name=name, **options)


def import_file(path, output, name=None, **options):
    """Import a file and return what lies in the output then, and what was told."""
    options = {"dtype": "float16", "unescape": False, "overwrite": True} | options
    told = import_vectors(str(path), output, name=name, **options)
    return load(output), told
