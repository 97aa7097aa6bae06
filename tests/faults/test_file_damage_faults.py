"""Vectors and snapshots with a flipped bit or a cut in every region of the file, and those that contradict themselves.

Rows 6 to 9. Each command that reads such a file refuses it with exit 4 and one line, and leaves everything as it was.
"""

import json
import sys

import numpy as np
import pytest

from cli.running import the_error
from w2v_cli.training import snapshot
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.safetensors import Tensor, load_tensors, save_tensors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these tests fork as on Linux: NOT tried")

TRAIN = ("train", "text.txt", "--dim", "4", "--set", "training.backend=numpy", "--time-limit", "0.001s", "-q")
RESUME = ("train", "text.txt", "--resume", "-q")
SNAPSHOT = "w2v.safetensors.snapshot"
READERS = {
    "info": ("info", "bad"),
    "similar": ("similar", "a", "--vectors", "bad"),
    "analogy": ("analogy", "a", "b", "c", "--vectors", "bad"),
    "init-from": ("train", "text.txt", "--init-from", "bad", "-o", "new"),
}


def regions(content):
    """Return where each part of a file begins and ends: length, header, its hash, the padding, each tensor."""
    data = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:data])
    digest = content.index(header.pop("__metadata__")["sha256"].encode())
    found = {"length": (0, 8), "header": (8, data), "hash": (digest, digest + 64)}
    found["padding"] = (len(content[:data].rstrip(b" ")), data)
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        found[name] = (data + first, data + last)
    return found


def damages(content):
    """Yield (what, damaged content): bits flipped at the ends and in the middle of each region, and cuts there."""
    for name, (first, last) in regions(content).items():
        assert first < last, f"{name} is empty: nothing of it would be tried"
        for place, bit in ((first, 1), ((first + last) // 2, 64), (last - 1, 4)):
            yield f"{name}: bit {bit} of {place}", flip(content, place, bit)
        yield f"{name}: cut", content[: (first + last) // 2]
    yield "longer", content + b"\0"


def flip(content, place, bit):
    """Return the content with a bit of the byte at a place turned round."""
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


@pytest.fixture
def padded(fork):
    """Return the bytes of vectors whose header ends in some spaces."""
    path = fork.folder / "good"
    for length in range(8):
        keyed_vectors.save(path, KeyedVectors(np.eye(5), "abcde", None, {"remark": "x" * length}), overwrite=True)
        first, last = regions(path.read_bytes())["padding"]
        if last - first == 7:
            return path.read_bytes()
    raise AssertionError("no length of the remark leaves seven spaces")


@pytest.mark.fault(6, 7)
def test_vectors_damaged_anywhere_are_refused(fork, padded):
    """A flipped bit or a cut in any region ends in exit 4, names the file, and changes nothing."""
    before = fork.files()
    for what, damaged in damages(padded):
        (fork.folder / "bad").write_bytes(damaged)

        message = the_error(fork.run("info", "bad"), 4)

        assert message.startswith("bad "), what
        assert fork.files() == before | {"bad": damaged}, what


@pytest.mark.fault(6, 7)
@pytest.mark.parametrize("arguments", READERS.values(), ids=READERS)
def test_every_reader_of_vectors_refuses_damaged_ones(fork, padded, arguments):
    """Questions as well as --init-from, for which nothing is trained."""
    first, last = regions(padded)["vectors"]
    for damaged in (flip(padded, (first + last) // 2, 1), padded[:-1], b"", padded[:5]):
        (fork.folder / "bad").write_bytes(damaged)
        before = fork.files()

        assert the_error(fork.run(*arguments), 4).startswith("bad ")
        assert fork.files() == before


@pytest.fixture
def stopped(fork):
    """Return a Fork in whose folder a training has left its snapshot, and vectors."""
    done = fork.run(*TRAIN)
    assert (done.returncode, done.stderr) == (0, "")
    return fork


@pytest.mark.fault(6, 7)
def test_a_snapshot_damaged_anywhere_is_refused(stopped):
    """The same for --resume: the vectors beside it, and the snapshot itself, stay for whoever can mend it."""
    path = stopped.folder / SNAPSHOT
    arrays, metadata = load_tensors(path)
    save_tensors(path, tensors_of(arrays), pad(metadata, path), overwrite=True)
    before = stopped.files()
    for what, damaged in damages(path.read_bytes()):
        path.write_bytes(damaged)

        message = the_error(stopped.run(*RESUME), 4)

        assert message.startswith(f"--resume: {SNAPSHOT} "), what
        assert stopped.files() == before | {SNAPSHOT: damaged}, what


def tensors_of(arrays):
    """Return arrays as they are given to save_tensors."""
    names = {"<i8": "I64", "<f4": "F32", "|u1": "U8"}
    return {name: Tensor(names[array.dtype.str], array.shape, [np.array(array)]) for name, array in arrays.items()}


def pad(metadata, path):
    """Return the metadata so much longer that the header ends in seven spaces."""
    del metadata["format_version"]
    first, last = regions(path.read_bytes() + b"\0")["padding"]
    return metadata | {"remark": "x" * ((last - first - 7 - len(',"remark":"\\"\\""')) % 8)}


CONTRADICTIONS = {
    "NaN": lambda arrays: arrays["input_vectors"].__setitem__((0, 0), np.nan),
    "infinity": lambda arrays: arrays["output_vectors"].__setitem__((-1, -1), np.inf),
    "fewer rows": lambda arrays: arrays.update(input_vectors=arrays["input_vectors"][:-1]),
    "fewer columns": lambda arrays: arrays.update(output_vectors=arrays["output_vectors"][:, :-1]),
    "no matrix": lambda arrays: arrays.pop("output_vectors"),
    "one more": lambda arrays: arrays.update(more=np.ones(3, np.float32)),
    "no loop": lambda arrays: arrays.update(loop=np.frombuffer(b"{}", np.uint8)),
}


@pytest.mark.fault(9)
@pytest.mark.parametrize("contradict", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_snapshot_that_contradicts_itself_is_refused(stopped, contradict):
    """NaN, infinity, sizes that are not those of the corpus: exit 4, behind a right checksum; nothing is written."""
    path = stopped.folder / SNAPSHOT
    arrays, metadata = load_tensors(path)
    arrays = {name: np.array(array) for name, array in arrays.items()}
    contradict(arrays)
    del metadata["format_version"]
    save_tensors(path, tensors_of(arrays), metadata, overwrite=True)
    before = stopped.files()

    assert f"{SNAPSHOT} is damaged" in the_error(stopped.run(*RESUME), 4)
    assert stopped.files() == before


@pytest.mark.fault(8)
def test_a_newer_snapshot_is_refused(stopped):
    """A later version of the snapshot's layout is named, beside the one that is read."""
    path = stopped.folder / SNAPSHOT
    arrays, metadata = load_tensors(path)
    del metadata["format_version"]
    newer = metadata | {"snapshot_version": snapshot.SNAPSHOT_VERSION + 1}
    save_tensors(path, tensors_of(arrays), newer, overwrite=True)
    before = stopped.files()

    message = the_error(stopped.run(*RESUME), 4)

    assert f"has snapshot version {snapshot.SNAPSHOT_VERSION + 1}, this w2v reads" in message
    assert stopped.files() == before
