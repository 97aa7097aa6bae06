"""Trainings that are killed, stopped, starved of disk or started twice, and snapshots that came to harm.

Rows 1, 2, 4 to 8, 10 to 12, 37, 38, 44 and 49 of the fault list; row 3 is in test_storage.py, 9 in test_snapshot.py.
"""

import json
import os
import pickle
import resource
import signal
import sys
import time

import numpy as np
import pytest

from cli.running import the_error
from w2v_cli.system.locks import lock_path
from w2v_cli.training import snapshot
from w2v_cli.vectors import keyed_vectors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills, limits and forks are those of Linux: NOT tried")

EPOCHS = 25
# A training of some hundred milliseconds, of the reference engine: the same bytes each time, and a snapshot whenever
# the last one is written.
TRAIN = (
    *("train", "text.txt", "--dim", "4", "--epochs", str(EPOCHS), "--set", "training.backend=numpy"),
    *("--deterministic", "--snapshot-every", "1w", "--learning-rate", "0.001"),
)
RESUME = ("train", "text.txt", "--resume", "-q")
VECTORS, SNAPSHOT = "w2v.safetensors", "w2v.safetensors.snapshot"


@pytest.fixture(scope="module")
def uninterrupted():
    """Return a dict that keeps the bytes of a training that nothing happened to."""
    return {}


@pytest.fixture
def expected(fork, uninterrupted):
    """Return the bytes of the vectors that TRAIN makes."""
    if not uninterrupted:
        assert fork.run(*TRAIN, "-q", "-o", "whole", "--discard-snapshot").returncode == 0
        uninterrupted["bytes"] = (fork.folder / "whole").read_bytes()
        (fork.folder / "whole").unlink()
    return uninterrupted["bytes"]


def resumed(fork):
    """Resume and return the bytes of the vectors; nothing else may be left over."""
    done = fork.run(*RESUME)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fork.files()) == ["text.txt", VECTORS, SNAPSHOT]
    return (fork.folder / VECTORS).read_bytes()


def wait_for(path):
    """Return when there is a file."""
    while not path.exists():
        os.sched_yield()


@pytest.mark.fault(1)
@pytest.mark.parametrize("epoch", [1, 5, 11])
def test_a_training_killed_anywhere_goes_on(fork, expected, epoch):
    """Row 1: after kill -9 the last snapshot loads, and --resume ends in the bytes of the uninterrupted training."""
    with fork.started(*TRAIN) as child:
        assert child.read_until(f"Epoch {epoch} of")
        wait_for(fork.folder / SNAPSHOT)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL

    snapshot.load_snapshot(fork.folder / SNAPSHOT)
    assert not (fork.folder / VECTORS).exists()
    assert resumed(fork) == expected


# Kills the process at the n-th call of something that writing a snapshot calls.
KILL_AT_CALL = """
import hashlib, os, signal
from pathlib import Path
import w2v_cli.system.files, w2v_cli.vectors.safetensors
calls = 0
def killing(real):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == {number}:
            {before}os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if calls == {number}:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
{what} = killing({what})
"""
INSTANTS = {
    "before a block is hashed": ("w2v_cli.vectors.safetensors.np.ascontiguousarray", 14, True),
    "before fsync": ("os.fsync", 5, True),
    "before the rename": ("Path.replace", 3, True),
    "after the rename": ("Path.replace", 3, False),
    "before the folder's fsync": ("w2v_cli.system.files.sync_folder", 3, True),
}


@pytest.mark.fault(2)
@pytest.mark.parametrize(("what", "number", "is_before"), INSTANTS.values(), ids=INSTANTS.keys())
def test_a_snapshot_killed_in_the_writing_is_the_old_one_or_the_new_one(fork, expected, what, number, is_before):
    """Row 2: at no instant of its writing is there no good snapshot; what is left over goes with the next start."""
    first = KILL_AT_CALL.format(what=what, number=number, before="" if is_before else "pass; 0 and ")

    assert fork.run(*TRAIN, first=first).returncode == -signal.SIGKILL

    snapshot.load_snapshot(fork.folder / SNAPSHOT)
    assert resumed(fork) == expected


