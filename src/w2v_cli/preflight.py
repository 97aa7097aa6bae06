"""Is there what a run asks for? A GPU, a driver, a package: one message for each thing that can be missing."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

from w2v_cli.errors import MissingDependencyError
from w2v_cli.kernels.contract import Backend

_NO_DEVICE_STATUS = 100  # cudaErrorNoDevice
_INSTALL_CUPY = (
    'Install it with: pip install "w2v-cli[gpu13]" (NVIDIA driver 580 or newer) or pip install "w2v-cli[gpu12]" '
    "(driver 525 or newer)."
)


class CudaRuntime(Protocol):
    """The part of cupy.cuda.runtime that preflight asks."""

    CUDARuntimeError: type[Exception]

    def driverGetVersion(self) -> int:  # noqa: N802  CuPy's name
        """Return the newest CUDA version the driver supports, 1000·major + 10·minor; 0 without a driver."""

    def runtimeGetVersion(self) -> int:  # noqa: N802  CuPy's name
        """Return the CUDA version that CuPy was built for."""

    def getDeviceCount(self) -> int:  # noqa: N802  CuPy's name
        """Return the number of devices; raise CUDARuntimeError where CUDA does not start."""


def resolve_backend(wanted: str) -> Backend:
    """Return the backend for a setting of training.backend; `auto` is the fast one for the CPU, never the GPU.

    Raises MissingDependencyError where the GPU is wanted and cannot be used: there is no silent fall back.
    """
    if wanted == "auto":
        return Backend.NUMBA
    if wanted == Backend.CUPY:
        check_gpu(_import_runtime(), os.environ)
    return Backend(wanted)


def check_gpu(runtime: CudaRuntime, environment: Mapping[str, str]) -> None:
    """Raise MissingDependencyError where the CUDA runtime finds no driver, too old a driver, or no device."""
    driver, needed = runtime.driverGetVersion(), runtime.runtimeGetVersion()
    if driver == 0:
        raise MissingDependencyError(
            "--gpu was given but no NVIDIA driver was found on this machine. Run without --gpu, or install the driver."
        )
    if driver // 1000 < needed // 1000:
        raise MissingDependencyError(
            f"--gpu was given but the NVIDIA driver supports CUDA {_dotted(driver)} and the installed CuPy needs CUDA "
            f"{_dotted(needed)}. Update the driver, or install the CuPy for CUDA {driver // 1000}: "
            f'pip uninstall cupy-cuda{needed // 1000}x, then pip install "w2v-cli[gpu{driver // 1000}]".'
        )
    try:
        devices = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        if getattr(error, "status", None) != _NO_DEVICE_STATUS:
            raise MissingDependencyError(
                f"--gpu was given but CUDA does not start: {error}. Run without --gpu, or mend the driver."
            ) from error
        devices = 0
    if devices == 0:
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        raise MissingDependencyError(
            f"--gpu was given and the NVIDIA driver is there but shows no device (CUDA_VISIBLE_DEVICES is "
            f"{'not set' if visible is None else repr(visible)}). Run without --gpu, or make a device visible."
        )


def _import_runtime() -> CudaRuntime:
    from w2v_cli.kernels.arrays import import_cupy  # noqa: PLC0415  an extra, seconds to import

    try:
        cupy: Any = import_cupy()
    except ImportError as error:
        raise MissingDependencyError(f"--gpu needs CuPy, which is not here ({error}). {_INSTALL_CUPY}") from error
    runtime: CudaRuntime = cupy.cuda.runtime
    return runtime


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
