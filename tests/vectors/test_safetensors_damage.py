"""The container of vectors: nothing damaged, crafted or unreadable gets in."""

import hashlib
import json
import os
import tracemalloc

import numpy as np
import pytest

from w2v_cli.errors import StorageError, VectorsError
from w2v_cli.vectors.safetensors import MAX_HEADER_BYTES, Tensor, load_tensors, save_tensors

NUMBERS = np.array([3, -1], np.int64)
ROWS = np.array([[0.5, -2.0], [1.5, 65504.0]], np.float16)
GOOD_METADATA = {"format_version": "1"}
GOOD_ENTRY = {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]}


def save_example(path):
    """Write a valid file of 24 bytes of data."""
    tensors = {"numbers": Tensor("I64", (2,), [NUMBERS]), "rows": Tensor("F16", (2, 2), [ROWS])}
    save_tensors(path, tensors, {"seed": 7, "config": {"model": {"model": "cbow"}}}, overwrite=True)
    return path


def craft(path, header, data=b"\0" * 16):
    """Write a file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_every_flipped_bit_is_refused(tmp_path):
    """No single bit of the file, header or data, can change unnoticed."""
    path = save_example(tmp_path / "x.safetensors")
    content = path.read_bytes()
    accepted = []
    for position in range(8 * len(content)):
        altered = bytearray(content)
        altered[position // 8] ^= 1 << position % 8
        path.write_bytes(altered)
        try:
            load_tensors(path)
        except VectorsError:
            continue
        accepted.append(position)

    assert accepted == []


def test_every_truncation_is_refused(tmp_path):
    """A file cut anywhere is refused, and named."""
    path = save_example(tmp_path / "x.safetensors")
    content = path.read_bytes()

    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(VectorsError, match=r"x\.safetensors is damaged"):
            load_tensors(path)


def test_trailing_bytes_are_refused(tmp_path):
    """One byte too many is one too many."""
    path = save_example(tmp_path / "x.safetensors")
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(VectorsError, match="holds 25 bytes of data, its header describes 24"):
        load_tensors(path)


WRONG_ENTRIES = [
    *(None, [], {}),
    *(GOOD_ENTRY | {"dtype": dtype} for dtype in (None, "BF16", ["I64"])),
    *(GOOD_ENTRY | {"shape": shape} for shape in (2, [], [0], [-2], [2.0], [True, 2], ["2"], [1, 1, 2], [16, 16])),
    *(GOOD_ENTRY | {"shape": shape} for shape in ([10**12, 10**12], [10**4000])),
    *(
        GOOD_ENTRY | {"data_offsets": offsets}
        for offsets in ([8, 24], [0, 10**18], [16, 0], [0], None, [0.0, 16.0], [False, 16])
    ),
    *({"dtype": "I64", "shape": [size], "data_offsets": [0, 8 * size]} for size in (0, -2)),
    GOOD_ENTRY | {"surplus": 1},
]
CRAFTED = {
    "no JSON": (b"{nonsense", "its header is not JSON"),
    "not UTF-8": (b'{"\xff": 1}', "its header is not JSON"),
    "nested beyond any stack": (b"[" * 200_000, "its header is not JSON"),
    "a number of 5,000 digits": (b'{"x": ' + b"9" * 5000 + b"}", "its header is not JSON"),
    "a list": ([], "not a JSON object"),
    "no metadata": ({"x": GOOD_ENTRY}, "no metadata"),
    "metadata that are no texts": ({"__metadata__": {"format_version": 1}, "x": GOOD_ENTRY}, "no metadata"),
    "another program's file": ({"__metadata__": {"format": "pt"}, "x": GOOD_ENTRY}, "of another program"),
    "no digest": ({"__metadata__": GOOD_METADATA, "x": GOOD_ENTRY}, "its SHA-256 is"),
    "no tensors": ({"__metadata__": GOOD_METADATA}, "its header describes 0"),
    **{
        f"entry {entry}"[:80]: ({"__metadata__": GOOD_METADATA, "x": entry}, "tensor 'x' is") for entry in WRONG_ENTRIES
    },
    "overlapping tensors": ({"__metadata__": GOOD_METADATA, "x": GOOD_ENTRY, "y": GOOD_ENTRY}, "tensor 'y' is"),
    "a gap": (
        {
            "__metadata__": GOOD_METADATA,
            "x": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]},
            "y": {"dtype": "U8", "shape": [4], "data_offsets": [12, 16]},
        },
        "tensor 'y' is",
    ),
    "a name of a million letters": ({"__metadata__": GOOD_METADATA, "x\n" * 500_000: None}, "tensor 'x"),
}


@pytest.mark.parametrize(("header", "cause"), CRAFTED.values(), ids=CRAFTED.keys())
def test_a_crafted_header_is_refused_in_one_short_line(tmp_path, header, cause):
    """Whatever a header says, the answer is one line of readable length that names the file and what is wrong."""
    path = craft(tmp_path / "x.safetensors", header)

    with pytest.raises(VectorsError, match=cause) as refusal:
        load_tensors(path)

    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500 + len(str(path))


@pytest.mark.parametrize(
    "content",
    [
        (2**63).to_bytes(8, "little") + b"{}",
        (MAX_HEADER_BYTES + 1).to_bytes(8, "little") + b"{" + b" " * (MAX_HEADER_BYTES + 8),
    ],
    ids=["beyond the file", "beyond the limit"],
)
def test_a_huge_header_is_refused_before_it_is_read(tmp_path, content):
    """A header's length is believed neither beyond the file nor beyond a few MB, and no memory is taken for it."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    tracemalloc.start()

    with pytest.raises(VectorsError, match="its header claims"):
        load_tensors(path)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_a_newer_format_version_is_refused_with_both_versions_named(tmp_path):
    """A file of the future is told from a damaged one."""
    path = craft(tmp_path / "x.safetensors", {"__metadata__": {"format_version": "2"}, "anything": {}})

    with pytest.raises(VectorsError, match=r"format version '2', this w2v reads '1'; upgrade w2v-cli"):
        load_tensors(path)