def limit_files(child, size):
    """Let no file of the child grow beyond `size` bytes from now on."""
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.fault(5)
def test_a_limit_in_the_middle_of_a_training_keeps_the_old_snapshot(fork, expected):
    """Row 5: EFBIG ends the training with exit 6 and what to do; nothing is lost, the failed file goes."""
    with fork.started(*TRAIN, "-q") as child:
        wait_for(fork.folder / SNAPSHOT)
        limit_files(child, 1000)
        _, told = child.communicate()

    assert child.returncode == 6
    assert told.startswith(f"error: cannot write {SNAPSHOT}: File too large; free space or choose another place. ")
    assert f"{SNAPSHOT} is kept, from epoch " in told
    assert told.endswith("--resume continues from it.\n")
    assert sorted(fork.files()) == ["text.txt", SNAPSHOT]
    assert resumed(fork) == expected


@pytest.mark.fault(5)
def test_a_limit_is_found_before_training(fork):
    """Row 5: where the files of a training cannot be, it does not begin."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))"
    done = fork.run(*TRAIN, "--dim", "400", first=limit)

    assert "File too large: " in the_error(done, 6)
    assert "epoch" not in done.stderr
    assert sorted(fork.files()) == ["text.txt"]


# In a mount namespace of its own, a training on a small disk that fills up and is cleared again.
ON_A_SMALL_DISK = """
import os, sys
from pathlib import Path
import w2v_cli.cli, w2v_cli.cli.app, w2v_cli.cli.training_display, w2v_cli.config.resolve, w2v_cli.pipeline.train
disk = Path(os.environ["DISK"])
class Start:
    def __init__(self, *arguments):
        told, err = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(err, 2)
            sys.stderr, sys.argv = open(2, "w"), ["w2v", *arguments, "-q", "-o", str(disk / "x")]
            w2v_cli.cli.main()
        os.close(err)
        self.told = open(told)
    def end(self):
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        print(repr(self.told.read()), code, sorted(os.listdir(disk)), flush=True)
def fill(name):
    with (disk / name).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
fill("filler")
Start(*sys.argv[1:]).end()
(disk / "filler").unlink()
training = Start(*sys.argv[1:])
while not (disk / "x.snapshot").exists():
    os.sched_yield()
fill("filler")
training.end()
(disk / "filler").unlink()
Start("train", "--resume").end()
sys.stdout.buffer.write((disk / "x").read_bytes())
"""


@pytest.mark.fault(4)
def test_a_full_disk_keeps_the_old_snapshot(expected, run_on_tmpfs):
    """Row 4: ENOSPC is found before training; in the middle it ends it with exit 6 and leaves the last snapshot."""
    lines, content = run_on_tmpfs(ON_A_SMALL_DISK, *TRAIN)

    assert ": No space left on device" in lines[0]
    assert lines[0].endswith(" 6 ['filler']")
    assert "x.snapshot: No space left on device; " in lines[1]
    assert lines[1].endswith(" 6 ['filler', 'x.snapshot']")
    assert lines[2] == "'' 0 ['x', 'x.snapshot']"
    assert content == expected


@pytest.fixture
def run_on_tmpfs(fork, _parent):
    """Return a function that runs Python code where DISK is a tmpfs of 200 KiB; skip where none can be mounted."""
    import shutil  # noqa: PLC0415  one fixture needs it
    import subprocess  # noqa: PLC0415

    def run(code, *arguments):
        if shutil.which("unshare") is None:
            pytest.skip("no unshare: this fault was NOT tried")
        (fork.folder / "disk").mkdir()
        script = 'mount -t tmpfs -o size=200k none "$DISK" || exit 99; exec "$PYTHON" -c "$CODE" "$@"'
        variables = {"DISK": str(fork.folder / "disk"), "PYTHON": sys.executable, "CODE": code}
        done = subprocess.run(
            ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", *arguments],  # noqa: S607
            capture_output=True,
            check=False,
            cwd=fork.folder,
            env=os.environ | variables,
        )
        if done.returncode == 99 or done.stderr.startswith(b"unshare:"):
            pytest.skip(f"no tmpfs can be mounted here ({done.stderr!r}): this fault was NOT tried")
        *lines, content = done.stdout.split(b"\n", 3)
        return [line.decode() for line in lines], content

    return run


@pytest.fixture
def stopped(fork):
    """Return a Fork in whose folder a training was stopped at the end of its first epoch."""
    done = fork.run(*TRAIN, "--time-limit", "0.001s", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fork.files()) == ["text.txt", VECTORS, SNAPSHOT]
    return fork


def test_a_time_limit_ends_well(stopped, expected):
    """The vectors are valid and say how far they are; going on ends in the same bytes."""
    found = keyed_vectors.load(stopped.folder / VECTORS)

    assert found.metadata["stopped_early"]["epochs"] == EPOCHS
    assert resumed(stopped) == expected


def regions(content):
    """Return where a snapshot's length, header and each tensor begin and end."""
    header = 8 + int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8:header])
    del tensors["__metadata__"]
    offsets = {name: entry["data_offsets"] for name, entry in tensors.items()}
    return [(0, 8), (8, header), *((header + first, header + last) for first, last in offsets.values())]


