"""Bytes that may be compressed → their text: told by the first bytes, unpacked as a stream, refused where damaged."""

import bz2
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from w2v_cli.errors import CorpusError, option

_RAW_BYTES = 1 << 16  # taken in at a time: how exactly a message can say where the damage is
_UNPACKED_BYTES = 1 << 21  # given out at a time
_ALWAYS_BYTES = 64_000_000  # that any text may unpack to, however small it is
_MOST_MEMORY = 1 << 28  # for the dictionary of xz; its strongest preset takes 65 MB

Read = Callable[[int], bytes]


class _Decoder(Protocol):
    """What unpacks one stream (gzip: member, zstd: frame)."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipDecoder:
    """Gives zlib's decoder the shape that the others have."""

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


class Format(NamedTuple):
    """A way to compress: its name, the bytes that each stream begins with, and what unpacks one."""

    name: str
    magics: tuple[bytes, ...]
    decoder: Callable[[], _Decoder]

    @property
    def magic_bytes(self) -> int:
        """The length of the magics."""
        return len(self.magics[0])


_ZSTD_SKIPPABLE = tuple(bytes((byte,)) + b"\x2a\x4d\x18" for byte in range(0x50, 0x60))
FORMATS = (
    Format("gzip", (b"\x1f\x8b",), _GzipDecoder),
    Format("bzip2", (b"BZh",), bz2.BZ2Decompressor),
    Format("xz", (b"\xfd7zXZ\x00",), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)),
    Format("zstd", (b"\x28\xb5\x2f\xfd", *_ZSTD_SKIPPABLE), zstd.ZstdDecompressor),
)
# BZh may begin a text; bzip2 goes on with a digit and the six bytes that begin a block or the end.
_BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")
HEAD_BYTES = 10


@dataclass(frozen=True)
class Limits:
    """What a compressed text may unpack to: so many times its size, once it is over 64 MB, and so many bytes.

    are_settings: whether settings of a corpus hold them, so that a message may say how to raise them.
    """

    expansion: int
    unpacked_bytes: int
    are_settings: bool = True

    def way_beyond(self, setting: str, value: int) -> str:
        """Return what somebody does who trusts a file that is beyond a limit."""
        if self.are_settings:
            return f"if you trust it, {option(setting, 10 * value)} reads it."
        return "if you trust it, unpack it yourself and name what comes of it."


def find_format(head: bytes) -> Format | None:
    """Return how a file that begins so is compressed; None where it is not. HEAD_BYTES are enough."""
    for form in FORMATS:
        if head.startswith(form.magics):
            is_certain = form.name != "bzip2" or _BZIP2.match(head) or len(head) < HEAD_BYTES
            return form if is_certain else None
    return None


def iterate_unpacked(form: Format, read: Read, head: bytes, label: str, limits: Limits) -> Iterator[bytes]:
    """Yield the text of all streams of a compressed file, at most 2 MB at a time.

    read: gives the bytes after `head`. Raises CorpusError, with the file's name (label) and the place, where the bytes
    are damaged, end too early or go on with something else, and where they unpack to more than the limits.
    """
    raw = _Raw(read, head)
    unpacked_bytes = 0
    while raw.has_stream(form, label):
        for unpacked in _iterate_stream(form, raw, label):
            unpacked_bytes += len(unpacked)
            _check_limits(label, unpacked_bytes, raw.taken_bytes, limits)
            yield unpacked


class _Raw:
    """The bytes of the file, and how many of them have been given out."""

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

    def has_stream(self, form: Format, label: str) -> bool:
        """Return whether another stream begins, after any zeros; raise CorpusError where something else does."""
        if self.taken_bytes == 0:
            return True
        while rest := self.take():
            if stripped := rest.lstrip(b"\0"):
                while len(stripped) < form.magic_bytes and (more := self.take()):
                    stripped += more
                self.give_back(stripped)
                if stripped.startswith(form.magics):
                    return True
                raise CorpusError(
                    f"{label} is damaged: its {form.name} data ends at byte {self.taken_bytes:,} and goes on with "
                    f"something else; get it anew, or cut it off there."
                )
        return False


def _iterate_stream(form: Format, raw: _Raw, label: str) -> Iterator[bytes]:
    """Yield the text of one stream."""
    decoder = form.decoder()
    begin = raw.taken_bytes
    while not decoder.eof:
        data = raw.take() if decoder.needs_input else b""
        if not data and decoder.needs_input:
            raise CorpusError(
                f"{label} is cut off: it ends at byte {raw.taken_bytes:,} in the middle of the {form.name} data that "
                f"began at byte {begin:,}; get it anew."
            )
        try:
            unpacked = decoder.decompress(data, _UNPACKED_BYTES)
        except (zlib.error, OSError, ValueError, lzma.LZMAError, zstd.ZstdError) as error:
            raise _damaged(form, raw, label, error) from error
        if unpacked:
            yield unpacked
    raw.give_back(decoder.unused_data)


def _damaged(form: Format, raw: _Raw, label: str, error: Exception) -> CorpusError:
    cause = str(error).lower()
    if "memory" in cause:
        return CorpusError(f"{label} needs too much memory ({error}): compress it anew, with the usual settings.")
    return CorpusError(
        f"{label} is damaged: its {form.name} data cannot be unpacked before byte {raw.taken_bytes:,} ({error}); get "
        f"it anew."
    )


def _check_limits(label: str, unpacked_bytes: int, taken_bytes: int, limits: Limits) -> None:
    """Raise CorpusError where a file has unpacked to more than it may."""
    if unpacked_bytes > limits.unpacked_bytes:
        raise CorpusError(
            f"{label} unpacks to more than {limits.unpacked_bytes:,} bytes; "
            f"{limits.way_beyond('max_unpacked', limits.unpacked_bytes)}"
        )
    if unpacked_bytes > max(_ALWAYS_BYTES, limits.expansion * taken_bytes):
        raise CorpusError(
            f"{label} unpacks to more than {limits.expansion:,} times its size ({unpacked_bytes:,} bytes out of "
            f"{taken_bytes:,}), as a zip bomb does; {limits.way_beyond('max_expansion', limits.expansion)}"
        )
