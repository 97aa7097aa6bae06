"""Disks that are full, limited, read-only or no disks at all, and the order in which files reach them. Rows 3 to 5, 31.

A whole training on a tmpfs that fills up is in test_training_faults.py.
"""

import os
import re
import resource
import shutil
import stat
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest

from cli.running import FAST, the_error
from downloading import BODY, SHA256
from faults.limits import file_sizes, needs_linux
from http_server import File, running_server
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

pytestmark = needs_linux()

LONG = ("train", "text.txt", *FAST, "--epochs", "100000", "--learning-rate", "0.0001", "--overwrite")
VECTORS, SNAPSHOT = "w2v.safetensors", "w2v.safetensors.snapshot"
# Writes down on stderr what reaches the disk, and in which order.
RECORD = """
import os, stat, sys, threading
from pathlib import Path
sync, rename = os.fsync, Path.replace
def record_sync(descriptor):
    kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
    sync(descriptor)
    print(threading.get_ident(), "synced", kind, file=sys.stderr, flush=True)
def record_rename(path, target):
    result = rename(path, target)
    print(threading.get_ident(), "renamed to", Path(target).name, file=sys.stderr, flush=True)
    return result
os.fsync, Path.replace = record_sync, record_rename
"""


@pytest.mark.fault(3)
def test_what_is_renamed_is_on_disk_before_and_its_name_after(fork):
    """Snapshot and vectors: the file is synced, then renamed, then its folder is synced; nothing comes between."""
    done = fork.run("train", "text.txt", *FAST, "-q", first=RECORD)

    assert done.returncode == 0
    steps_of = defaultdict(list)  # a snapshot is written by a thread of its own
    for line in done.stderr.splitlines():
        thread, _, step = line.partition(" ")
        steps_of[thread].append(step)
    renamed = {step.removeprefix("renamed to ") for steps in steps_of.values() for step in steps[1::3]}
    assert renamed == {SNAPSHOT, VECTORS}
    for steps in steps_of.values():
        assert steps[::3] == ["synced file"] * (len(steps) // 3)
        assert steps[2::3] == ["synced folder"] * (len(steps) // 3)


@pytest.mark.fault(5)
@pytest.mark.parametrize("name", ["SIGTERM", None])
def test_a_limit_when_the_vectors_are_written_keeps_the_old_ones(fork, name):
    """EFBIG at the very end, of a training without snapshots: exit 6, old vectors whole, nothing half-written."""
    (fork.folder / VECTORS).write_bytes(b"old")
    more = () if name else ("--time-limit", "0.5s")
    with fork.started(*LONG, "--snapshot-every", "never", *more) as child:
        assert child.read_until("Epoch 2 of")
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (100, 100))
        if name:
            child.send_signal(15)
        _, told = child.communicate()

    [line] = [line for line in told.splitlines() if line.startswith("error: ")]
    assert child.returncode == 6
    assert line == f"error: cannot write {VECTORS}: File too large; free space or choose another place."
    assert fork.files() == {"text.txt": (fork.folder / "text.txt").read_bytes(), VECTORS: b"old"}


OUTPUTS = {
    "train": "train text.txt --dim 4 --epochs 1 --set training.backend=numpy --min-count 1 --output out",
    "phrases": "phrases text.txt --output out",
    "phrases list": "phrases text.txt --list out",
    "phrases packed": "phrases text.txt --output out.gz",
    "import": "import in.vec --output out",
    "export": "export in.safetensors out.vec.gz",
    "map": "map in.safetensors --output out",
}


@pytest.mark.fault(5)
@pytest.mark.parametrize("command", OUTPUTS.values(), ids=OUTPUTS)
def test_a_limit_names_the_file_that_was_to_be_written(fork, command):
    """EFBIG wherever it comes, be it in a nameless file on the way: exit 6 with the output's name, and nothing left."""
    words = [f"w{number}" for number in range(3000)]
    (fork.folder / "text.txt").write_text(" ".join(words * 5), encoding="utf-8")
    rows = np.random.default_rng(1).normal(size=(3000, 4)).astype(np.float32)
    keyed_vectors.save(fork.folder / "in.safetensors", KeyedVectors(rows, words), overwrite=False)
    assert fork.run("export", "in.safetensors", "in.vec").returncode == 0
    before = fork.files()

    message = the_error(fork.run(*command.split(), "-q", first=file_sizes(5000)), 6)

    assert re.match(r"cannot write out(\.gz|\.vec\.gz)?: File too large[;:]", message), message
    assert fork.files() == before


TABLE = """
import w2v_cli.datasets.registry as d
files = (d.DatasetFile("one.txt", {sha256!r}, ({url!r},)),)
d.read_table = lambda: {{"toy": d.Dataset("toy", "A toy", "corpus", "free as air", "one.txt", files)}}
import os; os.environ["W2V_DATA_DIR"] = "data"
"""


@pytest.mark.fault(5)
def test_a_limit_in_a_download_keeps_what_came(fork):
    """Exit 6 with the file and the cause; what came stays for the next try, which is whole."""
    with running_server() as server:
        server.script["/one.txt"] = [File(BODY)]
        table = TABLE.format(sha256=SHA256, url=server.url("/one.txt"))
        message = the_error(fork.run("download", "toy", "-q", first=table + file_sizes(100_000)), 6)
        installed = fork.folder / "data" / "toy" / "one.txt"

        assert "one.txt.part: File too large" in message
        assert not installed.exists()
        assert fork.run("download", "toy", "-q", first=table).returncode == 0
    assert installed.read_bytes() == BODY


@pytest.mark.fault(31)
@pytest.mark.parametrize("more", [[], ["--overwrite"], ["--dry-run"], ["--resume"]], ids=" ".join)
def test_a_pipe_or_a_device_is_not_replaced(fork, more):
    """As an output it is refused with exit 6 before the text is read: a new file would take its place."""
    os.mkfifo(fork.folder / "pipe")
    (fork.folder / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        message = the_error(fork.run("train", "no-such-text.txt", *FAST, "--output", name, *more), 6)

        assert message == f"cannot write {name}: it is a device or a pipe; name a file."
    assert stat.S_ISFIFO((fork.folder / "pipe").stat().st_mode)
    assert (fork.folder / "null").is_symlink()


ON_A_READ_ONLY_DISK = """
mount -t tmpfs -o size=64k none disk && cp text.txt disk && mount -o remount,ro disk || exit 99
for command in "train disk/text.txt --output disk/x" "train disk/text.txt --log disk/x" "train disk/text.txt -o y"; do
    "$PYTHON" -m w2v_cli $command --dim 4 --epochs 1 --set training.backend=numpy -q
    echo $? >&2
done
ls disk >&2
"""


@pytest.mark.fault(31)
def test_a_read_only_disk_is_found_before_training(fork):
    """A disk that is really mounted read-only: exit 6 for output and log; a text may lie on it."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare: this fault was NOT tried")
    (fork.folder / "disk").mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", ON_A_READ_ONLY_DISK],  # noqa: S607
        capture_output=True,
        check=False,
        cwd=fork.folder,
        encoding="utf-8",
        env=os.environ | {"PYTHON": sys.executable},
    )
    if done.returncode == 99 or done.stderr.startswith("unshare:"):
        pytest.skip(f"no tmpfs can be mounted here ({done.stderr!r}): this fault was NOT tried")

    refusal = "error: cannot write disk/x: Read-only file system; free space or choose another place."
    assert done.stderr.splitlines() == [refusal, "6", refusal, "6", "0", "text.txt"]
    assert (fork.folder / "y").exists()


@pytest.mark.fault(4, 41)
@pytest.mark.parametrize("question", ["info", "similar king", "analogy king man queen", "--help"])
def test_a_full_disk_behind_an_answer_is_told(fork, question):
    """/dev/full takes no answer of any command: exit 6."""
    assert fork.run("train", "text.txt", *FAST, "-q").returncode == 0
    before = fork.files()
    full = "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"

    message = the_error(fork.run(*question.split(), first=full), 6)

    assert message == "cannot write to stdout: No space left on device; redirect the output to another place."
    assert fork.files() == before
