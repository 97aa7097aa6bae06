"""A hash of files and of where each of them ends."""

import hashlib
from collections.abc import Sequence


class Fingerprint:
    """The SHA-256 of one file; of several the SHA-256 of theirs, one after the other. Empty files do not count.

    >>> one = Fingerprint()
    >>> one.update(b"text")
    >>> one.end_file()
    >>> one.hex == hashlib.sha256(b"text").hexdigest()
    True
    """

    def __init__(self) -> None:
        self.digests: list[bytes] = []
        self._of_file = hashlib.sha256()
        self._is_begun = False

    @property
    def files(self) -> int:
        """The number of files that have ended."""
        return len(self.digests)

    @property
    def hex(self) -> str:
        """The hash of the files that have ended."""
        return hash_of(self.digests).hex()

    def update(self, data: bytes) -> None:
        """Add bytes to the file that is read."""
        self._of_file.update(data)
        self._is_begun = self._is_begun or bool(data)

    def end_file(self) -> None:
        """End the file."""
        if self._is_begun:
            self.digests.append(self._of_file.digest())
            self._of_file, self._is_begun = hashlib.sha256(), False


def hash_of(digests: Sequence[bytes]) -> bytes:
    """Return the hash of what has these hashes: that of one is its own, that of none is that of nothing."""
    return digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(digests)).digest()
