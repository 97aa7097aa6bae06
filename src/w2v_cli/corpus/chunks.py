"""Chunks of bytes as they come → blocks of one size → pieces of bounded size that end at white space."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

ASCII_SPACE = b" \t\n\r\x0b\x0c"


def read_fully(read: Callable[[int], bytes], size: int) -> bytes:
    """Return the next `size` bytes, fewer only where the file ends; a pipe may give them in any portions."""
    data = b""
    while len(data) < size and (more := read(size - len(data))):
        data += more
    return data


def with_whole_beginning(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first chunks as one of at least `size` bytes, if there are so many, and an iterator over all."""
    beginning = b""
    for chunk in chunks:
        beginning += chunk
        if len(beginning) >= size:
            break
    return beginning, chain([beginning], chunks)


def iterate_blocks(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in blocks of `size`, the last one perhaps shorter.

    >>> list(iterate_blocks([b"abc", b"", b"defg"], 2))
    [b'ab', b'cd', b'ef', b'g']
    """
    gathered = bytearray()
    for chunk in chunks:
        gathered += chunk
        whole = len(gathered) - len(gathered) % size
        for begin in range(0, whole, size):
            yield bytes(gathered[begin : begin + size])
        del gathered[:whole]
    if gathered:
        yield bytes(gathered)


class Chunker:
    """Cuts texts that come one after the other into pieces of `size` or a little more, at white space.

    A token that is longer than `longest` loses what is beyond the first byte too many, so that no piece is much longer
    than both together; `cut_bytes` are lost in all.
    """

    def __init__(self, size: int, longest: int) -> None:
        self._size = size
        self._longest = longest
        self.cut_bytes = 0
        self._begun: list[bytes] = []  # of a token that has not ended
        self._begun_bytes = 0
        self._is_too_long = False

    def iterate_pieces(self, texts: Iterable[tuple[bytes, bool]]) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        """Yield each piece with the places, rising, where files end in it.

        texts: with each, whether a file ends with it; the last one, and each that ends a file, ends with white space.
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
        """Return a text that ends the token, without what the token must lose."""
        if not self._is_too_long:
            return text
        end = min(place for space in ASCII_SPACE if (place := text.find(space)) >= 0)
        self.cut_bytes += end
        return text[end:]

    def _begin(self, text: bytes) -> None:
        """Go on with a token that does not end here."""
        room = 0 if self._is_too_long else self._longest + 1 - self._begun_bytes
        self._begun.append(text[:room])
        self._begun_bytes += len(text[:room])
        self.cut_bytes += max(0, len(text) - room)
        self._is_too_long = self._begun_bytes > self._longest
