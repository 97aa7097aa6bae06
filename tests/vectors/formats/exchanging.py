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


def unchecked(words, vectors):
    """Return vectors that no check has seen, as a hostile or broken tool would write them."""
    made = object.__new__(KeyedVectors)
    made.__dict__.update(words=words, vectors=np.array(vectors, np.float32), counts=None, metadata={})
    return made


def export(word_vectors, path, name=None, **options):
    """Export vectors; the options are those of the command."""
    return export_vectors("mine", word_vectors, path, format_name=name, **options)


def import_file(path, output, name=None, **options):
    """Import a file; return the vectors that the output holds then, and the report."""
    report = import_vectors(str(path), output, format_name=name, **{"overwrite": True} | options)
    return load(output), report
