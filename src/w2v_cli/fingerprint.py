"""A hash of files and of where each of them ends."""

import hashlib


class Fingerprint:
    """The SHA-256 of one file; of several the SHA-256 of theirs, one after the other. Empty files do not count.

    >>> one = Fingerprint()
    >>> one.update(b"text")
    >>> one.end_file()
    >>> one.hex == hashlib.sha256(b"text").hexdigest()
    True
    """

    def __init__(self) -> None:
        self.files = 0
        self._of_file = hashlib.sha256()
        self._of_files = hashlib.sha256()
        self._last = hashlib.sha256().hexdigest()
        self._is_begun = False

    @property
    def hex(self) -> str:
        """The hash of the files that have ended."""
        return self._of_files.hexdigest() if self.files > 1 else self._last

    def update(self, data: bytes) -> None:
        """Add bytes to the file that is read."""
        self._of_file.update(data)
        self._is_begun = self._is_begun or bool(data)

    def end_file(self) -> None:
        """End the file."""
        if self._is_begun:
            self.files += 1
            self._last = self._of_file.hexdigest()
            self._of_files.update(self._of_file.digest())
            self._of_file, self._is_begun = hashlib.sha256(), False
