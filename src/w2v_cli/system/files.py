"""Files written whole or not at all, checks of an output before hours of work, and hashes of files.

A file is written under a temporary name, flushed, synchronised (fsync), renamed, and its folder synchronised. The
writer of a temporary file holds a lock on it, so that files of killed writers can be recognised and removed.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from w2v_cli.errors import ConfigError, StorageError, option

_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_HAS_LOCKS = os.name != "nt"  # Windows itself keeps an open file from being removed
_TEMPORARY = re.compile(r"\.w2v-[0-9a-f]{16}\.tmp")
_READ_BYTES = 1 << 16


class OutputExistsError(ConfigError):
    """An output exists already, and may not be replaced."""


@contextlib.contextmanager
def atomic_write(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Yield a binary file that becomes `path` when the block ends, and vanishes when the block raises.

    Temporary files that killed writers left in the folder are removed.

    Args:
        path: the file to write.
        overwrite: whether an existing file may be replaced.

    Raises:
        ConfigError: `path` exists and `overwrite` is false.
        StorageError: the folder or the disk refuses.
    """
    refuse_existing(path, overwrite=overwrite)
    clear_stale(path.parent)
    try:
        with open_temporary(path.parent) as (temporary, file):
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.name == "nt":  # which renames no open file; elsewhere closing it now would give up its lock too early
                file.close()
            temporary.replace(path)
            sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def check_output(path: Path, *, inputs: Iterable[str | Path] = (), overwrite: bool) -> None:
    """Raise an error if `path` exists, is one of the inputs, or cannot be written.

    Raises:
        ConfigError: `path` exists and `overwrite` is false, or `path` is an input.
        StorageError: the folder is missing or refuses a new file.
    """
    refuse_existing(path, overwrite=overwrite)
    refuse_input(path, inputs)
    check_writable(path)


def refuse_existing(path: Path, *, overwrite: bool, what: str = "output") -> None:
    """Raise OutputExistsError if `path` exists and may not be overwritten; what: the user's word for the file."""
    if not overwrite and os.path.lexists(path):  # False, not an exception, if the path cannot be inspected
        raise OutputExistsError(
            f"{path} already exists. Use {option('overwrite')} to replace it, or choose another {what}."
        )


def refuse_input(path: Path, inputs: Iterable[str | Path]) -> None:
    """Raise ConfigError if an output is one of the input files, even with --overwrite."""
    for place in inputs:
        with contextlib.suppress(OSError, ValueError):  # one does not exist, or is a URL
            if path.samefile(place):
                raise ConfigError(f"{path} is also an input and would be lost: choose another output.")


def check_writable(path: Path) -> None:
    """Check before hours of work that a file can be written.

    A device or a pipe is refused, since a new file would replace it: /dev/null would be gone for everybody.

    Raises:
        StorageError: `path` is a folder, a device or a pipe, or its folder is missing or refuses a new file.
        ConfigError: `path` is `-`, which other commands take for stdout.
    """
    try:
        if path.is_dir():
            raise StorageError(f"cannot write {path}: it is a folder; name a file inside it.")
        if str(path) == "-":
            raise ConfigError("- is not a file, and this output cannot go to stdout: name a file.")
        if path.exists() and not path.is_file():
            raise StorageError(f"cannot write {path}: it is a device or a pipe; name a file.")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise cannot_write(path, error) from error


def check_room(path: Path, sizes: Iterable[int]) -> None:
    """Raise StorageError if the disk has no room beside `path` for files of these sizes (bytes), all at once.

    The room is allocated and released at once, so that quotas and limits on a file's size are found, too.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    sizes = list(sizes)
    with contextlib.ExitStack() as files:
        for size in sizes:
            try:
                file = files.enter_context(tempfile.TemporaryFile(dir=path.parent))
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise StorageError(
                        f"cannot write {path}: {error.strerror}: {sum(sizes):,} bytes more are needed, "
                        f"{max(sizes):,} of them in one file; free space or choose another place."
                    ) from error


def cannot_write(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a write to `path` that the system refused."""
    cure = "make its folder" if error.errno == errno.ENOENT else "free space"
    return StorageError(f"cannot write {path}: {error.strerror or error}; {cure} or choose another place.")


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise StorageError if the system refuses to write `path` in this block."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; Windows cannot open a folder and needs no sync."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bytes(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces; raise StorageError if it cannot be read.

    So a failure to read is not reported as a failure to write.
    """
    try:
        with path.open("rb") as file:
            while data := file.read(_READ_BYTES):
                yield data
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}.") from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raise StorageError if it cannot be read."""
    digest = hashlib.sha256()
    for data in read_bytes(path):
        digest.update(data)
    return digest.hexdigest()


@contextlib.contextmanager
def open_temporary(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Yield the path and the file of a new temporary file in `folder`, removed afterwards if it still has that name.

    The name is short: the final file may have the longest name that is possible. Raises OSError if the folder
    refuses.
    """
    names: list[Path] = []
    try:  # from before the file exists: a signal may come at any time
        with _open_and_lock(folder, names) as file:
            yield names[-1], file
    finally:
        for name in names:
            name.unlink(missing_ok=True)


def clear_stale(folder: Path) -> list[Path]:
    """Remove the temporary files in `folder` that no process writes any more, and return their paths.

    The writer of a temporary file holds a lock on it, which the system drops when the process ends for any reason. A
    file that cannot be locked (held, of another user, or on a file system without locks) is left alone.
    """
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name) and _remove_if_stale(path)]
    return []


def _open_and_lock(folder: Path, names: list[Path]) -> BinaryIO:
    """Return a new file that is locked and still has its name, the last of `names`; each is added before it is used."""
    while True:
        path = folder / f".w2v-{secrets.token_hex(8)}.tmp"
        names.append(path)
        file = path.open("xb")
        with contextlib.suppress(OSError):  # a file system without locks: clear_stale removes nothing there either
            _lock(file, wait=True)
        if _is_at(path, file):
            return file
        file.close()  # another run's clear_stale came between opening and locking


def _remove_if_stale(path: Path) -> bool:
    """Remove a temporary file that can be locked; return whether it was removed."""
    with contextlib.suppress(OSError):
        if not _HAS_LOCKS:
            path.unlink()
            return True
        if not path.is_symlink() and path.is_file():
            with path.open("r+b") as file:
                _lock(file, wait=False)
                if _is_at(path, file):
                    path.unlink()
                    return True
    return False


def _lock(file: BinaryIO, *, wait: bool) -> None:
    """Lock a file until it is closed; raise OSError if another process holds it and `wait` is false."""
    if _HAS_LOCKS:
        import fcntl  # noqa: PLC0415  there is none on Windows

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Return whether `path` is still the name of the open file."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(file.fileno()))
    except OSError:
        return False
