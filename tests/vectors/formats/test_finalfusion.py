"""finalfusion's file: its own reader loads it and answers alike; what it writes is imported; lies are refused."""

import struct
import warnings

import numpy as np
import pytest
from exchanging import WORDS, example, export, import_file
from numpy.testing import assert_array_equal

from factories import similar
from w2v_cli.errors import VectorsError
from w2v_cli.vectors.keyed_vectors import KeyedVectors


@pytest.fixture(scope="module")
def theirs():
    """Return the package finalfusion."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it is built on
        return pytest.importorskip("finalfusion", reason="the export was NOT held against its own reader")


@pytest.fixture(scope="module")
def original():
    """Return 100 words whose vectors are like those of a training."""
    rng = np.random.default_rng(11)
    words = [f"wörd {number}" for number in range(100)]
    return KeyedVectors((rng.standard_normal((100, 24)) * 0.3).astype(np.float16), words)


def test_float32_comes_back_as_near_as_lengths_allow(tmp_path):
    """Rows have length 1 there: a number times its row's length is the old one but for two roundings."""
    original = example(dtype=np.float32)

    export(original, tmp_path / "x.fifu")
    found, _ = import_file(tmp_path / "x.fifu", tmp_path / "y", dtype="float32")

    assert tuple(found.words) == WORDS
    np.testing.assert_allclose(found.vectors, original.vectors, rtol=2**-22)


def test_their_reader_answers_the_same_neighbours(tmp_path, original, theirs):
    """Each word, each number, and the five nearest."""
    export(original, tmp_path / "x.fifu")

    loaded = theirs.load_finalfusion(tmp_path / "x.fifu")

    assert loaded.vocab.words == original.words
    lengths = np.linalg.norm(original.vectors.astype(np.float32), axis=1)
    np.testing.assert_allclose(loaded.norms, lengths, rtol=1e-6)
    for word in original.words[::10]:
        row, length = loaded.embedding_with_norm(word)
        np.testing.assert_allclose(row * length, original.vectors[original.word_id(word)], rtol=1e-5)
        near = [neighbour.word for neighbour in similar(original, word, top=5)]
        assert [found.word for found in loaded.word_similarity(word, k=5)] == near


def test_what_they_write_is_imported(tmp_path, original, theirs):
    """With metadata and lengths, and without both."""
    export(original, tmp_path / "x.fifu")
    loaded = theirs.load_finalfusion(tmp_path / "x.fifu")
    loaded.metadata = theirs.metadata.Metadata({"by": "them"})
    loaded.write(tmp_path / "z")

    found, told = import_file(tmp_path / "z", tmp_path / "y")

    assert told.form.name == "finalfusion"
    assert found.words == original.words
    assert_array_equal(found.vectors, original.vectors)


def small(tmp_path):
    """Return the bytes of a small file."""
    export(example(("ab", "c"), dim=2), tmp_path / "good.fifu")
    return (tmp_path / "good.fifu").read_bytes()


LIES = {
    "a version of the future": (4, "<I", 1, "version 1"),
    "a billion chunks": (8, "<I", 10**9, "1,000,000,000 chunks"),
    "no chunks": (8, "<I", 0, "0 chunks"),
    "an unknown chunk": (24, "<I", 3, "its chunks are [2, 3, 6]"),
    "a chunk beyond the end": (28, "<Q", 10**15, "the chunk at byte 24 claims 1,000,000,000,000,000 bytes"),
    "a million million words": (36, "<Q", 10**12, "it claims 1,000,000,000,000 words"),
    "an endless word": (44, "<I", 2**31, "word 1 claims 2,147,483,648 bytes"),
    "a million million rows": (67, "<Q", 10**12, "claims shape (1000000000000, 2)"),
    "rows of bytes": (79, "<I", 1, "type 1"),
}


@pytest.mark.parametrize(("place", "form", "number", "message"), LIES.values(), ids=LIES)
def test_claims_are_held_against_the_bytes(tmp_path, place, form, number, message):
    """Whatever a chunk says, no memory is taken for it."""
    content = bytearray(small(tmp_path))
    struct.pack_into(form, content, place, number)
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(VectorsError) as caught:
        import_file(tmp_path / "x", tmp_path / "y")
    assert message in str(caught.value)


def test_every_cut_is_refused(tmp_path):
    """Wherever the file ends."""
    content = small(tmp_path)
    for length in range(4, len(content)):
        (tmp_path / "x").write_bytes(content[:length])
        with pytest.raises(VectorsError):
            import_file(tmp_path / "x", tmp_path / "y")
