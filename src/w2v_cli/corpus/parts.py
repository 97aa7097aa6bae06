"""Parts of files, each of some size and ending with a line, for several workers to read."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from w2v_cli.corpus import urls
from w2v_cli.corpus.chunks import ASCII_SPACE, read_fully
from w2v_cli.corpus.sources import Part, Source, Version, changed, open_file, open_source, unreadable
from w2v_cli.system import file_types
from w2v_cli.system.compression import Read, find_compression

_LOOK_BYTES = 1 << 20  # in which a line should end; a longer one is cut at any white space
_SHORT_LOOK_BYTES = 1 << 12  # in which most lines end

ReadAt = Callable[[int, int], bytes]  # (offset, size): returns `size` bytes, fewer only at the end


@dataclass(frozen=True)
class FileFacts:
    """The facts of a file that are needed before its parts are distributed.

    Attributes:
        size: its decompressed bytes, None if they are known only when the whole file has been read.
        version: an identification of this version of the file.
        has_parts: whether it can be read in parts.
    """

    size: int | None
    version: Version
    has_parts: bool

    def parts(self, source: Source, size: int) -> list[tuple[Source, int]]:
        """Return the file in parts of about `size` bytes, each with its bytes; 0 if they are not known."""
        if not self.has_parts or self.size is None:
            return [(self.whole(source), self.size or 0)]
        count = max(round(self.size / size), 1)
        cuts = [self.size * number // count for number in range(count + 1)]
        return [(self.part(source, *cut), cut[1] - cut[0]) for cut in pairwise(cuts)]

    def part(self, source: Source, first: int, last: int) -> Source:
        """Return the source of a part of the file."""
        return Source(source.place, source.folder, Part(first, last), self.version)

    def whole(self, source: Source) -> Source:
        """Return the source of the whole file, in this version."""
        return Source(source.place, source.folder, None, self.version)


def inspect_file(source: Source) -> tuple[FileFacts, bytes]:
    """Return the facts of a file, and its first bytes.

    A compressed file, and one on a server that sends no parts, has no parts. Raises what open_source raises.
    """
    version = urls.inspect_url(source.place) if urls.is_url(source.place) else _version_of(source)
    with open_source(source) as read:
        head = read_fully(read, file_types.HEAD_BYTES)
    has_parts = version["size"] is not None and find_compression(head) is None
    return FileFacts(version["size"], tuple(version.items()), has_parts), head


@contextlib.contextmanager
def open_text(source: Source) -> Iterator[Read]:
    """Yield a function that reads the next bytes of a source, of its part alone if it has one.

    Raises what open_source raises, and CorpusError if the file is no longer the version that was distributed.
    """
    if source.version is None:
        with open_source(source) as read:
            yield read
    elif urls.is_url(source.place):
        version = dict(source.version)
        first, last = _bounds(source.part, version["size"], lambda offset, size: _read_url(source, offset, size))
        with urls.open_url(source.place, first, version, is_part=source.part is not None) as read:
            yield read if last is None else _limited(read, last - first)
    else:
        with _file_of_version(source) as read:
            yield read


@contextlib.contextmanager
def _file_of_version(source: Source) -> Iterator[Read]:
    try:
        with open_file(source.place) as descriptor:
            if tuple(_version_of(source).items()) != source.version:
                raise changed(source)
            size = os.fstat(descriptor).st_size
            first, last = _bounds(source.part, size, lambda offset, count: os.pread(descriptor, count, offset))
            os.lseek(descriptor, first, os.SEEK_SET)
            yield _limited(lambda count: os.read(descriptor, count), last - first)
            if tuple(_version_of(source).items()) != source.version:
                raise changed(source)
    except OSError as error:
        raise unreadable(source, error) from error


def _version_of(source: Source) -> dict[str, Any]:
    try:
        found = os.stat(source.place)  # noqa: PTH116  as open_file
    except OSError as error:
        raise unreadable(source, error) from error
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _read_url(source: Source, offset: int, size: int) -> bytes:
    with urls.open_url(source.place, offset, dict(source.version or ()), is_part=True) as read:
        return read_fully(read, size)


def _bounds(part: Part | None, size: int, read_at: ReadAt) -> tuple[int, int]:
    """Return the first byte of a part and the one after its last, both at a line's beginning; None: the whole file."""
    if part is None:
        return 0, size
    return line_begin(part.first, size, read_at), line_begin(part.last, size, read_at)


def line_begin(offset: int, size: int, read_at: ReadAt) -> int:
    """Return the first place from `offset` on where a line begins, so that neighbouring parts share no bytes.

    If no line ends within a megabyte, it is the place after the next white space.

    Args:
        offset: a place in the file.
        size: of the whole file.
        read_at: reads bytes at a place.

    >>> text = b"the sea\\nthe ship\\n"
    >>> [line_begin(offset, len(text), lambda first, count: text[first : first + count]) for offset in (0, 1, 8, 9)]
    [0, 8, 8, 17]
    """
    if offset <= 0 or offset >= size:
        return min(max(offset, 0), size)
    at = offset - 1
    end = (block := read_at(at, _SHORT_LOOK_BYTES)).find(b"\n")
    if end < 0:
        end = (block := read_at(at, _LOOK_BYTES)).find(b"\n")
    while end < 0 and at + len(block) < size:
        places = [place for space in ASCII_SPACE if (place := block.find(space)) >= 0]
        if places:
            end = min(places)
        else:
            at += len(block)
            block = read_at(at, _LOOK_BYTES)
            if not block:
                return size
    return at + end + 1 if end >= 0 else size


def _limited(read: Read, size: int) -> Read:
    """Return a function that reads no more than `size` bytes in all."""
    left = size

    def read_some(count: int) -> bytes:
        nonlocal left
        data = read(min(count, left)) if left > 0 else b""
        left -= len(data)
        return data

    return read_some
