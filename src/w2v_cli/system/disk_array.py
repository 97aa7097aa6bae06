"""Arrays that grow in files without a name, so that memory does not bound them."""

import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.system.files import disk_errors


class DiskArray:
    """An array that grows in a file without a name: it is gone when nobody uses it.

    beside: the output that it is needed for, whose folder it takes and which a full disk is told of; None: the system's
    folder for temporary files.
    """

    def __init__(self, dtype: type[np.generic], beside: Path | None) -> None:
        self._dtype = dtype
        folder = Path(tempfile.gettempdir()) if beside is None else beside.absolute().parent
        self._wanted = folder if beside is None else beside
        with disk_errors(self._wanted):
            self._file: Any = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  lives as long as the array
        weakref.finalize(self, self._file.close)
        self.size = 0

    def write(self, items: NDArray[Any]) -> int:
        """Add items at the end; return their number. Raises StorageError where the disk is full."""
        with disk_errors(self._wanted):
            self._file.write(items.astype(self._dtype, copy=False).data)
        self.size += len(items)
        return len(items)

    def read(self) -> NDArray[Any]:
        """Return all items, mapped from the file; they may be changed."""
        with disk_errors(self._wanted):
            self._file.flush()
        if self.size == 0:
            return np.empty(0, self._dtype)
        return np.asarray(np.memmap(self._file, self._dtype, mode="r+", shape=(self.size,)))
