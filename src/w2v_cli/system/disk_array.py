"""Arrays that grow in files without a name, so that memory does not bound them."""

import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.system.files import disk_errors


class DiskArray:
    """An array that grows in a file without a name, which vanishes when the array is no longer used."""

    def __init__(self, dtype: type[np.generic], beside: Path | None) -> None:
        """Make an empty array.

        Args:
            dtype: of its items.
            beside: the output that the array is needed for: the file lies in its folder, and the error of a full disk
                names it. None: the system's folder for temporary files.
        """
        self._dtype = dtype
        folder = Path(tempfile.gettempdir()) if beside is None else beside.absolute().parent
        self._wanted = folder if beside is None else beside
        with disk_errors(self._wanted):
            self._file: Any = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  lives as long as the array
        weakref.finalize(self, self._file.close)
        self.size = 0

    def write(self, items: NDArray[Any]) -> int:
        """Append items; return their number. Raises StorageError if the disk is full."""
        with disk_errors(self._wanted):
            self._file.write(items.astype(self._dtype, copy=False).data)
        self.size += len(items)
        return len(items)

    def read(self) -> NDArray[Any]:
        """Return all items, mapped from the file; the caller may change them."""
        with disk_errors(self._wanted):
            self._file.flush()
        if self.size == 0:
            return np.empty(0, self._dtype)
        return np.asarray(np.memmap(self._file, self._dtype, mode="r+", shape=(self.size,)))
