"""The `xp` switch: NumPy or CuPy behind the few operations in which they differ (the only importer of CuPy)."""

import importlib
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from w2v_cli.kernels.protocols import Backend

_CACHE_FLOATS = 1 << 14  # 64 KiB a float32 array: Adam's seven fit the second-level cache of any recent core


class Arrays(Protocol):
    """An array module and what it does in its own way."""

    backend: Backend
    xp: ModuleType

    def to_device(self, array: Any) -> Any:
        """Return the module's copy of a NumPy array."""

    def to_host(self, array: Any) -> Any:
        """Return a NumPy array."""

    def scatter_add(self, matrix: Any, rows: Any, updates: Any) -> None:
        """Add updates (R, D) to the rows (R,) of `matrix` in place; a repeated row receives the sum."""

    def block_rows(self, matrix: Any) -> int:
        """Return how many rows an elementwise pass over `matrix` should take at a time."""


class NumPyArrays:
    """NumPy."""

    backend = Backend.NUMPY
    xp: ModuleType = np

    def to_device(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def to_host(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def scatter_add(self, matrix: Any, rows: Any, updates: Any) -> None:
        """Sort by row, sum each run, add once: several times faster than np.add.at, and always in the same order."""
        order = np.argsort(rows, kind="stable")
        sorted_rows = rows[order]
        starts = np.flatnonzero(np.concatenate(([True], sorted_rows[1:] != sorted_rows[:-1])))
        matrix[sorted_rows[starts]] += np.add.reduceat(updates[order], starts, axis=0)

    def block_rows(self, matrix: Any) -> int:
        """Return the rows that keep a pass inside the cache."""
        return max(1, _CACHE_FLOATS // int(matrix.shape[1]))


def import_cupy() -> ModuleType:
    """Return CuPy; raise ImportError where it is not installed or its libraries do not load."""
    return importlib.import_module("cupy")


class CuPyArrays:
    """CuPy; the constructor imports it, so preflight comes first."""

    backend = Backend.CUPY

    def __init__(self) -> None:
        self.xp: ModuleType = import_cupy()

    def to_device(self, array: Any) -> Any:
        """Return a copy on the current device."""
        return self.xp.asarray(array)

    def to_host(self, array: Any) -> Any:
        """Return a copy in the host's memory; waits for the device."""
        return self.xp.asnumpy(array)

    def scatter_add(self, matrix: Any, rows: Any, updates: Any) -> None:
        """Add by atomics: the order of a sum, and so its last bits, differ from run to run."""
        self.xp.add.at(matrix, rows, updates)

    def block_rows(self, matrix: Any) -> int:
        """Return all rows: a launch costs more than the cache gives."""
        return int(matrix.shape[0])
