"""Work goes out to a cluster and results come back in order, whoever dies on the way."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster_trust import check_workers
from w2v_cli.errors import ClusterError, MissingDependencyError, W2vError

_LOOK_SECONDS = 1.0  # between two looks at what has become of a task
_ASK_SECONDS = 1.0  # between two questions to the scheduler
_CAREFUL_AFTER = 2  # losses of all copies of what tasks share, after which one task runs at a time
_MOST_LOSSES = 5  # in a row, without a single result
_AHEAD = 2  # tasks for each worker
_MOST_LABELS = 10_000


@dataclass(frozen=True)
class ClusterJoined:
    """Work can be given to the cluster: where it is, and the workers that it has now, by address."""

    label: str
    workers: tuple[str, ...]


@dataclass(frozen=True)
class WorkerLost:
    """A worker is gone; works: the labels of what it was at, which is done again."""

    worker: str
    works: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """A task: the name of its function (cluster_tasks), what it alone is given, and what messages call it."""

    name: str
    argument: tuple[Any, ...]
    label: str


class _LostError(Exception):
    """No worker has what tasks share any more."""


class Cluster:
    """Runs tasks on the cluster of a client; label: how the user has named it."""

    def __init__(self, client: Any, label: str, timeout: float, on_event: Callable[[Any], None]) -> None:
        self._client = client
        self._label = label
        self._timeout = timeout
        self._on_event = on_event
        self._url = client.scheduler.address
        self._workers: tuple[str, ...] = ()
        self._seen_workers = self._asked = time.monotonic()
        self._labels: dict[str, str] = {}  # of the latest tasks, by their keys: a loss is noticed a moment later
        self._kept: list[tuple[Any, Any]] = []  # things, and their copies on the workers
        self._count = 0

    @property
    def workers(self) -> int:
        """The number of workers, as it was a moment ago."""
        return len(self._workers)

    def begin(self) -> None:
        """Wait for the first worker and say who is there."""
        self._look(is_urgent=True)
        while not self._workers:
            time.sleep(_LOOK_SECONDS / 10)
            self._look(is_urgent=True)
        self._on_event(ClusterJoined(self._label, self._workers))

    def run_in_order(self, works: Sequence[Work], *shared: Any, kept: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the result of each work, in their order; its function gets `kept`, `shared`, and its own argument.

        What is shared goes to all workers once, and again where all that had it have died; what is kept, and never
        changes, stays with them for other calls. Raises what the functions raise of ours; ClusterError where the
        cluster is gone or a work kills each of its workers.
        """
        begun: dict[int, Any] = {}
        copies: list[Any] | None = None
        done = losses = 0
        try:
            while done < len(works):
                try:
                    if copies is None:
                        copies = [*self._keep(kept), *self._share(shared)]
                    ahead = 1 if losses >= _CAREFUL_AFTER else max(_AHEAD * len(self._workers), _AHEAD)
                    for number in range(done, min(done + ahead, len(works))):
                        if number not in begun:
                            begun[number] = self._submit(works[number], copies)
                    result = self._wait(begun[done], works[done])
                except _LostError:
                    losses, copies, self._kept = losses + 1, None, []
                    self._seen_workers = time.monotonic()  # there was one a moment ago
                    begun = {number: future for number, future in begun.items() if future.status == "finished"}
                    if losses > _MOST_LOSSES:
                        raise self._killer(works[done]) from None
                    continue
                self._forget(begun.pop(done))
                losses, done = 0, done + 1
                yield result
        finally:
            for future in begun.values():
                self._forget(future, is_wanted=False)

    def ask_each(self, work: Work) -> None:
        """Let each worker that is there now do a work, all at once.

        Raises what one of them raises of ours. One that dies meanwhile is passed over: the next look misses it.
        """
        from w2v_cli.cluster_tasks import run_task  # noqa: PLC0415  it loads Numba

        try:
            answers = self._client.run(run_task, __version__, work.name, *work.argument, on_error="return")
        except (OSError, TimeoutError, CancelledError) as error:
            raise self._gone(f"its connection was lost ({type(error).__name__})") from None
        for _, answer in sorted(answers.items()):
            if isinstance(answer, Exception) and not isinstance(answer, OSError):
                raise _as_ours(answer, work.label) from None

    def _keep(self, things: Sequence[Any]) -> list[Any]:
        """Return copies that stay; those that were sent before are still there."""
        known = [thing for thing, _ in self._kept]
        if len(things) != len(known) or any(thing is not old for thing, old in zip(things, known, strict=True)):
            self._kept = list(zip(things, self._share(things), strict=True))
        return [copy for _, copy in self._kept]

    def _share(self, shared: Sequence[Any]) -> list[Any]:
        if not shared:
            return []
        try:
            copies: list[Any] = self._client.scatter(list(shared), broadcast=True, hash=False, timeout=self._timeout)
        except Exception as error:
            self._look(is_urgent=True)  # a scheduler that is gone has its own words
            if isinstance(error, OSError | TimeoutError | CancelledError | KeyError | ValueError):  # a worker died
                raise _LostError from error
            raise
        self._seen_workers = time.monotonic()  # somebody has taken it
        return copies

    def _submit(self, work: Work, copies: Sequence[Any]) -> Any:
        from w2v_cli.cluster_tasks import run_task  # noqa: PLC0415  it loads Numba

        self._count += 1
        key = f"w2v-{work.name}-{self._client.id}-{self._count}"
        self._labels[key] = work.label
        if len(self._labels) > _MOST_LABELS:
            del self._labels[next(iter(self._labels))]
        arguments = (__version__, work.name, *copies, *work.argument)
        return self._client.submit(run_task, *arguments, key=key, pure=False)

    def _wait(self, future: Any, work: Work) -> Any:
        """Return the result of a task when it is there."""
        from distributed import KilledWorker  # noqa: PLC0415  an extra

        while True:
            try:
                result = future.result(timeout=_LOOK_SECONDS)
            except TimeoutError:
                self._look()
            except CancelledError:
                self._look(is_urgent=True)  # a scheduler that is gone has its own words
                raise _LostError from None
            except KilledWorker:
                self._look(is_urgent=True)
                raise self._killer(work) from None
            except (W2vError, MemoryError, ImportError) as error:
                raise _as_ours(error, work.label) from None
            else:
                self._look()
                return result

    def _forget(self, future: Any, *, is_wanted: bool = True) -> None:
        with contextlib.suppress(Exception):  # the cluster may be gone, and then there is nothing to forget
            if not is_wanted:
                future.cancel()
            future.release()

    def _look(self, *, is_urgent: bool = False) -> None:
        """Ask the scheduler now and then who is there; raise ClusterError where it or all workers are gone for long."""
        now = time.monotonic()
        if not is_urgent and now - self._asked < _ASK_SECONDS:
            return
        self._asked = now
        if self._client.status != "running":
            raise self._gone("its connection was lost")
        workers = tuple(sorted(self._ask(self._client.scheduler.ncores)))
        lost, self._workers = sorted(set(self._workers) - set(workers)), workers
        check_workers(self._url, workers)
        for worker in lost:
            self._on_event(WorkerLost(worker, self._works_of(worker)))
        if self._workers:
            self._seen_workers = now
        elif now - self._seen_workers > self._timeout:
            raise ClusterError(
                f"the cluster {self._label} has had no worker for {self._timeout:g} s: start some, or give "
                f"--set cluster.worker_timeout more time."
            )

    def _works_of(self, worker: str) -> tuple[str, ...]:
        """Return the labels of what a worker was at when it was lost."""
        said = self._ask(self._client.scheduler.events, topic=worker)
        keys = [key for _, event in said if event.get("action") == "remove-worker" for key in event["processing-tasks"]]
        return tuple(self._labels[key] for key in keys if key in self._labels)

    def _ask(self, question: Callable[..., Any], **arguments: Any) -> Any:
        """Return the scheduler's answer; raise ClusterError where there is none."""
        try:
            return self._client.sync(question, callback_timeout=self._timeout, **arguments)
        except (OSError, TimeoutError, CancelledError) as error:
            raise self._gone(f"no answer within {self._timeout:g} s ({type(error).__name__})") from None

    def _gone(self, found: str) -> ClusterError:
        return ClusterError(
            f"the scheduler at {self._url} is gone: {found}; start it again, or name another --cluster."
        )

    def _killer(self, work: Work) -> ClusterError:
        return ClusterError(
            f"{work.label} has killed each worker that was at it: see their logs; too little memory is the usual cause."
        )


def _as_ours(error: Exception, label: str) -> Exception:
    """Return what a worker has raised as what the user is told; label: what it was at."""
    if isinstance(error, MemoryError):
        cause = f" ({error})" if str(error) else ""
        return ClusterError(f"a worker has no memory left for {label}{cause}: give workers more, or lower --dim.")
    if isinstance(error, ImportError):
        return MissingDependencyError(
            f"a worker lacks a package ({error}): install the same w2v-cli on all machines of the cluster."
        )
    return error
