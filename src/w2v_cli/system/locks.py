"""A lock beside an output, so that one training at a time writes it; the lock file names its holder."""

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from w2v_cli.errors import OutputInUseError, option
from w2v_cli.system.files import disk_errors


def lock_path(output: Path) -> Path:
    """Return the hidden lock file beside `output`; its name is short, however long the output's is."""
    digest = hashlib.sha256(os.fsencode(output.name)).hexdigest()
    return output.with_name(f".w2v-{digest[:16]}.lock")


@contextlib.contextmanager
def hold(output: Path) -> Iterator[None]:
    """Hold the lock on `output` during this block.

    The system drops the lock of a process that ends, for any reason: the file that a killed run leaves is harmless.

    Raises:
        OutputInUseError: another run holds the lock; the message names its process.
        StorageError: the folder refuses the lock file.
    """
    import filelock  # noqa: PLC0415  not needed for --help

    path = lock_path(output)
    lock = filelock.FileLock(path)
    with disk_errors(output):
        holder = _read_holder(path)  # first: some versions of filelock empty the file when they try to lock it
        try:
            lock.acquire(timeout=0)
            while not path.exists():  # the last holder removed it after we had opened it: this lock guards nothing
                lock.release()
                lock.acquire(timeout=0)
        except filelock.Timeout as error:  # an OSError too
            raise OutputInUseError(
                f"{output} is being written by {holder or 'another run'}: wait until it has finished, or choose "
                f"another {option('output')}."
            ) from error
    try:
        with contextlib.suppress(OSError):  # the name only serves the message
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8", errors="replace")
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()


def _read_holder(path: Path) -> str:
    """Return what the holder of a lock wrote, `process 123 on host`, on one line; an empty string if unreadable."""
    with contextlib.suppress(OSError):
        return " ".join(path.read_text(encoding="utf-8", errors="replace")[:200].split())
    return ""
