"""Before NumPy is loaded: whether there is memory for the libraries, and whether they may start threads.

Asked of the system first, because they do not ask: without memory OpenBLAS and LLVM end the process in their own words
or try for ever, and without a thread OpenBLAS sends its own process SIGINT, as if the user had stopped it.
"""

import os
import sys
import threading

from w2v_cli.errors import StorageError
from w2v_cli.system.machine import available_cores, process_limits

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_MOST_BLAS_THREADS = 64  # that the OpenBLAS in NumPy's wheels starts
_TO_ANSWER = 150_000_000  # addresses that NumPy takes
_TO_TRAIN = 350_000_000  # NumPy, Numba, LLVM and the rest
_MEGABYTE = 1_000_000


def prepare(*, to_train: bool) -> None:
    """Raise StorageError where a limit of the process leaves no room for the libraries.

    Where threads or their memory are limited, OpenBLAS is kept to one, unless the user has said how many. In a process
    that has NumPy already there is nothing to prepare.
    """
    if "numpy" in sys.modules:
        return
    limits = process_limits()
    needed = _TO_TRAIN if to_train else _TO_ANSWER
    for limit in limits:
        if limit.available < needed:
            raise StorageError(
                f"there is room for {limit.available // _MEGABYTE} MB of memory (limit: {limit.name}), and w2v takes "
                f"{needed // _MEGABYTE} MB to start: raise the limit."
            )
    if _BLAS_THREADS not in os.environ and (limits or not may_start(min(available_cores(), _MOST_BLAS_THREADS))):
        os.environ[_BLAS_THREADS] = "1"


def may_start(count: int) -> bool:
    """Return whether the system lets so many threads live side by side; they are gone again on return.

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
