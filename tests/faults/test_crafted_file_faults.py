"""Files that were made to do harm: pickles that run code, headers that claim the impossible. Rows 10 and 11.

Every one is refused with exit 4 (2 or 3 where the file is offered as something else); that nothing ran is seen by the
folder that the trap would have made, that nothing grew by a limit of addresses close above what the process has.
"""

import json
import os
import pickle
import struct

import numpy as np
import pytest

from cli.running import FAST, the_error
from faults.limits import addresses, needs_linux

pytestmark = needs_linux()

LITTLE = addresses(120_000_000)
SNAPSHOT = "w2v.safetensors.snapshot"


class Trap:
    """What would make a folder if it were unpickled."""

    def __reduce__(self):
        """Return the call that gives it away."""
        return os.mkdir, ("trapped",)


WORDS = {"word_to_id": {"a": 0, "b": 1}, "id_to_word": {0: "a", 1: "b"}}
PICKLES = {
    "the trap": pickle.dumps(Trap()),
    "an old protocol": pickle.dumps(Trap(), protocol=0),
    "the trap as the vectors": pickle.dumps({"word_vecs": Trap(), **WORDS}),
    "the trap as a word": pickle.dumps({"word_vecs": np.eye(2, dtype="f2"), **WORDS, "id_to_word": {0: Trap()}}),
    "the trap as a key": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}cos\nmkdir\n\x8c\x07trapped\x85RNs.",
    "an extension": b"\x80\x04\x82\x01.",
    "a persistent object": b"\x80\x04\x8c\x01xQ.",
}


def is_untouched(fork, before):
    """Return whether the folder holds what it did, no folder among it."""
    return fork.files() == before and all(path.is_file() for path in fork.folder.iterdir())


def test_the_trap_is_one(tmp_path, monkeypatch):
    """The tests below need pickles that really do something where pickle reads them."""
    monkeypatch.chdir(tmp_path)

    pickle.loads(PICKLES["the trap"])  # noqa: S301  our own

    assert (tmp_path / "trapped").is_dir()


@pytest.mark.fault(10)
@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES)
def test_a_pickle_never_runs(fork, content):
    """Whatever the file's name, and wherever in the book's layout the trap is: exit 4, one line, nothing ran."""
    for name in ("model.pkl", "model.safetensors"):
        (fork.folder / name).write_bytes(content)
        before = fork.files()

        assert the_error(fork.run("info", name), 4).startswith(name)
        assert is_untouched(fork, before)


OFFERED = {
    "as vectors to ask": (4, ("similar", "a", "-v", "x.pkl")),
    "as vectors to begin with": (4, ("train", "text.txt", *FAST, "--init-from", "x.pkl")),
    "as the corpus": (3, ("train", "x.pkl", *FAST)),
    "as an evaluation set": (3, ("train", "text.txt", *FAST, "--evaluate", "x.pkl")),
    "as the config": (2, ("train", "text.txt", "--config", "x.pkl")),
    "as a download": (5, ("download", "wordsim353", "--from", "x.pkl")),
}


@pytest.mark.fault(10)
@pytest.mark.parametrize(("exit_code", "arguments"), OFFERED.values(), ids=OFFERED)
def test_a_pickle_runs_nowhere(fork, exit_code, arguments):
    """Whatever it is offered as, it is refused, and nothing ran."""
    (fork.folder / "x.pkl").write_bytes(PICKLES["the trap"])
    before = fork.files()

    the_error(fork.run(*arguments), exit_code)

    assert is_untouched(fork, before)


