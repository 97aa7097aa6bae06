"""Files written whole or not at all: temporary name, flush, fsync, rename, fsync of the folder."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from w2v_cli.errors import ConfigError, StorageError, option
from w2v_cli.system.temporary import clear_stale, open_temporary

_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class OutputExistsError(ConfigError):
    """An output that is there already, and that nothing says to replace."""


@contextlib.contextmanager
def atomic_write(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Yield a binary file that becomes `path` when the block ends, and vanishes when it raises.

    What killed writers have left in the folder is removed.

    Raises ConfigError where `path` exists and `overwrite` is false, StorageError where the folder or the disk refuses.
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
    """Raise what stands against writing `path`: that it exists, is one of the inputs, or cannot be written."""
    refuse_existing(path, overwrite=overwrite)
    refuse_input(path, inputs)
    check_writable(path)


def refuse_existing(path: Path, *, overwrite: bool, what: str = "output") -> None:
    """Raise OutputExistsError where `path` exists and may not be overwritten; what: what the user is to choose anew."""
    if not overwrite and os.path.lexists(path):  # False, not an exception, where the path cannot be looked at
        raise OutputExistsError(
            f"{path} exists already and is kept: choose another {what}, or give {option('overwrite')}."
        )


def refuse_input(path: Path, inputs: Iterable[str | Path]) -> None:
    """Raise ConfigError where an output is one of the files that are read: even --overwrite does not mean that."""
    for place in inputs:
        with contextlib.suppress(OSError, ValueError):  # one is not there, or is a URL
            if path.samefile(place):
                raise ConfigError(f"{path} is what is read, and would be lost: choose another output.")


def check_writable(path: Path) -> None:
    """Raise StorageError where `path`'s folder is missing or refuses a new file: found before training, not after.

    ConfigError for `-`, which other commands take for stdout.

    So is a device or a pipe, which a new file would replace: /dev/null would be gone for everybody.
    """
    try:
        if path.is_dir():
            raise StorageError(f"cannot write {path}: it is a folder; name a file inside it.")
        if str(path) == "-":
            raise ConfigError("- is no file, and this is not written to stdout: name a file.")
        if path.exists() and not path.is_file():
            raise StorageError(f"cannot write {path}: it is a device or a pipe; name a file.")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise cannot_write(path, error) from error


def check_room(path: Path, sizes: Iterable[int]) -> None:
    """Raise StorageError where the disk has no room for files of so many bytes beside `path`, all at once.

    The room is really taken and given back at once, so that quotas and limits of a file's size are found, too.
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
                        f"cannot write {path}: {error.strerror}: {sum(sizes):,} bytes are needed beside what is there, "
                        f"{max(sizes):,} of them in one file; free space or choose another place."
                    ) from error


def cannot_write(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a write to `path` that the system refused."""
    cure = "make its folder" if error.errno == errno.ENOENT else "free space"
    return StorageError(f"cannot write {path}: {error.strerror or error}; {cure} or choose another place.")


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; Windows cannot open a folder and needs no sync."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise StorageError where the system refuses to write `path`."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error
