"""The set-up of Numba: compiled code is kept in the user's cache folder, so each machine compiles once."""

import contextlib
import functools
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core import codegen as untyped_codegen

_numba_config: Any = numba.config  # its settings are made at run time
codegen: Any = untyped_codegen
_logger = logging.getLogger(__name__)


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return Numba's compiler with the options of every kernel: cached, and without the interpreter's lock.

    Division by zero gives infinity, as in NumPy: a check for it would keep a loop from being vectorised. There is no
    memory manager, which would count references to every array that is passed on, a quarter of the time of a block: a
    function that allocates does not compile.
    """
    fixed: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    compiler: Any = numba.njit

    def compiled(function: Callable[..., Any]) -> Any:
        with _our_cache_folder():
            return compiler(**fixed, **options)(function)

    return compiled


def njit_part(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return the compiler for a function that only compiled code calls: a call from Python ends the process.

    The wrapper for Python, which unpacks every array of every tuple, takes a quarter of the time to compile.
    """
    return njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)


def has_avx512() -> bool:
    """Return whether code is compiled for AVX-512, which has 32 registers of 16 floats."""
    features = _numba_config.CPU_FEATURES
    return "+avx512f" in (codegen.get_host_cpu_features() if features is None else features)


@contextlib.contextmanager
def _our_cache_folder() -> Iterator[None]:
    """Make Numba use our folder for functions declared in this block; other functions of a notebook keep its own."""
    chosen = _numba_config.CACHE_DIR
    _numba_config.CACHE_DIR = chosen or _cache_folder()
    try:
        yield
    finally:
        _numba_config.CACHE_DIR = chosen


@functools.cache
def _cache_folder() -> str:
    return str(_writable_cache_folder())


def is_kept(function: Any) -> bool:
    """Return whether compiled code of a function is in the cache, so that its first call does not compile."""
    folder = Path(function.stats.cache_path)
    name = f"{Path(function.py_func.__code__.co_filename).stem}.{function.py_func.__name__}-*.nbc"
    return any(folder.glob(name))


def _sources_stamp() -> str:
    """Return a name for this version of all sources: Numba does not notice a change in a called function."""
    sources = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def _writable_cache_folder() -> Path:
    """Return the user's cache folder, or with a warning a temporary one if it cannot be written."""
    folder = platformdirs.user_cache_path("w2v") / "numba" / _sources_stamp()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
        substitute = Path(tempfile.mkdtemp(prefix=f"w2v-numba-{user}-"))
        _logger.warning("cannot keep compiled code in %s (%s): using %s for this run", folder, error, substitute)
        return substitute