@pytest.mark.fault(6, 7)
def test_a_damaged_snapshot_is_refused(stopped):
    """Rows 6 and 7: a flipped bit in the length, the header or any tensor, and a cut in any of them, end in exit 4."""
    path = stopped.folder / SNAPSHOT
    content = path.read_bytes()
    for first, last in regions(content):
        middle = (first + last) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
        for damaged in (flipped, content[:middle]):
            path.write_bytes(damaged)
            message = the_error(stopped.run(*RESUME), 4)
            assert message.startswith(f"--resume: {SNAPSHOT} is damaged or not a file of w2v: ")
            assert path.read_bytes() == damaged


class Trap:
    """What would make a folder if it were unpickled."""

    def __reduce__(self):
        """Return the call that gives it away."""
        return os.mkdir, ("trapped",)


HUGE = b'{"__metadata__":{"format_version":"1"},"x":{"dtype":"F32","shape":[99999999,99999999],"data_offsets":[0,4]}}'
FOREIGN = {
    "a pickle": pickle.dumps(Trap()),
    "a huge header": (2**62).to_bytes(8, "little") + b"{}",
    "a huge shape": len(HUGE).to_bytes(8, "little") + HUGE + b"\0" * 4,
    "a newer version": b'\x30\0\0\0\0\0\0\0{"__metadata__":{"format_version":"2"}}         ' + b"\0" * 4,
}


@pytest.mark.fault(8, 10, 11)
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_crafted_snapshot_is_refused(fork, content):
    """Rows 8, 10 and 11: nothing is unpickled, nothing is allocated, a newer version is named."""
    (fork.folder / SNAPSHOT).write_bytes(content)

    message = the_error(fork.run(*RESUME), 4)

    assert message.startswith(f"--resume: {SNAPSHOT} ")
    assert sorted(path.name for path in fork.folder.iterdir()) == ["text.txt", SNAPSHOT]


@pytest.mark.fault(12)
def test_another_corpus_or_config_is_refused(stopped):
    """Row 12: each difference on a line of its own, old and new, exit 2; the files stay as they were."""
    (stopped.folder / "other.txt").write_text("the sea and the king and the sea\n" * 40, encoding="utf-8")
    before = stopped.files()

    config = stopped.run(*RESUME, "--dim", "5", "--window", "3", "--epochs", "3")
    corpus = stopped.run("train", "other.txt", "--resume", "-q")

    assert (config.returncode, corpus.returncode) == (2, 2)
    assert config.stderr.splitlines()[1:4] == [
        "error: model.dim: 4 → 5",
        "error: model.window: 5 → 3",
        f"error: training.epochs, which may only grow: {EPOCHS} → 3",
    ]
    assert "error: corpus: text.txt, 810 words, SHA-256 " in corpus.stderr
    assert stopped.files() == before


def test_resume_without_a_snapshot_says_what_to_do(fork):
    """Exit 2; so does asking to go on and to begin anew at once."""
    assert f"no snapshot {SNAPSHOT}" in the_error(fork.run(*RESUME), 2)
    assert "use only one of them" in the_error(fork.run(*RESUME, "--overwrite"), 2)


@pytest.mark.fault(37)
def test_two_trainings_of_one_output(fork):
    """Row 37: the second stops (exit 8), names the first and reads no text; a killed one is in nobody's way."""
    with fork.started(*TRAIN, "--epochs", "100000") as first:
        assert first.read_until("Epoch 1 of")
        message = the_error(fork.run("train", "no-such-text.txt", "--overwrite"), 8)
        wait_for(fork.folder / SNAPSHOT)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert lock_path(fork.folder / VECTORS).exists()
    assert f"{VECTORS} is being written by process {first.pid} on " in message

    assert fork.run(*RESUME, "--time-limit", "0.001s").returncode == 0


