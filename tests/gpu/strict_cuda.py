"""What the stand-in for CuPy has of CUDA: one device, its attributes and events, and kernels run on the CPU emulator.

As in CuPy 14.2, whose source says so:
* a RawKernel takes (grid, block, args) by position, tuples of integers and of arguments, and shared_mem by its name;
* a block of threads has 48 KiB of dynamic shared memory unless max_dynamic_shared_size_bytes was set before, never more
  than the device has;
* a source that does not compile is a CompileException, a kernel that is not there a CUDADriverError.

Stricter than CuPy, which passes on what it is given: an argument of another type than the kernel's, one too few or too
many, an array that is not contiguous, a Python number.
"""

import functools
import math
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

_DEFAULT_SHARED_BYTES = 48 * 1024
_KERNELS = ("draw_spans", "train_blocks")
_HANDLES = {"draw_spans": 1, "train_blocks": 2}  # those of the pretended driver
ATTRIBUTES = {  # of the pretended device
    "MaxSharedMemoryPerBlockOptin": 99 * 1024,
    "MaxSharedMemoryPerMultiprocessor": 100 * 1024,
    "MultiProcessorCount": 2,
    "MaxThreadsPerMultiProcessor": 1536,
    "L2CacheSize": 6 * 2**20,
}
MEMORY = SimpleNamespace(free=7 * 2**30, total=8 * 2**30)
launches = []  # (kernel, grid, block) of every launch


class CUDARuntimeError(RuntimeError):
    """What CUDA's calls raise."""


class CUDADriverError(RuntimeError):
    """What the driver's calls raise."""


class CompileException(Exception):  # noqa: N818  CuPy's name
    """What a source that does not compile raises."""


class Event:
    """An event; the emulator is done before its launch returns, so that nobody really waits."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):  # noqa: FBT002  CuPy's
        assert {type(flag) for flag in (block, disable_timing, interprocess)} == {bool}
        self._is_recorded = False

    def record(self, stream=None):
        """Stand in the queue behind everything that was launched."""
        assert stream is None
        self._is_recorded = True

    def synchronize(self):
        """Wait."""
        assert self._is_recorded

    @property
    def done(self):
        """Whether all before it is done."""
        return self._is_recorded


class Device:
    """The current device."""

    id = 0
    compute_capability = "86"
    mem_info = property(lambda _: (MEMORY.free, MEMORY.total))

    def __init__(self, device=None):
        assert device in {None, 0}

    @property
    def attributes(self):
        """The attributes by their names."""
        return dict(ATTRIBUTES)

    def synchronize(self):
        """Wait for everything."""


class RawModule:
    """A CUDA source; its kernels are compiled at their first use."""

    def __init__(self, code=None, *, path=None, options=(), backend="nvrtc", name_expressions=None):
        if not isinstance(code, str) or path is not None or name_expressions is not None:
            raise TypeError("the stand-in takes a source")
        if not isinstance(options, tuple) or not all(isinstance(option, str) for option in options):
            raise TypeError("Expected tuple of str")
        if backend not in {"nvrtc", "nvcc"}:
            raise ValueError(f"Unknown backend {backend}")
        self._code, self._options = code, options

    def get_function(self, name):
        """Return a kernel."""
        if not isinstance(name, str):
            raise TypeError("Expected str")
        if name not in _KERNELS:
            raise CUDADriverError("CUDA_ERROR_NOT_FOUND: named symbol not found")
        return RawKernel(name, _emulator(self._code, self._options))


class RawKernel:
    """A kernel on the emulator."""

    def __init__(self, name, emulator):
        self.name = name
        self.kernel = SimpleNamespace(ptr=_HANDLES[name])
        self.num_regs, self.local_size_bytes = 96, 0
        self._emulator = emulator
        self._most_shared_bytes = _DEFAULT_SHARED_BYTES

    @property
    def max_dynamic_shared_size_bytes(self):
        """What a launch may ask for."""
        return self._most_shared_bytes

    @max_dynamic_shared_size_bytes.setter
    def max_dynamic_shared_size_bytes(self, size):
        if size > ATTRIBUTES["MaxSharedMemoryPerBlockOptin"]:
            raise CUDADriverError("CUDA_ERROR_INVALID_VALUE: invalid argument")
        self._most_shared_bytes = size

    def __call__(self, grid, block, args, *, shared_mem=0):
        """Run the kernel to its end."""
        for shape in (grid, block):
            if not isinstance(shape, tuple) or not all(type(size) is int and size > 0 for size in shape):
                raise TypeError(f"a tuple of integers is wanted, not {shape}")
        if not isinstance(args, tuple):
            raise TypeError("the arguments are a tuple")
        if shared_mem > self._most_shared_bytes:
            raise CUDADriverError("CUDA_ERROR_INVALID_VALUE: invalid argument")
        launches.append((self.name, grid, block))
        arguments = tuple(_argument(argument) for argument in args)
        self._emulator.launch(self.name, math.prod(grid), math.prod(block), shared_mem, arguments)


def _argument(argument):
    """Return what the emulator takes: the memory of an array of the device, or a number whose type is known."""
    if hasattr(argument, "_host"):
        return argument._host
    if not isinstance(argument, np.generic):
        raise TypeError(f"a kernel takes arrays of the device and NumPy's scalars, not {type(argument)}")
    return argument


@functools.cache
def _emulator(code, options):
    from emulator import Emulator  # noqa: PLC0415  it needs a compiler, which the minibatch kernels do not

    folder = Path(os.environ.get("W2V_EMULATOR_CACHE", tempfile.gettempdir())) / "w2v-emulator"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return Emulator(code, options, folder, kernels=_KERNELS)
    except ValueError as error:
        raise CompileException(str(error)) from error


def _occupancy(func, blockSize, dynamicSMemSize):  # noqa: N803  CuPy's names
    """Return how many blocks of threads find room on a multiprocessor: what the shared memory allows."""
    if func not in _HANDLES.values():
        raise CUDADriverError("CUDA_ERROR_INVALID_HANDLE: invalid resource handle")
    by_threads = ATTRIBUTES["MaxThreadsPerMultiProcessor"] // blockSize
    return min(by_threads, ATTRIBUTES["MaxSharedMemoryPerMultiprocessor"] // (dynamicSMemSize + 1024))


def _properties(device):
    assert device == 0
    return {"name": b"the stand-in on a CPU", "major": 8, "minor": 6, "totalGlobalMem": MEMORY.total}


def get_default_memory_pool():
    """Return the pool, which keeps nothing."""
    return SimpleNamespace(free_bytes=lambda: 0)


runtime = SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    driverGetVersion=lambda: 13000,
    runtimeGetVersion=lambda: 13000,
    getDeviceCount=lambda: 1,
    getDeviceProperties=_properties,
    memGetInfo=lambda: (MEMORY.free, MEMORY.total),
)
cuda = SimpleNamespace(
    runtime=runtime,
    driver=SimpleNamespace(occupancyMaxActiveBlocksPerMultiprocessor=_occupancy, CUDADriverError=CUDADriverError),
    compiler=SimpleNamespace(CompileException=CompileException),
    nvrtc=SimpleNamespace(getVersion=lambda: (13, 0)),
    Device=Device,
    Event=Event,
)
