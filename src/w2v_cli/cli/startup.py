"""Checks before NumPy is loaded: memory for the libraries, and permission to start threads.

The libraries handle neither: without memory OpenBLAS and LLVM abort with messages of their own or retry for ever, and
without a thread OpenBLAS sends SIGINT to its own process, as if the user had pressed Ctrl-C.
"""

import os
import sys
import threading

from w2v_cli.errors import StorageError
from w2v_cli.system.machine import available_cores, process_limits

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_MOST_BLAS_THREADS = 64  # the most that the OpenBLAS of NumPy's wheels starts
_TO_ANSWER = 150_000_000  # bytes of address space that NumPy takes
_TO_TRAIN = 350_000_000  # NumPy, Numba, LLVM and the rest
_MEGABYTE = 1_000_000


def prepare(*, to_train: bool) -> None:
    """Check the limits of the process, and limit OpenBLAS to one thread if threads or their memory are limited.

    The user's OPENBLAS_NUM_THREADS is kept. Does nothing if NumPy is loaded already.

    Args:
        to_train: whether the command loads Numba.

    Raises:
        StorageError: if a limit leaves too little memory for the libraries.
    """
    # With colorama installed Numba would write a reset of colours to the terminal when the program ends.
    os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")
    if "numpy" in sys.modules:
        return
    limits = process_limits()
    needed = _TO_TRAIN if to_train else _TO_ANSWER
    for limit in limits:
        if limit.available < needed:
            raise StorageError(
                f"w2v needs {needed // _MEGABYTE} MB of memory to start and {limit.available // _MEGABYTE} MB are "
                f"available (limit: {limit.name}): raise the limit."
            )
    if _BLAS_THREADS not in os.environ and (limits or not may_start(min(available_cores(), _MOST_BLAS_THREADS))):
        os.environ[_BLAS_THREADS] = "1"


def may_start(count: int) -> bool:
    """Return whether the system allows this many threads at once; they have ended on return.

    >>> may_start(2)
    True
    """
    is_over = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=is_over.wait, name="w2v-trial", daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:  # can't start new thread
        return False
    finally:
        is_over.set()
        for thread in started:
            thread.join()
    return True
