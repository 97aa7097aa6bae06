"""The content of a file decides how it is read, not its name."""

import gzip
import io
import pickle

import numpy as np
import pytest

from w2v_cli.errors import VectorsError
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.load import open_vectors

EXAMPLE = KeyedVectors(np.array([[1, 2], [3, 4]], np.float16), ("a", "b"))


def npz():
    file = io.BytesIO()
    np.savez(file, vectors=EXAMPLE.vectors)
    return file.getvalue()


@pytest.mark.parametrize("name", ["x.safetensors", "x", "x.pkl"])
def test_our_own_file_is_read_under_any_name(tmp_path, name):
    """Also where the name says pickle."""
    keyed_vectors.save(tmp_path / name, EXAMPLE, overwrite=False)

    assert open_vectors(tmp_path / name).words == ("a", "b")


@pytest.mark.parametrize("padding", range(0, 300, 7))
def test_a_header_of_any_length_is_told_from_a_pickle(tmp_path, padding):
    """A safetensors file may begin with the byte that begins a pickle: its header is then 128, 384, … bytes long."""
    original = KeyedVectors(EXAMPLE.vectors, EXAMPLE.words, metadata={"note": "x" * padding})
    keyed_vectors.save(tmp_path / "x", original, overwrite=False)

    assert open_vectors(tmp_path / "x").metadata["note"] == "x" * padding


@pytest.mark.parametrize("name", ["x.pkl", "x.safetensors"])
def test_the_books_layout_is_read_under_any_name(tmp_path, name):
    """A pickle goes to the restricted reader, whatever it is called."""
    content = {"word_vecs": EXAMPLE.vectors, "word_to_id": {"a": 0, "b": 1}, "id_to_word": {0: "a", 1: "b"}}
    (tmp_path / name).write_bytes(pickle.dumps(content, -1))

    assert open_vectors(tmp_path / name).words == ("a", "b")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"2 2\na 1 2\nb 3 4\n", "word2vec's format"),
        (b"2 2\na \0\0\x80?", "word2vec's format"),
        (b"the 0.1 0.2\n", "is text"),
        (gzip.compress(b"2 2\n"), "is gzip"),
        (npz(), "ZIP archive"),
        (b"\xde\xad\xbe\xef" * 4, "of no known kind"),
        (pickle.dumps({"a": 1}, 0), "is text"),
    ],
    ids=["word2vec text", "word2vec binary", "text", "gzip", "npz", "noise", "pickle of protocol 0"],
)
def test_another_file_is_refused_with_what_it_looks_like(tmp_path, content, kind):
    """The message names the file, what it looks like and what can be read."""
    (tmp_path / "x.vec").write_bytes(content)

    with pytest.raises(VectorsError, match=rf"x\.vec .*{kind}.*w2v queries its own \.safetensors"):
        open_vectors(tmp_path / "x.vec")


def test_a_damaged_start_is_called_damaged(tmp_path):
    """A file that is called .safetensors and does not begin like one is damaged, not of another kind."""
    keyed_vectors.save(tmp_path / "x.safetensors", EXAMPLE, overwrite=False)
    content = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").write_bytes(content[:8] + b"[" + content[9:])

    with pytest.raises(VectorsError, match="is damaged"):
        open_vectors(tmp_path / "x.safetensors")


@pytest.mark.parametrize("name", ["none.safetensors", "."])
def test_a_missing_file_or_a_folder_is_refused(tmp_path, name):
    """One line says which."""
    with pytest.raises(VectorsError, match=r"not found|folder"):
        open_vectors(tmp_path / name)
