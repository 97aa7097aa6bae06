"""The input of an import as a stream of bytes: a file or stdin, decompressed if necessary, hashed on the way."""

import contextlib
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from w2v_cli.errors import CorpusError, StorageError, VectorsError, option
from w2v_cli.system.compression import HEAD_BYTES, Limits, decompress, find_compression
from w2v_cli.vectors.keyed_vectors import OnDone, ignore_done

STDIN = "-"
LIMITS = Limits(100, 1 << 42, are_settings=False)  # only zeros compress better
LONGEST_LINE = 16 << 20
_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 4 << 20  # of lines that are processed together


class ByteStream:
    """The decompressed bytes of a file, read once and in order.

    Args:
        name: the file as messages call it.
        path: the file, None for stdin.
        size: the number of bytes, None if not known beforehand.
        read: returns the next stored bytes.
        on_done: called with the number of stored bytes read so far and the number of all.
    """

    def __init__(
        self,
        name: str,
        path: Path | None,
        size: int | None,
        read: Callable[[int], bytes],
        on_done: OnDone = ignore_done,
    ) -> None:
        self.name = name
        self.path = path
        self.taken_bytes = 0
        self._digest = hashlib.sha256()
        self._read_raw = read
        self._on_done = on_done
        self._file_bytes, self._read_bytes = size, 0
        self._waiting = b""
        head = self._read_hashed(HEAD_BYTES)
        while len(head) < HEAD_BYTES and (more := self._read_hashed(HEAD_BYTES - len(head))):
            head += more
        form = find_compression(head)
        self.is_packed = form is not None
        self.size = None if self.is_packed else size
        if form is None:
            self._chunks = self._iterate_plain(head)
        else:
            self._chunks = decompress(form, self._read_hashed, head, name, LIMITS)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the stored bytes read so far."""
        return self._digest.hexdigest()

    @property
    def bytes_left(self) -> int | None:
        """The number of bytes not taken yet; None if not known."""
        return None if self.size is None else self.size - self.taken_bytes

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them; fewer than `size` only at the end of the file."""
        if len(self._waiting) < size:
            parts, length = [self._waiting], len(self._waiting)
            while length < size and (chunk := self._next_chunk()):
                parts.append(chunk)
                length += len(chunk)
            self._waiting = b"".join(parts)
        return self._waiting[:size]

    def peek_line(self) -> bytes:
        """Return the next line without taking it, with its line end (LF or CRLF)."""
        size = 256
        while b"\n" not in (beginning := self.peek(size)) and len(beginning) == size:
            if size > LONGEST_LINE:
                raise self._endless_line()
            size *= 4
        return beginning[: beginning.find(b"\n") + 1 or len(beginning)]

    def take(self, size: int) -> bytes:
        """Take and return the next bytes; fewer than `size` only at the end of the file."""
        data = self.peek(size)
        self._waiting = self._waiting[len(data) :]
        self.taken_bytes += len(data)
        return data

    def take_line(self) -> bytes:
        """Take the next line and return it without its line end (LF or CRLF)."""
        return self.take(len(self.peek_line())).rstrip(b"\r\n")

    def iterate_lines(self) -> Iterator[bytes]:
        """Yield the rest as whole lines, a few MB at a time; every line ends in LF, CRLF is converted."""
        while block := self.peek(_BLOCK_BYTES):
            size = _BLOCK_BYTES
            while not (cut := block.rfind(b"\n") + 1) and len(block) == size:
                if size > LONGEST_LINE:
                    raise self._endless_line()
                size *= 2
                block = self.peek(size)
            block = self.take(cut or len(block))
            yield (block if cut else block + b"\n").replace(b"\r\n", b"\n")

    def file_path(self) -> Path:
        """Return the path of the file, for a format whose parts are looked up.

        Raises VectorsError for stdin and for a compressed file.
        """
        if self.path is None or self.is_packed:
            how = "compressed" if self.path else "from a pipe"
            raise VectorsError(
                f"{self.name}: this format cannot be read {how}, because its parts are looked up; give the plain file."
            )
        return self.path

    def drain(self) -> None:
        """Read to the end of the file, for its SHA-256."""
        self._on_done = ignore_done
        self._waiting = b""
        while self._next_chunk():
            pass

    def _endless_line(self) -> VectorsError:
        return VectorsError(
            f"{self.name} has a line of more than {LONGEST_LINE:,} bytes at byte {self.taken_bytes:,}, so it does not "
            f"hold vectors as text; if it has another format, name it with {option('format')}."
        )

    def _next_chunk(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except CorpusError as error:  # decompression is shared with texts
            raise VectorsError(error.message) from error

    def _iterate_plain(self, head: bytes) -> Iterator[bytes]:
        if head:
            yield head
        while chunk := self._read_hashed(_CHUNK_BYTES):
            yield chunk

    def _read_hashed(self, size: int) -> bytes:
        data = self._read_raw(size)
        self._digest.update(data)
        self._read_bytes += len(data)
        self._on_done(self._read_bytes, self._file_bytes)
        return data


@contextlib.contextmanager
def open_stream(place: str, on_done: OnDone = ignore_done) -> Iterator[ByteStream]:
    """Yield the stream of a file, or of stdin for `-`; on_done as for ByteStream.

    Raises VectorsError for a missing or empty file, StorageError for one that cannot be read.
    """
    if place == STDIN:
        if sys.stdin is None:
            raise VectorsError("stdin is closed; pipe vectors into it, or pass a file.")
        yield _checked(ByteStream("stdin", None, None, sys.stdin.buffer.read, on_done))
        return
    path = Path(place)
    try:
        if not path.exists():
            raise VectorsError(f"{path} not found; check the path, or use - to read stdin.")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            size = status.st_size if stat.S_ISREG(status.st_mode) else None
            yield _checked(ByteStream(str(path), path, size, file.read, on_done))
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}; check its permissions and its disk.") from error


def _checked(stream: ByteStream) -> ByteStream:
    """Return the stream; raise VectorsError if it is empty."""
    if not stream.peek(1):
        raise VectorsError(f"{stream.name} is empty; pass a file of vectors.")
    return stream
