"""Compression: files decompressed as streams, by their first bytes, and written compressed, by their names."""

import bz2
import contextlib
import gzip
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from w2v_cli.errors import CorpusError, option
from w2v_cli.system.file_types import BZIP2, GZIP, XZ, ZSTD
from w2v_cli.system.files import atomic_write

_RAW_BYTES = 1 << 16  # read at a time: how exactly a message can say where the damage is
_DECOMPRESSED_BYTES = 1 << 21  # yielded at a time
_ALWAYS_BYTES = 64_000_000  # that any file may expand to, however small it is
_MOST_MEMORY = 1 << 28  # for the dictionary of xz; its strongest preset takes 65 MB
_GZIP_LEVEL = 6  # gzip's own; Python's 9 takes three times as long for next to nothing

Read = Callable[[int], bytes]  # returns at most that many bytes; none at the end


class _Decoder(Protocol):
    """Decompresses one stream (gzip: member, zstd: frame)."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipDecoder:
    """Gives zlib's decoder the interface of the others."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # with gzip's header and checksum

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)


class Compression(NamedTuple):
    """A kind of compression: its name, the bytes that each stream begins with, and a decoder of one stream."""

    name: str
    magics: tuple[bytes, ...]
    decoder: Callable[[], _Decoder]

    @property
    def magic_bytes(self) -> int:
        """The length of the magic numbers."""
        return len(self.magics[0])


_ZSTD_SKIPPABLE = tuple(bytes((byte,)) + b"\x2a\x4d\x18" for byte in range(0x50, 0x60))
COMPRESSIONS = (
    Compression("gzip", (GZIP,), _GzipDecoder),
    Compression("bzip2", (BZIP2,), bz2.BZ2Decompressor),
    Compression("xz", (XZ,), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)),
    Compression("zstd", (ZSTD, *_ZSTD_SKIPPABLE), zstd.ZstdDecompressor),
)
# A text may begin with BZh; in bzip2 a digit follows and the six bytes that begin a block or the end.
_BZIP2 = re.compile(BZIP2 + rb"[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")
HEAD_BYTES = 10

_WRITERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda file: gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0),  # no name and no time: equal bytes
    ".bz2": lambda file: bz2.BZ2File(file, "wb"),
    ".xz": lambda file: lzma.LZMAFile(file, "wb"),  # noqa: SIM115  the caller closes it
    ".zst": lambda file: zstd.ZstdFile(file, "wb"),
}


@dataclass(frozen=True)
class Limits:
    """The limits on the expansion of a compressed file.

    Attributes:
        expansion: how many times its size, if it expands to more than 64 MB.
        unpacked_bytes: how many bytes.
        are_settings: whether these are settings of a corpus, so that a message may say how to raise them.
    """

    expansion: int
    unpacked_bytes: int
    are_settings: bool = True

    def way_beyond(self, setting: str, value: int) -> str:
        """Return the advice for a user who trusts a file beyond a limit."""
        if self.are_settings:
            return f"if you trust it, {option(setting, 10 * value)} reads it."
        return "if you trust it, decompress it yourself first."


def find_compression(head: bytes) -> Compression | None:
    """Return the compression of a file that begins with `head`, HEAD_BYTES of it; None if it is not compressed."""
    for compression in COMPRESSIONS:
        if head.startswith(compression.magics):
            is_certain = compression.name != "bzip2" or _BZIP2.match(head) or len(head) < HEAD_BYTES
            return compression if is_certain else None
    return None


def decompress(compression: Compression, read: Read, head: bytes, label: str, limits: Limits) -> Iterator[bytes]:
    """Yield the contents of a compressed file, all its streams, at most 2 MB at a time.

    Args:
        compression: how it is compressed.
        read: gives the bytes after `head`.
        head: the first bytes.
        label: the name of the file in messages.
        limits: what it may expand to.

    Raises:
        CorpusError: the bytes are damaged, end too early or are followed by something else, or expand to more than the
            limits.
    """
    raw = _Raw(read, head)
    decompressed_bytes = 0
    while raw.has_stream(compression, label):
        for data in _iterate_stream(compression, raw, label):
            decompressed_bytes += len(data)
            _check_limits(label, decompressed_bytes, raw.taken_bytes, limits)
            yield data


