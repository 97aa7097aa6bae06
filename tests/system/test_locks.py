"""One training at a time for an output."""

import os
import signal
import subprocess
import sys

import pytest

from w2v_cli.errors import OutputInUseError, StorageError
from w2v_cli.system.locks import hold, lock_path

HOLD = """
import sys
from pathlib import Path
from w2v_cli.system.locks import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Yield a process that holds the lock on x.bin."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "x.bin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_the_second_stops_and_names_the_first(tmp_path, holder):
    """Exit 8 with the process that holds the lock, each time it is asked."""
    for _ in range(3):
        with (
            pytest.raises(OutputInUseError, match=rf"x\.bin is being written by process {holder.pid} on ") as refusal,
            hold(tmp_path / "x.bin"),
        ):
            pass

        assert refusal.value.exit_code == 8


def test_another_output_in_the_same_folder_is_free(tmp_path, holder):  # noqa: ARG001  it holds x.bin
    """A lock is for one output alone."""
    with hold(tmp_path / "y.bin"):
        assert lock_path(tmp_path / "y.bin").exists()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")
def test_the_lock_of_a_killed_process_is_harmless(tmp_path, holder):
    """What it left lies there and holds nobody up."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    was_left = lock_path(tmp_path / "x.bin").exists()

    with hold(tmp_path / "x.bin"):
        pass

    assert was_left


@pytest.mark.parametrize("content", [b"", b"process 1 on elsewhere", b"\xff\x00", b"x" * 100_000])
def test_any_file_in_its_place_is_harmless(tmp_path, content):
    """Only a lock counts, not what is written somewhere."""
    lock_path(tmp_path / "x.bin").write_bytes(content)

    with hold(tmp_path / "x.bin"):
        pass


def test_nothing_stays_behind(tmp_path):
    """After a run, also after one that failed, the folder is as before."""
    with pytest.raises(KeyError), hold(tmp_path / "x.bin"):
        raise KeyError

    assert list(tmp_path.iterdir()) == []


def test_a_long_name_can_be_locked(tmp_path):
    """The lock's own name is short."""
    with hold(tmp_path / ("n" * 255)):
        assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_refuses_is_a_storage_error(tmp_path):
    """Exit 6, as for the output itself."""
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match=r"cannot write .*x\.bin"), hold(tmp_path / "file" / "x.bin"):
        pass
