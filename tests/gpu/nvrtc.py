"""The CUDA compiler of the wheel nvidia-cuda-nvrtc, by ctypes: it needs no GPU, no driver and no CuPy."""

import ctypes
import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

WHEEL = "nvidia-cuda-nvrtc"


class Usage(NamedTuple):
    """What a kernel takes: registers of a thread, and bytes of its stack and of spills."""

    registers: int
    stack: int
    spills: int


class Nvrtc:
    """Compiles CUDA source for an architecture; raises ImportError where the wheel is not installed."""

    def __init__(self):
        self._library = ctypes.CDLL(str(_find_library()))

    def compile(self, source, options):
        """Return (PTX, log) of a source; raises ValueError with the compiler's log where it does not compile."""
        program = ctypes.c_void_p()
        self._check("CreateProgram", ctypes.byref(program), source.encode(), b"block.cu", 0, None, None)
        try:
            given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
            status = self._library.nvrtcCompileProgram(program, len(options), given)
            log = self._text(program, "ProgramLog")
            if status != 0:
                raise ValueError(log)
            return self._text(program, "PTX"), log
        finally:
            self._check("DestroyProgram", ctypes.byref(program))

    def _text(self, program, what):
        size = ctypes.c_size_t()
        self._check(f"Get{what}Size", program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        self._check(f"Get{what}", program, text)
        return text.value.decode()

    def _check(self, name, *arguments):
        status = getattr(self._library, f"nvrtc{name}")(*arguments)
        assert status == 0, f"nvrtc{name} returned {status}"


def read_usage(log):
    """Return the Usage of each kernel in the log of --ptxas-options=-v: bytes of stack and of spills, and registers."""
    pattern = (  # ptxas 13 has another beginning of the line with the bytes than ptxas 12
        r"Function properties for (\w+)\s+(?:ptxas +\. +)?(\d+) bytes stack frame, (\d+) bytes spill stores, "
        r"(\d+) bytes spill loads\s+ptxas info\s*: Used (\d+) registers"
    )
    return {
        name: Usage(int(registers), int(stack), int(stores) + int(loads))
        for name, stack, stores, loads, registers in re.findall(pattern, log)
    }


def _find_library():
    """Return the path of libnvrtc in the wheel."""
    package = importlib.util.find_spec("nvidia")
    folders = [Path(folder) for folder in package.submodule_search_locations or ()] if package else []
    for folder in folders:
        for pattern in ("cu1*/lib/libnvrtc.so.*", "cuda_nvrtc/lib/libnvrtc.so.*"):
            found = [path for path in sorted(folder.glob(pattern)) if re.fullmatch(r"libnvrtc\.so\.\d+", path.name)]
            if found:
                return found[0]
    raise ImportError(f"the wheel {WHEEL} is not installed")
