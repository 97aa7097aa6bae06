"""A cluster on this machine: worker processes that end with this one, get no signals and leave no files."""

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from w2v_cli.errors import ClusterError, ConfigError
from w2v_cli.system.files import clear_stale, open_temporary

_FOLDER = "w2v-cluster"
_FOLDER_VARIABLE = "_W2V_CLUSTER_FOLDER"  # where workers leave the _UNGUARDED file
_UNGUARDED = "unguarded"
_CLOSE_SECONDS = 10
_WORKER_NAME = "Dask Worker process"  # Dask's name for them
_PRIVATE = 0o700
_BLOCKED_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_NO_LEAKS = "ignore:resource_tracker:UserWarning"  # about the semaphores of a killed driver, which are gone


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[str]:
    """Yield the URL of a scheduler on 127.0.0.1 with a number of workers of one thread each.

    Raises:
        ClusterError: the workers do not start.
        ConfigError: the script of the driver starts a training when it is imported.
    """
    import distributed  # noqa: PLC0415  an extra

    start: Any = distributed.LocalCluster
    with _folder() as folder, _signal_free_loop(distributed.utils.LoopRunner) as loop:
        try:
            cluster = start(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # None alone would still take port 8787
                memory_limit=0,
                local_directory=str(folder),
                silence_logs=logging.CRITICAL,
                preload=["w2v_cli.cluster.tasks"],
                loop=loop,
            )
        except (OSError, RuntimeError) as error:
            if (folder / _UNGUARDED).exists():
                raise ConfigError(
                    "each worker runs the script that starts it, and this one trains again: call w2v_cli.train below "
                    "if __name__ == '__main__':"
                ) from None
            raise ClusterError(f"cannot start {workers} workers on this machine: {error}; try fewer.") from error
        try:
            yield cluster.scheduler_address
        finally:
            with contextlib.suppress(Exception):  # workers that do not end are killed below
                cluster.close(timeout=_CLOSE_SECONDS)
            _kill_workers()


def _kill_workers() -> None:
    """Kill the remaining workers: they get no SIGTERM, and this process would wait for them when it ends."""
    for child in multiprocessing.active_children():
        if child.name.startswith(_WORKER_NAME):
            child.kill()


def end_if_worker() -> None:
    """End the process silently if it is a worker that imports the script of its driver and calls train."""
    folder = os.environ.get(_FOLDER_VARIABLE)
    if folder is not None and getattr(multiprocessing.current_process(), "_inheriting", False):
        (Path(folder) / _UNGUARDED).touch()
        raise SystemExit(1)


@contextlib.contextmanager
def _signal_free_loop(make_runner: Callable[[], Any]) -> Iterator[Any]:
    """Yield an event loop whose thread gets no signals, nor do the threads and processes that it starts.

    A terminal, a batch system or a shell sends signals to all processes of a group; the driver alone handles them.
    """
    runner = make_runner()
    with _without_signals():
        _start_tracker()
        with _without_signals():  # _start_tracker unblocks some
            runner.start()
    try:
        yield runner.loop
    finally:
        runner.stop(timeout=_CLOSE_SECONDS)


@contextlib.contextmanager
def _without_signals() -> Iterator[None]:
    """Block signals in this thread and in the threads and processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in _BLOCKED_SIGNALS])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_tracker() -> None:
    """Start the process that frees semaphores, without its warning if this process is killed."""
    if os.name != "posix":
        return
    name, before = "PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS")
    os.environ[name] = f"{before},{_NO_LEAKS}" if before else _NO_LEAKS
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a temporary folder for the files of the workers; folders of killed drivers are removed first.

    The name of each folder is that of a temporary file beside it, which its driver holds.
    """
    place = Path(tempfile.gettempdir())
    clear_stale(place)
    for old in place.glob(f"{_FOLDER}-{'[0-9a-f]' * 16}"):
        if not old.with_name(f".{old.name.replace(_FOLDER, 'w2v')}.tmp").exists():
            shutil.rmtree(old, ignore_errors=True)
    with open_temporary(place) as (held, _):
        folder = place / held.stem.replace(".w2v", _FOLDER)
        try:
            folder.mkdir(_PRIVATE)
            os.environ[_FOLDER_VARIABLE] = str(folder)
            yield folder
        finally:
            os.environ.pop(_FOLDER_VARIABLE, None)
            shutil.rmtree(folder, ignore_errors=True)
