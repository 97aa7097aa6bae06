"""Files on their way in: the bytes that are here, whose they are, and the SHA-256 that lets them pass."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from w2v_cli.errors import DownloadError, StorageError
from w2v_cli.system.files import atomic_write, disk_errors, sync_folder

CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class PartialFile:
    """The unfinished file; a note beside it says which version of which URL its bytes belong to."""

    path: Path

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def resume(self, url: str) -> tuple[int, dict[str, str]]:
        """Return the bytes of `url` that are here, and the headers that ask for the others of the same version."""
        try:
            offset = self.path.stat().st_size
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if offset and note["url"] == url and _is_header(note["validator"]):
                return offset, {"Range": f"bytes={offset}-", "If-Range": note["validator"]}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass  # no part, no note, or one that a crash cut short or a disk damaged: begin anew
        return 0, {}

    def begin(self, url: str, version: str | None) -> None:
        """Empty the file, and only then note whose bytes it is to hold: the note never vouches for others."""
        with disk_errors(self.path):
            self.path.write_bytes(b"")
            self._note.unlink(missing_ok=True)
            if version:
                self._note.write_text(json.dumps({"url": url, "validator": version}), encoding="utf-8")

    def append(self, chunks: Iterator[bytes]) -> Iterator[int]:
        """Write `chunks` behind what is there, durably; yield the size before the first and after each."""
        with disk_errors(self.path), self.path.open("ab") as file:
            yield file.tell()
            for chunk in chunks:
                file.write(chunk)
                yield file.tell()
            file.flush()
            os.fsync(file.fileno())

    def beginning(self) -> bytes:
        """Return the first bytes, enough to see what kind of file it is."""
        return next(_chunks(self.path), b"")

    def discard(self) -> None:
        """Remove the file and its note."""
        with disk_errors(self.path):
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def install(self, destination: Path) -> None:
        """Make the file `destination`, at once and durably."""
        with disk_errors(destination):
            self.path.replace(destination)
            sync_folder(destination.parent)
            self._note.unlink(missing_ok=True)


def _is_header(value: object) -> bool:
    """Return whether a value may be sent as a header: a request takes no line breaks, and no letters beyond Latin."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()


def copy_checked(source: Path, destination: Path, sha256: str) -> None:
    """Copy `source` whole or not at all.

    Raises DownloadError where its bytes have another SHA-256, StorageError where one of the two is refused.
    """
    digest = hashlib.sha256()
    with atomic_write(destination, overwrite=True) as file:
        for chunk in _chunks(source):
            digest.update(chunk)
            file.write(chunk)
        check_sha256(digest.hexdigest(), sha256)


def check_sha256(found: str, expected: str) -> None:
    """Raise DownloadError, showing both, where `found` is not what was `expected`."""
    if found != expected:
        raise DownloadError(f"SHA-256 is {found}, expected {expected}: nothing was installed")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raises StorageError where it cannot be read."""
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file; an error in reading is not mistaken for one in writing somewhere else."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}.") from error