@pytest.mark.fault(38)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_before_it_ends(fork, expected, name):
    """Row 38: exit 128 + n, one line with the command to go on with; vectors and snapshot are whole; they lead on."""
    with fork.started(*TRAIN) as child:
        assert child.read_until("Epoch 3 of")
        child.send_signal(getattr(signal, name))
        _, told = child.communicate()

    [line] = [line for line in told.splitlines() if line.startswith("error: ")]
    found = keyed_vectors.load(fork.folder / VECTORS).metadata["stopped_early"]
    assert child.returncode == 128 + getattr(signal, name)
    assert line.startswith(f"error: stopped by {name}. {VECTORS} holds the vectors after ")
    assert line.endswith("To continue: `w2v train text.txt --resume`")
    assert 3 <= found["whole_epochs"] < EPOCHS
    assert resumed(fork) == expected


_NOT_THE_SAME_SECONDS = 0.5  # between two signals that are two wishes
SLOW_SAVE = """
import sys, threading
import w2v_cli.vectors.keyed_vectors
def save(*_args, **_options):
    sys.stderr.write("saving\\n")
    sys.stderr.flush()
    threading.Event().wait()
w2v_cli.vectors.keyed_vectors.save = save
"""


@pytest.mark.fault(38)
def test_two_signals_at_once_are_one(fork):
    """Row 38: `timeout` sends one to the process and one to its group; vectors and snapshot are saved."""
    with fork.started(*TRAIN) as child:
        assert child.read_until("Epoch 2 of")
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGTERM)
        child.communicate()

    assert child.returncode == 143
    assert keyed_vectors.load(fork.folder / VECTORS).metadata["stopped_early"]["epochs"] == EPOCHS
    snapshot.load_snapshot(fork.folder / SNAPSHOT)


@pytest.mark.fault(38)
def test_the_second_signal_stops_at_once(fork):
    """Row 38: whoever asks twice does not wait for the vectors; what is on disk is whole."""
    with fork.started(*TRAIN, first=SLOW_SAVE) as child:
        assert child.read_until("Epoch 2 of")
        child.send_signal(signal.SIGINT)
        assert child.read_until("saving")
        time.sleep(_NOT_THE_SAME_SECONDS)
        child.send_signal(signal.SIGTERM)
        _, told = child.communicate()

    assert child.returncode == 130
    assert told == "error: stopped by SIGINT.\n"
    snapshot.load_snapshot(fork.folder / SNAPSHOT)


@pytest.mark.fault(38)
def test_a_signal_before_training_leaves_nothing(fork):
    """While the text is read, a signal ends the run as it is: no vectors, no snapshot, no lock."""
    (fork.folder / "text.txt").unlink()
    os.mkfifo(fork.folder / "text.txt")
    with fork.started(*TRAIN) as child:
        assert child.read_until("Corpus: ")
        child.send_signal(signal.SIGTERM)
        _, told = child.communicate()

    assert child.returncode == 143
    assert told == "error: stopped by SIGTERM.\n"
    assert [path.name for path in fork.folder.iterdir()] == ["text.txt"]


@pytest.mark.fault(44)
def test_a_diverged_training_keeps_the_last_good_snapshot(fork):
    """Row 44: exit 1, the message names the snapshot, and its numbers are those of before."""
    done = fork.run(*TRAIN, "--set", "training.decay=constant", "--learning-rate", "0.4")

    assert f"{SNAPSHOT} is kept, from epoch " in the_error(done, 1)
    taken = snapshot.load_snapshot(fork.folder / SNAPSHOT)
    assert np.abs(taken.state.arrays["input_vectors"]).max() <= keyed_vectors.MAX_FLOAT16
    assert sorted(fork.files()) == ["text.txt", SNAPSHOT]


@pytest.mark.fault(49)
@pytest.mark.parametrize("name", [VECTORS, SNAPSHOT])
def test_what_exists_is_not_overwritten_unasked(fork, name):
    """Row 49: vectors and snapshot are kept (exit 2) before anything else is looked at; both ways out are named."""
    (fork.folder / name).write_bytes(b"precious")

    message = the_error(fork.run("train", "no-such-text.txt"), 2)

    assert message.startswith(f"{name} already exists. ")
    assert "--overwrite" in message
    assert "--resume" in message
    assert (fork.folder / name).read_bytes() == b"precious"