class _Raw:
    """The bytes of the file, and how many of them have been taken."""

    def __init__(self, read: Read, head: bytes) -> None:
        self._read = read
        self._waiting = head
        self.taken_bytes = 0

    def take(self) -> bytes:
        """Return the next bytes; none at the end of the file."""
        data = self._waiting or self._read(_RAW_BYTES)
        self._waiting = b""
        self.taken_bytes += len(data)
        return data

    def give_back(self, data: bytes) -> None:
        """Take back bytes that did not belong to a stream."""
        self._waiting = data
        self.taken_bytes -= len(data)

    def has_stream(self, compression: Compression, label: str) -> bool:
        """Return whether another stream begins, after any zeros; raise CorpusError if something else does."""
        if self.taken_bytes == 0:
            return True
        while rest := self.take():
            if stripped := rest.lstrip(b"\0"):
                while len(stripped) < compression.magic_bytes and (more := self.take()):
                    stripped += more
                self.give_back(stripped)
                if stripped.startswith(compression.magics):
                    return True
                raise CorpusError(
                    f"{label} is damaged: its {compression.name} data ends at byte {self.taken_bytes:,} and something "
                    f"else follows; get the file again, or cut it off there."
                )
        return False


def _iterate_stream(compression: Compression, raw: _Raw, label: str) -> Iterator[bytes]:
    """Yield the contents of one stream."""
    decoder = compression.decoder()
    begin = raw.taken_bytes
    while not decoder.eof:
        data = raw.take() if decoder.needs_input else b""
        if not data and decoder.needs_input:
            raise CorpusError(
                f"{label} is cut off: it ends at byte {raw.taken_bytes:,} in the middle of the {compression.name} data "
                f"that began at byte {begin:,}; get the file again."
            )
        try:
            decompressed = decoder.decompress(data, _DECOMPRESSED_BYTES)
        except (zlib.error, OSError, ValueError, lzma.LZMAError, zstd.ZstdError) as error:
            raise _damaged(compression, raw, label, error) from error
        if decompressed:
            yield decompressed
    raw.give_back(decoder.unused_data)


def _damaged(compression: Compression, raw: _Raw, label: str, error: Exception) -> CorpusError:
    cause = str(error).lower()
    if "memory" in cause:
        return CorpusError(f"{label} needs too much memory ({error}): compress it again, with the usual settings.")
    return CorpusError(
        f"{label} is damaged: its {compression.name} data cannot be decompressed before byte {raw.taken_bytes:,} "
        f"({error}); get the file again."
    )


def _check_limits(label: str, decompressed_bytes: int, taken_bytes: int, limits: Limits) -> None:
    """Raise CorpusError if a file has expanded to more than it may."""
    if decompressed_bytes > limits.unpacked_bytes:
        raise CorpusError(
            f"{label} expands to more than {limits.unpacked_bytes:,} bytes; "
            f"{limits.way_beyond('max_unpacked', limits.unpacked_bytes)}"
        )
    if decompressed_bytes > max(_ALWAYS_BYTES, limits.expansion * taken_bytes):
        raise CorpusError(
            f"{label} expands to more than {limits.expansion:,} times its size ({decompressed_bytes:,} bytes out of "
            f"{taken_bytes:,}), as a zip bomb does; {limits.way_beyond('max_expansion', limits.expansion)}"
        )


def has_compressed_name(path: Path) -> bool:
    """Return whether the name of a file says that it is compressed.

    >>> has_compressed_name(Path("novels.vec.GZ")), has_compressed_name(Path("novels.vec"))
    (True, False)
    """
    return path.suffix.lower() in _WRITERS


@contextlib.contextmanager
def compressed_write(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Yield a file that becomes `path` as with `atomic_write`, compressed if its name says so.

    The file cannot be sought in. Equal contents give equal bytes. Raises what `atomic_write` raises.
    """
    with atomic_write(path, overwrite=overwrite) as file:
        if not has_compressed_name(path):
            yield file
            return
        with _WRITERS[path.suffix.lower()](file) as compressed:
            yield compressed
