"""TensorFlow's projector: a folder of three files, written and read."""

import numpy as np
import pytest
from exchanging import example, export, import_file
from numpy.testing import assert_array_equal

from w2v_cli.errors import ConfigError, VectorsError
from w2v_cli.vectors.keyed_vectors import KeyedVectors

SMALL = KeyedVectors(np.array([[0.5, -1], [2, 0.25]], np.float16), ("new york", "sea"), np.array([7, 3]))


def test_the_files_are_as_the_projector_wants_them(tmp_path):
    """Numbers and words by lines, columns by tabs, a heading where there are two columns, and TensorBoard's config."""
    export(SMALL, tmp_path / "x", "projector")

    assert (tmp_path / "x" / "vectors.tsv").read_bytes() == b"0.5\t-1.0\n2.0\t0.25\n"
    assert (tmp_path / "x" / "metadata.tsv").read_bytes() == b"word\tcount\nnew york\t7\nsea\t3\n"
    assert 'tensor_path: "vectors.tsv"' in (tmp_path / "x" / "projector_config.pbtxt").read_text()


def test_a_single_column_has_no_heading(tmp_path):
    """As the projector wants it: every line is a word then, also one that is called word."""
    export(KeyedVectors(SMALL.vectors, ("word", "sea")), tmp_path / "x", "projector")

    assert (tmp_path / "x" / "metadata.tsv").read_bytes() == b"word\nsea\n"
    assert tuple(import_file(tmp_path / "x", tmp_path / "y")[0].words) == ("word", "sea")


def test_counts_come_back(tmp_path):
    """And words with spaces."""
    export(SMALL, tmp_path / "x", "projector")

    found, told = import_file(tmp_path / "x", tmp_path / "y")

    assert told.form.name == "projector"
    assert tuple(found.words) == SMALL.words
    assert_array_equal(found.counts, SMALL.counts)
    assert_array_equal(found.vectors, SMALL.vectors)


@pytest.mark.parametrize("size", [7, 40])
def test_borders_of_blocks_lie_anywhere(tmp_path, monkeypatch, size):
    """Both files go on where they were."""
    original = example()
    export(original, tmp_path / "x", "projector")
    monkeypatch.setattr("w2v_cli.vectors.formats.reader._BLOCK_BYTES", size)
    monkeypatch.setattr("w2v_cli.vectors.formats.reader._CHUNK_BYTES", size)

    found, _ = import_file(tmp_path / "x", tmp_path / "y")

    assert tuple(found.words) == original.words
    assert_array_equal(found.vectors, original.vectors)


def test_files_that_exist_are_kept(tmp_path):
    """Each of the three."""
    export(SMALL, tmp_path / "x", "projector")
    (tmp_path / "x" / "vectors.tsv").unlink()

    with pytest.raises(ConfigError, match=r"metadata\.tsv already exists"):
        export(SMALL, tmp_path / "x", "projector")
    assert not (tmp_path / "x" / "vectors.tsv").exists()
    export(SMALL, tmp_path / "x", "projector", overwrite=True)


REFUSED = {
    "fewer words": (b"1\t2\n3\t4\n", b"a\n", "word 2: metadata.tsv ends before vectors.tsv."),
    "more words": (b"1\t2\n", b"a\nb\n", "word 2: vectors.tsv ends before metadata.tsv."),
    "a column too few": (b"1\t2\n", b"word\tcount\na\n", "word 1: its line in metadata.tsv has 1 column, expected 2."),
    "no count": (b"1\t2\n", b"word\tcount\na\tx\n", "word 1: its count is not a whole number."),
    "a number too few": (b"1\t2\n3\n", b"a\nb\n", "word 2: 1 number after the word, expected 2."),
    "no number": (b"1\t2\n3\tx\n", b"a\nb\n", "word 2: 'x' is not a number"),
    "a word twice": (b"1\t2\n3\t4\n", b"a\na\n", "word 2: the word 'a' occurs twice, first in word 1."),
    "nothing": (b"", b"", "is empty"),
}


@pytest.mark.parametrize(("numbers", "words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused(tmp_path, numbers, words, message):
    """By the word's number."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "vectors.tsv").write_bytes(numbers)
    (tmp_path / "x" / "metadata.tsv").write_bytes(words)

    with pytest.raises(VectorsError) as caught:
        import_file(tmp_path / "x", tmp_path / "y")
    assert message in str(caught.value)


def test_a_folder_without_the_files_is_refused(tmp_path):
    """The missing one is named."""
    with pytest.raises(VectorsError, match=r"vectors\.tsv not found"):
        import_file(tmp_path, tmp_path / "y")
