"""Division of a stream of bytes into blocks of one size, and into chunks of bounded size that end with white space."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

ASCII_SPACE = b" \t\n\r\x0b\x0c"


class Chunk(NamedTuple):
    """A part of the text that ends with white space.

    Attributes:
        text: its bytes.
        file_ends: the places in it, rising, where a file has ended.
        is_line_blank: whether only white space stands before the chunk on its first line.
    """

    text: bytes
    file_ends: tuple[int, ...]
    is_line_blank: bool


def read_fully(read: Callable[[int], bytes], size: int) -> bytes:
    """Return the next `size` bytes, fewer only at the end of the file; a pipe may give them in portions of any size."""
    data = b""
    while len(data) < size and (more := read(size - len(data))):
        data += more
    return data


def with_whole_head(stream: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes or more of a stream, fewer only if it is shorter, and an iterator over all."""
    head = b""
    for data in stream:
        head += data
        if len(head) >= size:
            break
    return head, chain([head], stream)


def iterate_blocks(stream: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the bytes of a stream in blocks of `size` bytes; the last one may be shorter.

    >>> list(iterate_blocks([b"abc", b"", b"defg"], 2))
    [b'ab', b'cd', b'ef', b'g']
    """
    gathered = bytearray()
    for data in stream:
        gathered += data
        whole = len(gathered) - len(gathered) % size
        for begin in range(0, whole, size):
            yield bytes(gathered[begin : begin + size])
        del gathered[:whole]
    if gathered:
        yield bytes(gathered)


class Chunker:
    """Cuts texts that follow one another into chunks of about `size` bytes, at white space.

    A token longer than `longest` is cut one byte after the limit, so that no chunk is much longer than
    `size` and `longest` together. `cut_bytes` counts the bytes lost.
    """

    def __init__(self, size: int, longest: int) -> None:
        self._size = size
        self._longest = longest
        self.cut_bytes = 0
        self._begun: list[bytes] = []  # of a token that has not ended
        self._begun_bytes = 0
        self._is_too_long = False

    def iterate_chunks(self, texts: Iterable[tuple[bytes, bool]]) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        """Yield each chunk with the places, rising, where files end in it.

        Args:
            texts: texts, each with whether a file ends with it. A text that ends a file ends with white space, and so
                does the last one.
        """
        ready: list[bytes] = []
        ready_bytes, file_ends = 0, []
        for text, ends_file in texts:
            cut = max(text.rfind(space) for space in ASCII_SPACE) + 1
            if cut:
                ended = [*self._begun, self._without_lost(text[:cut])]
                ready += ended
                ready_bytes += sum(map(len, ended))
                self._begun, self._begun_bytes, self._is_too_long = [], 0, False
            self._begin(text[cut:])
            if ends_file:
                file_ends.append(ready_bytes)
            if ready_bytes >= self._size:
                yield b"".join(ready), tuple(file_ends)
                ready, ready_bytes, file_ends = [], 0, []
        if ready:
            yield b"".join(ready), tuple(file_ends)

    def _without_lost(self, text: bytes) -> bytes:
        """Return a text that ends the token, without the bytes of the token beyond the limit."""
        if not self._is_too_long:
            return text
        end = min(place for space in ASCII_SPACE if (place := text.find(space)) >= 0)
        self.cut_bytes += end
        return text[end:]

    def _begin(self, text: bytes) -> None:
        """Begin or continue a token that does not end with this text."""
        room = 0 if self._is_too_long else self._longest + 1 - self._begun_bytes
        self._begun.append(text[:room])
        self._begun_bytes += len(text[:room])
        self.cut_bytes += max(0, len(text) - room)
        self._is_too_long = self._begun_bytes > self._longest
