"""Files come whole or not at all: full disks, size limits, kill -9, permissions; every fault is a real one."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile

import pytest

from w2v_cli.errors import ConfigError, StorageError
from w2v_cli.system.files import atomic_write, check_writable, refuse_existing

needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare: this fault was NOT tried")

OLD, NEW = b"old " * 2000, b"new " * 50_000


@pytest.fixture
def old_file(tmp_path):
    """Return the path of a complete file, alone in its folder."""
    path = tmp_path / "x.bin"
    path.write_bytes(OLD)
    return path


def replace(path, content=NEW):
    with atomic_write(path, overwrite=True) as file:
        file.write(content)


def names_in(folder):
    return [path.name for path in folder.iterdir()]


PREAMBLE = """
import os, resource, signal, sys
from pathlib import Path
from w2v_cli.system.files import atomic_write, check_writable
path = Path(sys.argv[1])
"""


def run_python(code, path):
    """Run code that knows `path` in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", PREAMBLE + code, path], capture_output=True, text=True, check=False)


def run_python_on_tmpfs(code, path, *, remount=":"):
    """Run code that knows `path`, a file on a tmpfs of 64 KiB that no other process sees; skip where none can be."""
    script = f'mount -t tmpfs -o size=64k none "$FOLDER" && {remount} || exit 99; "$PYTHON" -c "$CODE" "$FOLDER/x.bin"'
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script],  # noqa: S607  wherever it is
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHON": sys.executable, "CODE": PREAMBLE + code, "FOLDER": str(path.parent)},
    )
    if done.returncode == 99 or done.stderr.startswith("unshare:"):
        pytest.skip(f"no tmpfs can be mounted here ({done.stderr.strip()}): this fault was NOT tried")
    return done


def test_a_file_appears_with_all_that_was_written(tmp_path):
    """Nothing stands under the final name before the block ends; then the whole content does, and nothing else."""
    path = tmp_path / "x.bin"
    with atomic_write(path, overwrite=False) as file:
        file.write(b"first ")
        file.write(b"second")
        existed_before = path.exists()

    assert not existed_before
    assert path.read_bytes() == b"first second"
    assert names_in(tmp_path) == ["x.bin"]


def test_the_old_file_is_read_until_the_new_one_is_complete(old_file):
    """A reader in the middle of a write sees the old content."""
    with atomic_write(old_file, overwrite=True) as file:
        file.write(NEW)
        file.flush()
        seen = old_file.read_bytes()

    assert seen == OLD
    assert old_file.read_bytes() == NEW


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_leaves_the_old_file_and_nothing_else(old_file, error):
    """Whatever stops the writer reaches the caller as it is; the temporary file is gone."""

    def write_half():
        with atomic_write(old_file, overwrite=True) as file:
            file.write(NEW)
            raise error

    with pytest.raises(type(error)):
        write_half()

    assert old_file.read_bytes() == OLD
    assert names_in(old_file.parent) == ["x.bin"]


@needs_unshare
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    """On a tmpfs that is really full: StorageError with the cause, old file kept, temporary file removed."""
    code = """
path.write_bytes(b"old" * 1000)
try:
    with atomic_write(path, overwrite=True) as file:
        file.write(b"n" * 200_000)
finally:
    print(path.read_bytes() == b"old" * 1000, os.listdir(path.parent))
"""
    done = run_python_on_tmpfs(code, tmp_path / "x.bin")

    assert f"StorageError: cannot write {tmp_path}/x.bin: No space left on device; free space or" in done.stderr
    assert done.stdout == "True ['x.bin']\n"


@needs_unshare
def test_a_read_only_disk_is_found_before_anything_is_written(tmp_path):
    """check_writable says so, on a file system that is mounted read-only."""
    done = run_python_on_tmpfs("check_writable(path)", tmp_path / "x.bin", remount='mount -o remount,ro "$FOLDER"')

    assert f"StorageError: cannot write {tmp_path}/x.bin: Read-only file system" in done.stderr


def test_a_file_size_limit_leaves_the_old_file_and_nothing_else(old_file):
    """Beyond RLIMIT_FSIZE the write ends as on a full disk."""
    done = run_python(
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "with atomic_write(path, overwrite=True) as file: file.write(b'n' * 200_000)",
        old_file,
    )

    assert f"StorageError: cannot write {old_file}: File too large; free space" in done.stderr
    assert old_file.read_bytes() == OLD
    assert names_in(old_file.parent) == ["x.bin"]


KILL = "os.kill(os.getpid(), signal.SIGKILL)"
KILLED_AT = {
    "in the middle of the write": ("", KILL),
    "before fsync": (f"os.fsync = lambda _: {KILL}", ""),
    "before the rename": (f"Path.replace = lambda *_: {KILL}", ""),
}