def entry(shape, offsets, dtype="F32"):
    """Return what a header says of a tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def crafted(entries, data=b"\0" * 64, *, length=None, metadata='{"format_version":"1"}'):
    """Return a safetensors file with these entries; length: what its first bytes claim of the header."""
    inner = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in entries.items())
    header = f'{{"__metadata__":{metadata}{inner}}}'.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


MATRIX = {"vectors": entry([4, 4], [0, 64])}
DEEP = "[" * 200_000
CRAFTED = {
    "a header of 2**63 bytes": crafted(MATRIX, length=1 << 63),
    "a header of 2**64 - 1 bytes": crafted(MATRIX, length=(1 << 64) - 1),
    "a header up to the end": crafted(MATRIX, length=len(crafted(MATRIX)) - 8),
    "a header without end": crafted(MATRIX, length=1 << 40),
    "a shape of 2**60 rows": crafted({"vectors": entry([1 << 60, 4], [0, 64])}),
    "a shape whose bytes overflow": crafted({"vectors": entry([1 << 32, 1 << 32], [0, 64])}),
    "a shape of no rows": crafted({"vectors": entry([0, 1 << 62], [0, 64])}),
    "a negative shape": crafted({"vectors": entry([-4, -4], [0, 64])}),
    "a shape of floats": crafted({"vectors": entry([4.0, 4.0], [0, 64])}),
    "a shape of thousands of axes": crafted({"vectors": entry([1] * 5000, [0, 64])}),
    "tensors that overlap": crafted({"vectors": entry([4, 4], [0, 64]), "counts": entry([8], [0, 64], "I64")}),
    "tensors that overlap in part": crafted({"a": entry([8], [0, 32]), "b": entry([8], [16, 48])}),
    "a hole between tensors": crafted({"a": entry([4], [0, 16]), "b": entry([4], [48, 64])}),
    "offsets beyond the end": crafted({"vectors": entry([4, 4], [1 << 40, (1 << 40) + 64])}),
    "offsets before the beginning": crafted({"vectors": entry([4, 4], [-64, 0])}),
    "offsets turned round": crafted({"vectors": entry([4, 4], [64, 0])}),
    "a type without meaning": crafted({"vectors": entry([4, 4], [0, 64], "F" * 50_000)}),
    "a name without end": crafted({"v" * 100_000: entry([4, 4], [1, 65])}),
    "twenty thousand tensors": crafted({str(number): entry([4], [0, 16]) for number in range(20_000)}),
    "endless lists": crafted({}, metadata=DEEP),
    "endless lists within": crafted({}, metadata=json.dumps({"format_version": "1", "config": DEEP})),
    "no text as metadata": crafted(MATRIX, metadata='{"format_version":["1"]}'),
}


@pytest.mark.fault(11)
@pytest.mark.parametrize("content", CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_header_takes_no_memory(fork, content):
    """Under a limit of addresses 120 MB above what the process has: exit 4, one short line, as vectors and snapshot."""
    for name in ("x.safetensors", SNAPSHOT):
        (fork.folder / name).write_bytes(content)
    before = fork.files()

    asked = the_error(fork.run("info", "x.safetensors", first=LITTLE), 4)
    resumed = the_error(fork.run("train", "text.txt", "--resume", first=LITTLE), 4)

    assert asked.startswith("x.safetensors ")
    assert resumed.startswith(f"--resume: {SNAPSHOT} ")
    assert len(asked) < 1000
    assert fork.files() == before


PROMISES = {
    "bytes": b"\x80\x04B" + struct.pack("<I", (1 << 32) - 1) + b"x.",
    "eight times as many bytes": b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b"x.",
    "text": b"\x80\x04X" + struct.pack("<I", (1 << 32) - 1) + b"x.",
    "a frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.",
    "a memo": b"\x80\x04Nr" + struct.pack("<I", (1 << 31) - 1) + b".",
    "a number": b"\x80\x04\x8b" + struct.pack("<I", (1 << 31) - 1) + b"1.",
    "nested tuples": b"\x80\x04" + b"(" * 1_000_000 + b"t" * 1_000_000 + b".",
}


@pytest.mark.fault(10, 11)
@pytest.mark.parametrize("content", PROMISES.values(), ids=PROMISES)
def test_a_pickle_that_promises_much_takes_no_memory(fork, content):
    """Lengths and numbers that would have pickle take gigabytes, or a stack without end, are refused before."""
    (fork.folder / "x.pkl").write_bytes(content)
    before = fork.files()

    message = the_error(fork.run("similar", "a", "-v", "x.pkl", first=LITTLE), 4)

    assert message.startswith("x.pkl ")
    assert fork.files() == before


@pytest.mark.fault(10)
def test_an_honest_pickle_of_the_book_is_read(fork):
    """What is refused above is not refused for being a pickle."""
    honest = {"word_vecs": np.eye(2, dtype="f2"), **WORDS}
    (fork.folder / "x.pkl").write_bytes(pickle.dumps(honest))

    done = fork.run("similar", "a", "-v", "x.pkl", first=LITTLE)

    assert (done.returncode, done.stdout) == (0, "b\t0.0000\n"), done.stderr
