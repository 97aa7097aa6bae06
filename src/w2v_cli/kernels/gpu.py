"""The checks before a GPU is used: driver, device, CuPy and its libraries, with a message for each."""

import importlib
import os
import textwrap
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Protocol

from w2v_cli.errors import MissingDependencyError, option
from w2v_cli.kernels.protocols import Backend

_NO_DEVICE_STATUS = 100  # cudaErrorNoDevice
_OLDEST_CUDA = 12  # the extras are gpu12 and gpu13
_GPU = option("backend", "cupy")
_UNUSABLE = "the GPU cannot be used"  # whether `train --gpu` or `gpu-check` asked for it
_INSTALL_CUPY = (
    'Install CuPy with its CUDA libraries: pip install "w2v-cli[gpu13]" (NVIDIA driver 580 or newer) or '
    'pip install "w2v-cli[gpu12]" (driver 525 or newer).'
)


class CudaRuntime(Protocol):
    """The part of cupy.cuda.runtime that `check_gpu` calls."""

    CUDARuntimeError: type[Exception]

    def driverGetVersion(self) -> int:  # noqa: N802  CuPy's name
        """Return the newest CUDA version the driver supports, 1000·major + 10·minor; 0 without a driver."""

    def runtimeGetVersion(self) -> int:  # noqa: N802  CuPy's name
        """Return the CUDA version that CuPy was built for."""

    def getDeviceCount(self) -> int:  # noqa: N802  CuPy's name
        """Return the number of devices; raise CUDARuntimeError if CUDA does not start."""


def resolve_backend(wanted: str) -> Backend:
    """Return the backend for a value of training.backend; `auto` is the fast one for the CPU, never the GPU.

    Args:
        wanted: `auto`, `numpy`, `numba` or `cupy`.

    Raises:
        MissingDependencyError: the GPU is wanted and cannot be used; there is no silent fallback.
    """
    if wanted == "auto":
        return Backend.NUMBA
    if wanted == Backend.CUPY:
        cupy = _find_cupy()
        check_gpu(cupy.cuda.runtime, os.environ)
        check_computing(cupy)
    return Backend(wanted)


def check_gpu(runtime: CudaRuntime, environment: Mapping[str, str]) -> None:
    """Raise MissingDependencyError if the CUDA runtime finds no driver, too old a driver, or no device."""
    driver, needed = runtime.driverGetVersion(), runtime.runtimeGetVersion()
    if driver == 0:
        raise MissingDependencyError(
            f"{_UNUSABLE}: no NVIDIA driver was found on this machine. Install the driver, or train without {_GPU}."
        )
    if driver // 1000 < needed // 1000:
        raise MissingDependencyError(
            f"{_UNUSABLE}: the NVIDIA driver supports CUDA {_dotted(driver)} and the installed CuPy needs CUDA "
            f"{_dotted(needed)}. Update the driver{_older_cupy(driver // 1000, needed // 1000)}."
        )
    try:
        devices = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        if getattr(error, "status", None) != _NO_DEVICE_STATUS:
            raise MissingDependencyError(
                f"{_UNUSABLE}: CUDA does not start: {_one_line(error)}. Repair the driver, or train without {_GPU}."
            ) from error
        devices = 0
    if devices == 0:
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        raise MissingDependencyError(
            f"{_UNUSABLE}: the NVIDIA driver works, but shows no device (CUDA_VISIBLE_DEVICES is "
            f"{'not set' if visible is None else repr(visible)}). Make a device visible, or train without {_GPU}."
        )


def check_computing(cupy: Any) -> None:
    """Raise MissingDependencyError if there is a device, but CuPy does not compute on it.

    CuPy looks for its libraries when it first needs them, which would be in the middle of training. Without NVRTC it
    raises DynamicLibNotFoundError, a RuntimeError; without cuBLAS ImportError; without CUDA's headers CompileException.
    NVRTC is checked separately: CuPy's cache may hold what an earlier run compiled, but not block.cu.
    """
    try:
        cupy.cuda.nvrtc.getVersion()
        ones = cupy.ones((2, 2), dtype=cupy.float32)
        (ones @ ones).get()
    except (RuntimeError, ImportError, OSError, cupy.cuda.compiler.CompileException) as error:
        raise MissingDependencyError(
            f"{_UNUSABLE}: CuPy finds a device, but does not compute on it: {_one_line(error)}. {_INSTALL_CUPY}"
        ) from error


def import_cupy() -> ModuleType:
    """Return CuPy.

    Raises:
        ImportError: CuPy is not installed, or its libraries do not load.
    """
    return importlib.import_module("cupy")


def _find_cupy() -> Any:
    """Return CuPy; raise MissingDependencyError if it cannot be imported."""
    try:
        return import_cupy()
    except ImportError as error:
        cause = error.__cause__ or error  # CuPy wraps the cause in a page of advice
        raise MissingDependencyError(
            f"{_UNUSABLE}: it needs CuPy, which cannot be imported ({_one_line(cause)}). {_INSTALL_CUPY}"
        ) from error


def _older_cupy(driver: int, needed: int) -> str:
    """Return the advice to install a CuPy for the driver's major CUDA version; empty if there is none."""
    if driver < _OLDEST_CUDA:
        return ""
    return (
        f", or install the CuPy for CUDA {driver}: pip uninstall cupy-cuda{needed}x, then "
        f'pip install "w2v-cli[gpu{driver}]"'
    )


def _one_line(error: BaseException) -> str:
    return textwrap.shorten(str(error), width=200, placeholder=" …")


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
