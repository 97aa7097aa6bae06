"""Programs that start where there is hardly any memory, or that may start no further thread. Row 43.

What the libraries do then is nothing that a user understands: they are asked for only what there is. Most of these are
processes of their own, for what matters happens while NumPy, Numba and LLVM are loaded.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from cli.running import FAST, the_error
from faults.limits import needs_linux, threads

pytestmark = needs_linux()

MEGABYTE = 1_000_000
QUESTION, TRAINING = ("similar", "king", "--top", "1"), ("train", "text.txt", *FAST, "--overwrite", "-q")
AS_USERS_DO = {"OPENBLAS_NUM_THREADS": None}  # which the other tests set, to be quick


def limited(size, limit="RLIMIT_AS"):
    """Return the code that lets the process have so many bytes in all."""
    return f"import resource; resource.setrlimit(resource.{limit}, ({size}, {size}))"


@pytest.mark.fault(43)
@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [(QUESTION, (80, 150, 200)), (TRAINING, (80, 200, 300, 400, 500, 600))],
    ids=["question", "training"],
)
def test_too_little_memory_to_start_is_one_line(asked, arguments, sizes):
    """OpenBLAS does not give up in its own words, LLVM neither aborts nor tries for ever: exit 6 and the limit."""
    before = asked.files()
    for size in sizes:
        done = asked.run(*arguments, first=limited(size * MEGABYTE), env=AS_USERS_DO)

        message = the_error(done, 6)
        assert message.startswith(("w2v needs ", "there is room for "))
        assert "(limit: address space (ulimit -v))" in message
        assert len(done.stderr.splitlines()) == 1
        assert asked.files() == before


@pytest.mark.fault(43)
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_enough_memory_to_start_is_enough(asked, limit):
    """What is refused above is not refused with a little more."""
    done = asked.run(*QUESTION, first=limited(350 * MEGABYTE, limit), env=AS_USERS_DO)

    assert done.returncode == 0, done.stderr


@pytest.mark.fault(43)
def test_openblas_without_threads_is_no_ctrl_c(asked):
    """It sends its own process SIGINT, after four lines of its own: where threads are refused it starts none.

    Three may live: the first one, that for signals, and one that reads the file.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root, with setpriv, can become a user without other processes: NOT tried")
    may_read = "+dac_override,+dac_read_search"
    user = ["setpriv", "--reuid", "54321", "--clear-groups", "--inh-caps", may_read, "--ambient-caps", may_read]
    done = subprocess.run(
        [*user, "prlimit", "--nproc=3:3", *asked.command(*QUESTION)],
        capture_output=True,
        check=False,
        cwd=asked.folder,
        encoding="utf-8",
        env=asked.with_variables(**AS_USERS_DO),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("queen\t")


@pytest.fixture
def reachable(fork):
    """Return the Fork in a folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="w2v-test-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(fork.folder, copy)
        copy.parent.chmod(0o755)
        if any(not parent.stat().st_mode & 1 for parent in copy.resolve().parents):
            pytest.skip(f"not every user may enter {copy.parent}: NOT tried")
        fork.folder = copy
        yield fork


@pytest.mark.fault(43)
@pytest.mark.parametrize("most", [1, 2])  # more may be enough: a thread that has read all is gone
def test_a_thread_that_is_refused_is_one_line(reachable, most):
    """Without the thread for signals, or the one for reading: exit 6, and nothing is left."""
    done = reachable.run("train", "text.txt", *FAST, "--threads", "2", "-q", first=threads(most))

    message = the_error(done, 6)
    assert message.startswith("the system cannot start another thread: ")
    assert len(done.stderr.splitlines()) == 1
    assert sorted(reachable.files()) == ["text.txt"]


LIMIT_AFTER_THE_BEGINNING = """
import w2v_cli.training.snapshot_writer as k
begin = k.SnapshotWriter.begin
def begin_and_limit(*arguments):
    begin(*arguments)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
k.SnapshotWriter.begin = begin_and_limit
"""


@pytest.mark.fault(43)
def test_a_snapshot_without_a_thread_to_write_it_is_one_line(reachable):
    """The thread that writes snapshots is refused in the middle of a training: exit 6, nothing half-written."""
    first = threads(100) + LIMIT_AFTER_THE_BEGINNING
    done = reachable.run("train", "text.txt", *FAST, "--algorithm", "minibatch", "-q", first=first)

    assert the_error(done, 6).startswith("the system cannot start another thread: ")
    assert sorted(reachable.files()) == ["text.txt"]
