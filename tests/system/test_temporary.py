"""Temporary files of killed writers: cleared when nobody holds them, and only then."""

import os
import signal
import subprocess
import sys

import pytest

from w2v_cli.system import files
from w2v_cli.system.files import atomic_write, clear_stale, open_temporary

pytestmark = pytest.mark.skipif(os.name == "nt", reason="file locks are those of POSIX")

WRITE_AND_WAIT = """
import sys
from pathlib import Path
from w2v_cli.system.files import atomic_write
with atomic_write(Path(sys.argv[1]) / "x.bin", overwrite=True) as file:
    file.write(b"half of it")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def temporaries(folder):
    return [path for path in folder.iterdir() if path.suffix == ".tmp"]


def test_what_a_killed_writer_left_is_cleared_and_what_a_live_one_writes_is_not(tmp_path):
    """While a process writes, its file is left alone; after kill -9 the same file goes."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        [path] = temporaries(tmp_path)
        cleared_before = clear_stale(tmp_path)
        writer.send_signal(signal.SIGKILL)
        writer.wait()

        assert cleared_before == []
        assert clear_stale(tmp_path) == [path]
        assert temporaries(tmp_path) == []


def test_our_own_file_in_the_making_is_left_alone(tmp_path):
    """A thread of the same process that writes at the time loses nothing."""
    with atomic_write(tmp_path / "x.bin", overwrite=False) as file:
        file.write(b"whole")
        cleared = clear_stale(tmp_path)

    assert cleared == []
    assert (tmp_path / "x.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("name", ["x.tmp", ".w2v-x.tmp", ".w2v-0123456789abcdeg.tmp", ".w2v-0123456789abcdef.tmp.gz"])
def test_other_names_are_not_ours(tmp_path, name):
    """Only what is named as we name temporaries is ever removed."""
    (tmp_path / name).touch()

    assert clear_stale(tmp_path) == []
    assert (tmp_path / name).exists()


def test_a_link_and_a_folder_of_that_name_stay(tmp_path):
    """Nothing is followed and nothing but a plain file is removed."""
    (tmp_path / "precious").touch()
    (tmp_path / ".w2v-0123456789abcdef.tmp").symlink_to(tmp_path / "precious")
    (tmp_path / ".w2v-fedcba9876543210.tmp").mkdir()

    assert clear_stale(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".w2v-0123456789abcdef.tmp",
        ".w2v-fedcba9876543210.tmp",
        "precious",
    ]


def test_a_folder_that_cannot_be_listed_is_no_error(tmp_path):
    """There is nothing to clear in what is not there."""
    assert clear_stale(tmp_path / "none") == []


def test_a_file_that_is_cleared_before_it_is_locked_is_made_anew(tmp_path, monkeypatch):
    """Between opening and locking another run may take the file for stale: the writer notices, and has another one."""
    real, cleared = files._lock, []

    def lock_late(file, *, wait):
        if wait and not cleared:
            cleared.extend(clear_stale(tmp_path))
        real(file, wait=wait)

    monkeypatch.setattr(files, "_lock", lock_late)
    with open_temporary(tmp_path) as (path, file):
        file.write(b"x")
        exists = path.exists()

    assert len(cleared) == 1
    assert exists
    assert path not in cleared
