"""Bytes → a file that is compressed where the end of its name says so: what `unpacking` reads."""

import bz2
import contextlib
import gzip
import lzma
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from w2v_cli.system.files import atomic_write

_GZIP_LEVEL = 6  # gzip's own; Python's 9 takes three times as long for next to nothing
_PACKERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda file: gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0),  # no name and no time: equal bytes
    ".bz2": lambda file: bz2.BZ2File(file, "wb"),
    ".xz": lambda file: lzma.LZMAFile(file, "wb"),  # noqa: SIM115  who calls it closes it
    ".zst": lambda file: zstd.ZstdFile(file, "wb"),
}


def is_packed(path: Path) -> bool:
    """Return whether a file of that name is compressed.

    >>> is_packed(Path("novels.vec.GZ")), is_packed(Path("novels.vec"))
    (True, False)
    """
    return path.suffix.lower() in _PACKERS


@contextlib.contextmanager
def packed_write(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Yield a file as `atomic_write` does, and with its errors; what is written to it is compressed as its name says.

    It cannot be sought in. Equal content gives equal bytes.
    """
    with atomic_write(path, overwrite=overwrite) as file:
        if not is_packed(path):
            yield file
            return
        with _PACKERS[path.suffix.lower()](file) as packed:
            yield packed
