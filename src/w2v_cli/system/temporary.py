"""Temporary files that say whether anybody still writes them, so that those of killed writers can be cleared away."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HAS_LOCKS = os.name != "nt"  # Windows itself keeps an open file from being removed
_NAME = re.compile(r"\.w2v-[0-9a-f]{16}\.tmp")


@contextlib.contextmanager
def open_temporary(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Yield the path and the file of a new temporary in `folder`; what still has that name afterwards is removed.

    The name is short: the file that it is to become may have the longest name there is. Raises OSError where the folder
    refuses.
    """
    names: list[Path] = []
    try:  # from before the file is there: a signal may come at any time
        with _open_and_hold(folder, names) as file:
            yield names[-1], file
    finally:
        for name in names:
            name.unlink(missing_ok=True)


def clear_stale(folder: Path) -> list[Path]:
    """Remove the temporaries in `folder` that no process writes any more, and return their paths.

    Whoever writes one holds a lock on it, which the system drops when the process ends, in whatever way. A file that
    cannot be locked, because it is held, because it is not ours or because the file system has no locks, is left alone.
    """
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and _remove_if_stale(path)]
    return []


def _open_and_hold(folder: Path, names: list[Path]) -> BinaryIO:
    """Return a new file that is locked and still has its name, the last of `names`; each is added before it is used."""
    while True:
        path = folder / f".w2v-{secrets.token_hex(8)}.tmp"
        names.append(path)
        file = path.open("xb")
        with contextlib.suppress(OSError):  # a file system without locks: then nobody clears there either
            _lock(file, wait=True)
        if _is_at(path, file):
            return file
        file.close()  # another run's clear_stale came between opening and locking


def _remove_if_stale(path: Path) -> bool:
    """Remove a temporary that can be locked; return whether it was removed."""
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
    """Lock a file until it is closed; raise OSError where another process holds it and we do not wait."""
    if _HAS_LOCKS:
        import fcntl  # noqa: PLC0415  there is none on Windows

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Return whether `path` is still the name of the open file."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(file.fileno()))
    except OSError:
        return False
