"""Workers on this machine: processes that end with this one, hear no signals, and leave nothing behind."""

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
_FOLDER_VARIABLE = "_W2V_CLUSTER_FOLDER"  # tells workers where to leave a sign
_UNGUARDED = "unguarded"
_CLOSE_SECONDS = 10
_WORKER_NAME = "Dask Worker process"  # so Dask calls them
_OURS_ALONE = 0o700
_UNHEARD = ("SIGINT", "SIGTERM", "SIGHUP")
_NO_LEAKS = "ignore:resource_tracker:UserWarning"  # of a driver that was killed: they are gone with it


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[str]:
    """Yield the URL of a scheduler on 127.0.0.1 with so many workers of one thread each.

    Raises ClusterError where they do not start.
    """
    import distributed  # noqa: PLC0415  an extra

    start: Any = distributed.LocalCluster
    with _folder() as folder, _deaf_loop(distributed.utils.LoopRunner) as loop:
        try:
            cluster = start(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else it wants port 8787 all the same
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
            with contextlib.suppress(Exception):  # what does not end by itself is killed
                cluster.close(timeout=_CLOSE_SECONDS)
            _kill_workers()


def _kill_workers() -> None:
    """Kill the workers that are left: they hear no SIGTERM, and this process would wait for them when it ends."""
    for child in multiprocessing.active_children():
        if child.name.startswith(_WORKER_NAME):
            child.kill()


def end_if_worker() -> None:
    """End the process, in silence, where it is a worker that has come here while it imports its driver's script."""
    folder = os.environ.get(_FOLDER_VARIABLE)
    if folder is not None and getattr(multiprocessing.current_process(), "_inheriting", False):
        (Path(folder) / _UNGUARDED).touch()
        raise SystemExit(1)


@contextlib.contextmanager
def _deaf_loop(make_runner: Callable[[], Any]) -> Iterator[Any]:
    """Yield a loop whose thread, with all threads and processes that it starts, gets no signal: they are for us.

    What a terminal, a batch system or a shell sends goes to all processes of a group at once.
    """
    runner = make_runner()
    with _without_signals():
        _start_tracker()
        with _without_signals():  # it lets some through again
            runner.start()
    try:
        yield runner.loop
    finally:
        runner.stop(timeout=_CLOSE_SECONDS)


@contextlib.contextmanager
def _without_signals() -> Iterator[None]:
    """Block signals in this thread, and in what it starts, which keeps them blocked."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in _UNHEARD])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_tracker() -> None:
    """Start the process that clears away semaphores, which is to be silent about them where this one is killed."""
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
    """Yield a folder for workers' files, which is removed afterwards; those of killed drivers are removed first.

    Each has the name of a temporary file beside it that its driver holds.
    """
    place = Path(tempfile.gettempdir())
    clear_stale(place)
    for old in place.glob(f"{_FOLDER}-{'[0-9a-f]' * 16}"):
        if not old.with_name(f".{old.name.replace(_FOLDER, 'w2v')}.tmp").exists():
            shutil.rmtree(old, ignore_errors=True)
    with open_temporary(place) as (held, _):
        folder = place / held.stem.replace(".w2v", _FOLDER)
        try:
            folder.mkdir(_OURS_ALONE)
            os.environ[_FOLDER_VARIABLE] = str(folder)
            yield folder
        finally:
            os.environ.pop(_FOLDER_VARIABLE, None)
            shutil.rmtree(folder, ignore_errors=True)