@pytest.mark.parametrize(("before", "within"), KILLED_AT.values(), ids=KILLED_AT.keys())
def test_kill_9_leaves_the_old_file(old_file, before, within):
    """A process that is really killed before its file is complete leaves the old one, byte for byte."""
    done = run_python(
        f"{before}\nwith atomic_write(path, overwrite=True) as file:\n"
        f"    file.write(b'n' * 200_000); file.flush()\n    {within}\n",
        old_file,
    )

    assert done.returncode == -9, done.stderr
    assert old_file.read_bytes() == OLD


def test_kill_9_after_the_rename_leaves_the_new_file(old_file):
    """From the rename on the new file is there whole: its bytes reached the disk before its name did."""
    done = run_python(
        f"import w2v_cli.system.files\nw2v_cli.system.files.sync_folder = lambda _: {KILL}\n"
        "with atomic_write(path, overwrite=True) as file: file.write(b'new ' * 50_000)",
        old_file,
    )

    assert done.returncode == -9, done.stderr
    assert old_file.read_bytes() == NEW


def test_content_and_folder_reach_the_disk_in_order(old_file, monkeypatch):
    """The file is synced before it is renamed, its folder after: a power cut finds the old file or the new one."""
    steps, sync, rename = [], os.fsync, type(old_file).replace

    def record_sync(descriptor):
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def record_rename(path, target):
        steps.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(type(old_file), "replace", record_rename)
    replace(old_file)

    assert steps == ["file", "rename", "folder"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_new_file(tmp_path, umask):
    """The umask decides who may read the file, and is as before afterwards."""
    before = os.umask(umask)
    try:
        replace(tmp_path / "x.bin")
    finally:
        left = os.umask(before)

    assert stat.S_IMODE((tmp_path / "x.bin").stat().st_mode) == 0o666 & ~umask
    assert left == umask


@pytest.mark.parametrize("refuse", [refuse_existing, lambda path, **rest: atomic_write(path, **rest).__enter__()])
def test_an_existing_file_is_kept(old_file, refuse):
    """Without overwrite the path is refused (exit 2) and the message names --overwrite."""
    with pytest.raises(ConfigError, match=r"x\.bin already exists\. .* overwrite") as refusal:
        refuse(old_file, overwrite=False)

    assert refusal.value.exit_code == 2
    assert old_file.read_bytes() == OLD


@pytest.mark.parametrize("attempt", [check_writable, replace])
@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda folder: folder / "none" / "x.bin", "No such file or directory"),
        (lambda folder: folder / "file" / "x.bin", "Not a directory"),
        (lambda folder: folder, "folder|Is a directory"),
    ],
    ids=["missing folder", "file as folder", "folder as file"],
)
def test_a_place_that_takes_no_file_is_refused(tmp_path, attempt, make, cause):
    """Such a path is a StorageError (exit 6) that names it, found beforehand as well as while writing."""
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match=f"cannot write .*({cause})") as refusal:
        attempt(make(tmp_path))

    assert refusal.value.exit_code == 6
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("name", [b"caf\xe9.bin", "Übung ’x’.bin".encode(), b"-n", b"n" * 200])
def test_any_file_name_can_be_written(tmp_path, name):
    """Names that are no UTF-8, look like an option or are long work like any other."""
    path = tmp_path / os.fsdecode(name)
    check_writable(path)
    replace(path)

    assert path.read_bytes() == NEW
    assert names_in(tmp_path) == [os.fsdecode(name)]


@pytest.mark.parametrize("length", [242, 255])
def test_the_longest_names_can_be_written(tmp_path, length):
    """A name may have as many bytes as the file system takes: the temporary name is no longer than it."""
    path = tmp_path / ("n" * length)
    check_writable(path)
    replace(path)

    assert names_in(tmp_path) == ["n" * length]


def test_a_name_that_is_too_long_is_refused_beforehand(tmp_path):
    """256 bytes are too many for a name: exit 6, before training."""
    path = tmp_path / ("n" * 256)
    refuse_existing(path, overwrite=False)

    with pytest.raises(StorageError, match="File name too long"):
        check_writable(path)


def test_a_dangling_link_counts_as_existing(tmp_path):
    """A link to nowhere is not replaced unasked."""
    (tmp_path / "x").symlink_to("nowhere")

    with pytest.raises(ConfigError, match="overwrite"):
        refuse_existing(tmp_path / "x", overwrite=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody: NOT tried")
def test_a_folder_that_may_not_be_entered_is_named():
    """Without permission to enter the output's folder the refusal is StorageError, not a traceback."""
    code = """
from w2v_cli.system.files import refuse_existing
os.setuid(65534)
refuse_existing(path, overwrite=False)
check_writable(path)
"""
    with tempfile.TemporaryDirectory() as folder:  # private to root, in a place that all may enter
        done = run_python(code, f"{folder}/x.bin")

    assert f"StorageError: cannot write {folder}/x.bin: Permission denied" in done.stderr
