"""Fixtures of the block kernels: texts that are full of what goes wrong, and the folder of what was compiled."""

import numpy as np
import pytest

from w2v_cli.config.resolve import resolve
from w2v_cli.corpus.scan import scan_corpus


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Return the folder of compiled kernels."""
    return tmp_path_factory.mktemp("kernels")


def write_text(path, *, words, sentences, longest=60):
    """Write sentences of 1 to `longest` words by Zipf's law, and return what scanning makes of them."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, longest, sentences)
    lines = [" ".join(f"w{word}" for word in np.minimum(rng.zipf(1.3, length), words)) for length in lengths]
    path.write_text("\n".join(lines), encoding="utf-8")
    return scan_corpus(path, resolve(sets=["corpus.min_count=1"]).config.corpus).text


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Return some 1,100 words of 146 kinds, the most frequent one a quarter of them: rows repeat in every block."""
    return write_text(tmp_path_factory.mktemp("corpus") / "text.txt", words=300, sentences=40)


@pytest.fixture(scope="session")
def few_words(tmp_path_factory):
    """Return a corpus of six words: every block has negatives that equal its centres."""
    return write_text(tmp_path_factory.mktemp("corpus") / "few.txt", words=6, sentences=12)