def test_metadata_that_are_no_json_are_refused(tmp_path):
    """A valid digest does not make metadata readable."""
    header = {"__metadata__": {"format_version": "1", "seed": "seven"}, "x": GOOD_ENTRY}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = b"\0" * 16
    digest = hashlib.sha256(data + len(text).to_bytes(8, "little") + text).hexdigest()
    header["__metadata__"]["sha256"] = digest

    with pytest.raises(VectorsError, match="its metadata is not JSON"):
        load_tensors(craft(tmp_path / "x.safetensors", header, data))


def test_a_missing_file_is_refused_with_what_to_do(tmp_path):
    """The message says who writes such a file and how to name another."""
    with pytest.raises(VectorsError, match=r"none\.safetensors not found; check the path, or train one"):
        load_tensors(tmp_path / "none.safetensors")


def test_a_folder_is_refused(tmp_path):
    """A folder is called one."""
    with pytest.raises(VectorsError, match="folder"):
        load_tensors(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    """A named pipe is refused at once, not opened."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(VectorsError, match="device"):
        load_tensors(tmp_path / "pipe")


def test_an_empty_file_is_refused(tmp_path):
    """An empty file is called empty."""
    (tmp_path / "x.safetensors").touch()

    with pytest.raises(VectorsError, match="it is empty"):
        load_tensors(tmp_path / "x.safetensors")


def test_an_unreadable_file_is_a_storage_error(tmp_path, monkeypatch):
    """What the system refuses to read is reported as such, with the system's reason."""
    path = save_example(tmp_path / "x.safetensors")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)

    with pytest.raises(StorageError, match=r"cannot read .*Permission denied"):
        load_tensors(path)
