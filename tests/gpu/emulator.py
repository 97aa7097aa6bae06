"""block.cu on the CPU: compiled with cuda_emulator.h before it, and launched as CUDA launches kernels."""

import ctypes
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

HEADER = Path(__file__).with_name("cuda_emulator.h")
NO_COMPILER = (
    "SKIPPED: no C++ compiler (g++, clang++, or the wheel ziglang): the GPU kernels were NOT run on the CPU emulator"
)
_ARCHITECTURE = 900  # with atomics on float4
_OPTIONS = ("-O2", "-std=c++17", "-shared", "-fPIC", "-w", "-fno-exceptions", "-fno-rtti", "-U_FORTIFY_SOURCE")


@functools.cache
def find_compiler():
    """Return the command of a C++ compiler, one of the system or the wheel ziglang, or None."""
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return (path,)
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc", "-nostdlib++", "-fno-sanitize=all")
    return None


class Emulator:
    """The kernels of a source, compiled with options such as -DDIM=100 into a folder, where a later call finds them."""

    def __init__(self, source, options, folder, *, kernels, architecture=_ARCHITECTURE):
        if re.search(r"(?<!extern )__shared__", source):
            raise ValueError("only `extern __shared__` memory is emulated")
        defines = [option for option in options if option.startswith("-D")]
        exports = "".join(f"EMULATE({kernel})\n" for kernel in kernels)
        whole = f'{HEADER.read_text(encoding="utf-8")}\n#line 1 "block.cu"\n{source}\n{exports}'
        command = (*find_compiler(), *_OPTIONS, f"-D__CUDA_ARCH__={architecture}", *defines)
        key = hashlib.sha256("\0".join((whole, *command)).encode()).hexdigest()[:24]
        self._library = ctypes.CDLL(str(_compile(whole, command, Path(folder) / f"{key}.so")))
        self._types = {kernel: self._describe(kernel) for kernel in kernels}

    def launch(self, kernel, grid, threads, shared_bytes, arguments, *, resident=None, seed=0):
        """Run a kernel to its end on NumPy arrays and scalars; RuntimeError where its threads lock each other out.

        resident: how many blocks of threads run at a time, all by default; seed decides in which turns. An argument
        too few or of another type than the kernel's is a TypeError.
        """
        _check(kernel, arguments, self._types[kernel])
        values = [np.array(a.ctypes.data, np.uint64) if isinstance(a, np.ndarray) else np.array(a) for a in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        run = getattr(self._library, f"launch_{kernel}")
        run.restype = ctypes.c_char_p
        problem = run(
            int(grid), int(threads), int(shared_bytes), int(resident or grid), ctypes.c_ulonglong(seed), pointers
        ).decode()
        if problem:
            raise RuntimeError(f"{kernel}: {problem}")

    def _describe(self, kernel):
        describe = getattr(self._library, f"describe_{kernel}")
        describe.restype = ctypes.c_char_p
        return describe().decode().split()


def _check(kernel, arguments, types):
    found = [f"{a.dtype}*" if isinstance(a, np.ndarray) else str(getattr(a, "dtype", type(a))) for a in arguments]
    if found != types:
        raise TypeError(f"{kernel} takes {types}, not {found}")
    if not all(a.flags.c_contiguous for a in arguments if isinstance(a, np.ndarray)):
        raise TypeError(f"{kernel} takes C-contiguous arrays")


def _compile(source, command, library):
    """Return the path of the library, compiled unless it is there; ValueError with what the compiler says."""
    if not library.exists():
        unfinished = library.with_suffix(f".{os.getpid()}.so")
        done = subprocess.run(
            [*command, "-x", "c++", "-o", str(unfinished), "-"],
            input=source,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ValueError(done.stderr)
        unfinished.replace(library)
    return library
