"""Work goes out to a cluster and results come back in order, whoever dies on the way."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, wait
from dataclasses import dataclass
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster.workers import WorkerRegistry
from w2v_cli.errors import ClusterError, MissingDependencyError, W2vError, option

_LOOK_SECONDS = 1.0  # between two looks at what has become of a task
_CAREFUL_AFTER = 2  # losses of all copies of what tasks share, after which one task runs at a time
_MOST_LOSSES = 5  # in a row, without a single result
_AHEAD = 2  # tasks for each worker
_MOST_LABELS = 10_000


@dataclass(frozen=True)
class ClusterJoined:
    """Work can be given to the cluster: where it is, and the workers that it has now, by address."""

    label: str
    workers: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "cluster", "cluster": self.label, "workers": list(self.workers)}


@dataclass(frozen=True)
class WorkerLost:
    """A worker is gone; works: the labels of what it was at, which is done again."""

    worker: str
    works: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "worker_lost", "worker": self.worker, "works": list(self.works)}


@dataclass(frozen=True)
class Work:
    """A task: the name of its function (cluster_tasks), what it alone is given, and what messages call it."""

    name: str
    argument: tuple[Any, ...]
    label: str


@dataclass(frozen=True)
class _Begun:
    """A task that was given away, and the workers that it may go to."""

    future: Any
    workers: frozenset[str]


class _LostError(Exception):
    """No worker has what tasks share any more; the cause is the error that told so, if one did."""


class Cluster:
    """Runs tasks on the cluster of a client; label: how the user has named it."""

    def __init__(self, client: Any, label: str, timeout: float, on_event: Callable[[Any], None]) -> None:
        self._client = client
        self._label = label
        self._timeout = timeout
        self._on_event = on_event
        self._members = WorkerRegistry(client, label, client.scheduler.address, timeout)
        self._labels: dict[str, str] = {}  # of the latest tasks, by their keys: a loss is noticed a moment later
        self._kept: list[tuple[Any, Any]] = []  # things, and their copies on the workers
        self._count = 0
        self._anchors: dict[str, Any] = {}

    @property
    def workers(self) -> int:
        """The number of workers, as it was a moment ago."""
        return len(self._members.addresses)

    def begin(self) -> None:
        """Meet the workers that are there, wait for the first one, and say who is there."""
        self._members.check_scheduler()
        self._await_workers()
        while self._members.has_newcomers():
            self._members.wait_a_moment()
            self._look(is_urgent=True)
        self._on_event(ClusterJoined(self._label, self._members.addresses))

    def run_in_order(self, works: Sequence[Work], *shared: Any, kept: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the result of each work, in their order; its function gets `kept`, `shared`, and its own argument.

        What is shared goes to all workers once, and again where all that had it have died; what is kept, and never
        changes, stays with them for other calls. Raises what the functions raise of ours; ClusterError where the
        cluster is gone, cannot be reached, or a work kills each of its workers.
        """
        begun: dict[int, _Begun] = {}
        copies: list[Any] | None = None
        done = losses = 0
        try:
            while done < len(works):
                try:
                    if copies is None:
                        copies = [*self._keep(kept), *self._share(shared)]
                    ahead = 1 if losses >= _CAREFUL_AFTER else max(_AHEAD * self.workers, _AHEAD)
                    for number in range(done, min(done + ahead, len(works))):
                        if number not in begun:
                            begun[number] = self._submit(works[number], copies)
                    result = self._wait(begun[done], works[done])
                except _LostError as error:
                    losses, copies, self._kept = losses + 1, None, []
                    self._members.was_seen()  # a moment ago
                    begun = {number: task for number, task in begun.items() if task.future.status == "finished"}
                    if losses > _MOST_LOSSES:
                        raise worker_killed_error(works[done].label, error.__cause__) from None
                    continue
                self._forget(begun.pop(done).future)
                losses, done = 0, done + 1
                yield result
        finally:
            for task in begun.values():
                self._forget(task.future, is_wanted=False)

    def ask_each(self, work: Work) -> None:
        """Let each worker that is there now do a work, all at once.

        Raises what one of them raises of ours. One that dies meanwhile is passed over: the next look misses it.
        """
        from w2v_cli.cluster.tasks import run_task  # noqa: PLC0415  it loads Numba

        if not self._members.addresses:
            self._await_workers()
        try:
            answers = self._client.run(
                run_task,
                __version__,
                work.name,
                *work.argument,
                on_error="return",
                workers=list(self._members.addresses),
            )
        except (OSError, CancelledError) as error:
            raise self._members.gone(f"its connection was lost ({type(error).__name__})") from None
        for _, answer in sorted(answers.items()):
            is_lost = isinstance(answer, OSError) and answer.errno is None  # Dask's errors of connections have none
            if isinstance(answer, Exception) and not is_lost:
                raise translate_error(answer, work.label) from None

    def _keep(self, things: Sequence[Any]) -> list[Any]:
        """Return copies that stay; those that were sent before are still there."""
        known = [thing for thing, _ in self._kept]
        if len(things) != len(known) or any(thing is not old for thing, old in zip(things, known, strict=True)):
            self._kept = list(zip(things, self._share(things), strict=True))
        return [copy for _, copy in self._kept]

    def _share(self, shared: Sequence[Any]) -> list[Any]:
        if not shared:
            return []
        self._await_workers()
        options = {"workers": list(self._members.addresses), "broadcast": True, "hash": False, "timeout": self._timeout}
        named = {self._key("shared"): thing for thing in shared}
        try:
            copies: dict[str, Any] = self._client.scatter(named, **options)
        except Exception as error:
            self._look(is_urgent=True)  # a scheduler that is gone has its own words
            if isinstance(error, OSError | CancelledError | KeyError | ValueError):  # a worker died
                raise _LostError from error
            raise
        self._members.was_seen()  # somebody has taken it
        return [copies[name] for name in named]

    def _await_workers(self) -> None:
        """Return when there is a worker to give work to."""
        self._look(is_urgent=True)
        while not self._members.addresses:
            self._members.wait_a_moment()
            self._look(is_urgent=True)

    def _submit(self, work: Work, copies: Sequence[Any]) -> _Begun:
        """Give a task away; only to workers that have been met, whoever else comes to the scheduler meanwhile."""
        from w2v_cli.cluster.tasks import run_task  # noqa: PLC0415  it loads Numba

        if not self._members.addresses:
            self._await_workers()
        workers = self._members.addresses
        key = self._key(work.name)
        self._labels[key] = work.label
        if len(self._labels) > _MOST_LABELS:
            del self._labels[next(iter(self._labels))]
        arguments = (__version__, work.name, *copies, *work.argument)
        future = self._client.submit(run_task, *arguments, key=key, pure=False, workers=list(workers))
        return _Begun(future, frozenset(workers))

    def _key(self, name: str) -> str:
        """Return a new key of the group of a name.

        The scheduler keeps one small task of each group: it forgets those that are empty, but never their Spans.
        """
        if name not in self._anchors:
            workers = list(self._members.addresses)
            anchor = self._client.submit(int, key=f"w2v-{name}-{self._client.id}-0", pure=False, workers=workers)
            self._anchors[name] = anchor
        self._count += 1
        return f"w2v-{name}-{self._client.id}-{self._count}"

    def _wait(self, task: _Begun, work: Work) -> Any:
        """Return the result of a task when it is there and has come here, however long that takes."""
        from distributed import KilledWorker  # noqa: PLC0415  an extra

        fetching = self._members.start(self._client.gather(task.future, asynchronous=True))
        try:
            while not wait([fetching], timeout=_LOOK_SECONDS).done:
                self._look()
                if task.workers.isdisjoint(self._members.addresses):
                    raise _LostError
            result = fetching.result()
        except CancelledError:
            self._look(is_urgent=True)  # a scheduler that is gone has its own words
            raise _LostError from None
        except KilledWorker:
            self._look(is_urgent=True)
            raise worker_killed_error(work.label) from None
        except (W2vError, MemoryError, ImportError) as error:
            raise translate_error(error, work.label) from None
        except OSError as error:
            self._look(is_urgent=True)
            if task.future.status != "error":  # it was on its way here
                raise _LostError from error
            raise translate_error(error, work.label) from None
        finally:
            fetching.cancel()
        self._look()
        return result

    def _forget(self, future: Any, *, is_wanted: bool = True) -> None:
        with contextlib.suppress(Exception):  # the cluster may be gone, and then there is nothing to forget
            if not is_wanted:
                future.cancel()
            future.release()

    def _look(self, *, is_urgent: bool = False) -> None:
        """See who is there, and tell who is gone; the errors are those of WorkerRegistry.look."""
        for worker in self._members.look(is_urgent=is_urgent):
            self._on_event(WorkerLost(worker, self._works_of(worker)))

    def _works_of(self, worker: str) -> tuple[str, ...]:
        """Return the labels of what a worker was at when it was lost."""
        said = self._members.ask(self._client.scheduler.events, topic=worker)
        keys = [key for _, event in said if event.get("action") == "remove-worker" for key in event["processing-tasks"]]
        return tuple(self._labels[key] for key in keys if key in self._labels)


def worker_killed_error(label: str, cause: BaseException | None = None) -> ClusterError:
    """Return the error for a work that cannot be done; cause: why it could not be sent, None: it kills its workers."""
    if cause is not None:
        return ClusterError(
            f"cannot exchange data with the workers for {label}: {_told(cause)}; their ports have to be open to this "
            f"machine, and their logs may say more."
        )
    return ClusterError(
        f"{label} has killed each worker that was at it: see their logs; too little memory is the usual cause."
    )


def translate_error(error: Exception, label: str) -> Exception:
    """Return what a worker has raised as what the user is told; label: what it was at."""
    if isinstance(error, MemoryError):
        cause = f" ({error})" if str(error) else ""
        return ClusterError(
            f"a worker has no memory left for {label}{cause}: give workers more, or lower {option('dim')}."
        )
    if isinstance(error, ImportError):
        return MissingDependencyError(
            f"a worker lacks a package ({error}): install the same w2v-cli on all machines of the cluster."
        )
    if isinstance(error, OSError):
        return ClusterError(f"{label} has failed on a worker: {_told(error)}; see the worker's log.")
    return error


def _told(error: BaseException) -> str:
    """Return what an error is, and what it says if anything."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
