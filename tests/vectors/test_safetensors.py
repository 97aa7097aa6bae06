"""The container of vectors: what it holds comes back, other tools can read it, and a failing save harms nothing."""

import hashlib
import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from w2v_cli.errors import ConfigError
from w2v_cli.vectors.safetensors import Tensor, load_tensors, save_tensors

NUMBERS = np.array([3, -1], np.int64)
ROWS = np.array([[0.5, -2.0], [1.5, 65504.0]], np.float16)
METADATA = {"seed": 7, "algorithm": "minibatch", "config": {"model": {"dim": 2}}, "final_loss": 0.1, "note": "é\udc80"}


def save_example(path, **metadata):
    tensors = {"numbers": Tensor("I64", (2,), [NUMBERS]), "rows": Tensor("F16", (2, 2), [ROWS[:1], ROWS[1:]])}
    save_tensors(path, tensors, METADATA | metadata, overwrite=True)
    return path


def split(content):
    start = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:start]), content[start:]


def test_tensors_and_metadata_come_back(tmp_path):
    """What was saved is loaded, with the format version beside the metadata."""
    tensors, metadata = load_tensors(save_example(tmp_path / "x.safetensors"))

    assert_array_equal(tensors["numbers"], NUMBERS)
    assert_array_equal(tensors["rows"], ROWS)
    assert metadata == METADATA | {"format_version": 1}


def test_loaded_tensors_are_views_of_the_mapped_file(tmp_path):
    """Loading copies no data: the arrays are read-only views."""
    tensors, _ = load_tensors(save_example(tmp_path / "x.safetensors"))

    assert not tensors["rows"].flags.writeable
    assert not tensors["rows"].flags.owndata


def test_same_content_gives_the_same_bytes(tmp_path):
    """The bytes depend on nothing but the content: not on the order of the metadata, nor on the blocks."""
    first = save_example(tmp_path / "a.safetensors").read_bytes()
    tensors = {"numbers": Tensor("I64", (2,), [NUMBERS]), "rows": Tensor("F16", (2, 2), [ROWS])}
    save_tensors(tmp_path / "b.safetensors", tensors, dict(reversed(METADATA.items())), overwrite=False)

    assert (tmp_path / "b.safetensors").read_bytes() == first


def test_the_safetensors_library_reads_our_file(tmp_path):
    """Other tools read the tensors and the metadata, which are JSON texts."""
    safetensors = pytest.importorskip("safetensors")
    path = save_example(tmp_path / "x.safetensors")

    with safetensors.safe_open(path, framework="np") as file:
        assert_array_equal(file.get_tensor("rows"), ROWS)
        assert json.loads(file.metadata()["config"]) == METADATA["config"]


def test_we_read_what_the_safetensors_library_writes(tmp_path):
    """A file that the library rewrote, digest included, is still ours: its order of tensors is the one we use."""
    save_file = pytest.importorskip("safetensors.numpy").save_file
    header, _ = split(save_example(tmp_path / "x.safetensors").read_bytes())
    save_file({"rows": ROWS, "numbers": NUMBERS}, tmp_path / "y.safetensors", metadata=header["__metadata__"])

    tensors, _ = load_tensors(tmp_path / "y.safetensors")

    assert_array_equal(tensors["rows"], ROWS)


def test_the_digest_is_that_of_the_data_and_the_header_without_it(tmp_path):
    """Anybody can check `sha256` with a dozen lines, as here."""
    header, data = split(save_example(tmp_path / "x.safetensors").read_bytes())
    given = header["__metadata__"].pop("sha256")
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)

    assert given == hashlib.sha256(data + len(text).to_bytes(8, "little") + text).hexdigest()


def test_an_existing_file_is_kept(tmp_path):
    """Without `overwrite` nothing is written over."""
    path = save_example(tmp_path / "x.safetensors")
    before = path.read_bytes()

    with pytest.raises(ConfigError, match="overwrite"):
        save_tensors(path, {"x": Tensor("I64", (2,), [NUMBERS])}, {}, overwrite=False)

    assert path.read_bytes() == before


def test_a_failing_save_leaves_the_old_file_and_nothing_else(tmp_path):
    """Where the data stop half-way, the old file stays and the temporary one goes."""
    path = save_example(tmp_path / "x.safetensors")
    before = path.read_bytes()

    def stop_half_way():
        yield NUMBERS
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_tensors(path, {"x": Tensor("I64", (4,), stop_half_way())}, {}, overwrite=True)

    assert [entry.name for entry in tmp_path.iterdir()] == ["x.safetensors"]
    assert path.read_bytes() == before
