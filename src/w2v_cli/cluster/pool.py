"""Tasks on a cluster: sent to its workers, repeated when a worker is lost, their results returned in order."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, wait
from dataclasses import dataclass
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster.workers import WorkerRegistry
from w2v_cli.errors import ClusterError, MissingDependencyError, W2vError, option

_LOOK_SECONDS = 1.0  # between two checks of the state of a task
_CAREFUL_AFTER = 2  # losses of all copies of what tasks share, after which one task runs at a time
_MOST_LOSSES = 5  # in a row, without a single result
_AHEAD = 2  # tasks for each worker
_MOST_LABELS = 10_000


@dataclass(frozen=True)
class ClusterJoined:
    """The cluster is ready.

    Attributes:
        label: the name that the user gave the cluster.
        workers: the addresses of its present workers.
    """

    label: str
    workers: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "cluster", "cluster": self.label, "workers": list(self.workers)}


@dataclass(frozen=True)
class WorkerLost:
    """A worker was lost.

    Attributes:
        worker: its address.
        works: the labels of the tasks that it was running, which are run again.
    """

    worker: str
    works: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "worker_lost", "worker": self.worker, "works": list(self.works)}


@dataclass(frozen=True)
class Task:
    """A task: the name of its function in `tasks.py`, the arguments that it alone gets, and its label for messages."""

    name: str
    argument: tuple[Any, ...]
    label: str


@dataclass(frozen=True)
class _Submitted:
    """A task that was submitted, and the workers that may run it."""

    future: Any
    workers: frozenset[str]


class _LostError(Exception):
    """All workers that held the shared data are gone; the cause is the error that said so, if one did."""


class Cluster:
    """A connected cluster that runs tasks.

    Args:
        label: the name that the user gave it.
    """

    def __init__(self, client: Any, label: str, timeout: float, on_event: Callable[[Any], None]) -> None:
        self._client = client
        self._label = label
        self._timeout = timeout
        self._on_event = on_event
        self._registry = WorkerRegistry(client, label, client.scheduler.address, timeout)
        self._labels: dict[str, str] = {}  # of the latest tasks, by key: a loss is noticed a moment later
        self._kept: list[tuple[Any, Any]] = []  # objects, and their copies on the workers
        self._count = 0
        self._anchors: dict[str, Any] = {}

    @property
    def workers(self) -> int:
        """The number of workers when the scheduler was last asked."""
        return len(self._registry.addresses)

    def begin(self) -> None:
        """Probe the workers, wait for the first one, and emit ClusterJoined."""
        self._registry.check_scheduler()
        self._await_workers()
        while self._registry.is_probing():
            self._registry.wait_a_moment()
            self._look(is_urgent=True)
        self._on_event(ClusterJoined(self._label, self._registry.addresses))

    def run_in_order(self, tasks: Sequence[Task], *shared: Any, kept: Sequence[Any] = ()) -> Iterator[Any]:
        """Run tasks and yield their results in order.

        A task that was running on a lost worker is run again.

        Args:
            tasks: what to run; the function of each gets `kept`, `shared` and its own arguments.
            shared: data sent to all workers once for this call, and again if all workers that hold it are lost.
            kept: data that never changes, sent once and kept by the workers for later calls.

        Raises:
            W2vError: the functions raised it.
            ClusterError: the cluster is gone or cannot be reached, or a task kills every worker that runs it.
        """
        running: dict[int, _Submitted] = {}
        copies: list[Any] | None = None
        done = losses = 0
        try:
            while done < len(tasks):
                try:
                    if copies is None:
                        copies = [*self._keep(kept), *self._share(shared)]
                    ahead = 1 if losses >= _CAREFUL_AFTER else max(_AHEAD * self.workers, _AHEAD)
                    for number in range(done, min(done + ahead, len(tasks))):
                        if number not in running:
                            running[number] = self._submit(tasks[number], copies)
                    result = self._wait(running[done], tasks[done])
                except _LostError as error:
                    losses, copies, self._kept = losses + 1, None, []
                    self._registry.reset_timeout()
                    running = {
                        number: submitted
                        for number, submitted in running.items()
                        if submitted.future.status == "finished"
                    }
                    if losses > _MOST_LOSSES:
                        raise worker_killed_error(tasks[done].label, error.__cause__) from None
                    continue
                self._forget(running.pop(done).future)
                losses, done = 0, done + 1
                yield result
        finally:
            for submitted in running.values():
                self._forget(submitted.future, is_wanted=False)

    def ask_each(self, task: Task) -> None:
        """Run a task on every present worker at once; a worker that is lost meanwhile is skipped.

        Raises:
            W2vError: the function raised it on a worker.
            ClusterError: the scheduler is gone.
        """
        from w2v_cli.cluster.tasks import run_task  # noqa: PLC0415  it loads Numba

        if not self._registry.addresses:
            self._await_workers()
        try:
            replies = self._client.run(
                run_task,
                __version__,
                task.name,
                *task.argument,
                on_error="return",
                workers=list(self._registry.addresses),
            )
        except (OSError, CancelledError) as error:
            raise self._registry.scheduler_gone_error(f"its connection was lost ({type(error).__name__})") from None
        for _, reply in sorted(replies.items()):
            is_lost = isinstance(reply, OSError) and reply.errno is None  # Dask's errors of connections have none
            if isinstance(reply, Exception) and not is_lost:
                raise translate_error(reply, task.label) from None

    def _keep(self, objects: Sequence[Any]) -> list[Any]:
        """Return the workers' copies of objects that they keep; what was sent before is not sent again."""
        known = [item for item, _ in self._kept]
        if len(objects) != len(known) or any(item is not old for item, old in zip(objects, known, strict=True)):
            self._kept = list(zip(objects, self._share(objects), strict=True))
        return [copy for _, copy in self._kept]

    def _share(self, shared: Sequence[Any]) -> list[Any]:
        if not shared:
            return []
        self._await_workers()
        options = {
            "workers": list(self._registry.addresses),
            "broadcast": True,
            "hash": False,
            "timeout": self._timeout,
        }
        named = {self._key("shared"): item for item in shared}
        try:
            copies: dict[str, Any] = self._client.scatter(named, **options)
        except Exception as error:
            self._look(is_urgent=True)  # raises if the scheduler is gone
            if isinstance(error, OSError | CancelledError | KeyError | ValueError):  # a worker died
                raise _LostError from error
            raise
        self._registry.reset_timeout()  # a worker has taken it
        return [copies[name] for name in named]

    def _await_workers(self) -> None:
        """Wait until there is a worker."""
        self._look(is_urgent=True)
        while not self._registry.addresses:
            self._registry.wait_a_moment()
            self._look(is_urgent=True)

    def _submit(self, task: Task, copies: Sequence[Any]) -> _Submitted:
        """Submit a task to the workers that were probed; the scheduler may know others already."""
        from w2v_cli.cluster.tasks import run_task  # noqa: PLC0415  it loads Numba

        if not self._registry.addresses:
            self._await_workers()
        workers = self._registry.addresses
        key = self._key(task.name)
        self._labels[key] = task.label
        if len(self._labels) > _MOST_LABELS:
            del self._labels[next(iter(self._labels))]
        arguments = (__version__, task.name, *copies, *task.argument)
        future = self._client.submit(run_task, *arguments, key=key, pure=False, workers=list(workers))
        return _Submitted(future, frozenset(workers))

    def _key(self, name: str) -> str:
        """Return a new key in the group of a name.

        One small task of each group stays on the scheduler: it forgets empty groups, but never their Spans.
        """
        if name not in self._anchors:
            workers = list(self._registry.addresses)
            anchor = self._client.submit(int, key=f"w2v-{name}-{self._client.id}-0", pure=False, workers=workers)
            self._anchors[name] = anchor
        self._count += 1
        return f"w2v-{name}-{self._client.id}-{self._count}"

    def _wait(self, submitted: _Submitted, task: Task) -> Any:
        """Wait for the result of a task and for its transfer; return it."""
        from distributed import KilledWorker  # noqa: PLC0415  an extra

        fetching = self._registry.start(self._client.gather(submitted.future, asynchronous=True))
        try:
            while not wait([fetching], timeout=_LOOK_SECONDS).done:
                self._look()
                if submitted.workers.isdisjoint(self._registry.addresses):
                    raise _LostError
            result = fetching.result()
        except CancelledError:
            self._look(is_urgent=True)  # raises if the scheduler is gone
            raise _LostError from None
        except KilledWorker:
            self._look(is_urgent=True)
            raise worker_killed_error(task.label) from None
        except (W2vError, MemoryError, ImportError) as error:
            raise translate_error(error, task.label) from None
        except OSError as error:
            self._look(is_urgent=True)
            if submitted.future.status != "error":  # the transfer failed, not the task
                raise _LostError from error
            raise translate_error(error, task.label) from None
        finally:
            fetching.cancel()
        self._look()
        return result

    def _forget(self, future: Any, *, is_wanted: bool = True) -> None:
        with contextlib.suppress(Exception):  # the cluster may be gone
            if not is_wanted:
                future.cancel()
            future.release()

    def _look(self, *, is_urgent: bool = False) -> None:
        """Update the registry and emit WorkerLost for lost workers; raises what WorkerRegistry.look raises."""
        for worker in self._registry.look(is_urgent=is_urgent):
            self._on_event(WorkerLost(worker, self._labels_of(worker)))

    def _labels_of(self, worker: str) -> tuple[str, ...]:
        """Return the labels of the tasks that a worker was running when it was lost."""
        events = self._registry.ask(self._client.scheduler.events, topic=worker)
        keys = [
            key for _, event in events if event.get("action") == "remove-worker" for key in event["processing-tasks"]
        ]
        return tuple(self._labels[key] for key in keys if key in self._labels)


def worker_killed_error(label: str, cause: BaseException | None = None) -> ClusterError:
    """Return the error for a task that cannot run.

    cause: the error while sending it; None if it killed its workers.
    """
    if cause is not None:
        return ClusterError(
            f"cannot exchange data with the workers for {label}: {_described(cause)}. Open their ports to this "
            f"machine; their logs may say more."
        )
    return ClusterError(
        f"{label} killed every worker that ran it, most often for lack of memory; see the logs of the workers."
    )


def translate_error(error: Exception, label: str) -> Exception:
    """Return the error to show for one that a worker raised; label: the task that it was running."""
    if isinstance(error, MemoryError):
        cause = f" ({error})" if str(error) else ""
        return ClusterError(
            f"a worker ran out of memory during {label}{cause}. Give the workers more memory, or lower {option('dim')}."
        )
    if isinstance(error, ImportError):
        return MissingDependencyError(
            f"a worker lacks a package ({error}). Install the same w2v-cli on all machines of the cluster."
        )
    if isinstance(error, OSError):
        return ClusterError(f"{label} failed on a worker: {_described(error)}; see the log of the worker.")
    return error


def _described(error: BaseException) -> str:
    """Return the type of an error, and its message if it has one."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
