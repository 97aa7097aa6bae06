"""The workers of a cluster: probed before they get tasks, and reported when they are lost.

The probe needs nothing of w2v on the worker: a worker that cannot unpickle what it is sent ends without a message.
"""

import asyncio
import pickle
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster.security import check_listening, check_scheduler, check_workers
from w2v_cli.config.types import LOCAL
from w2v_cli.errors import ClusterError, MissingDependencyError, option

_ASK_SECONDS = 1.0  # between two requests to the scheduler
_WAIT_SECONDS = 0.1  # between two requests while there is no worker
_PAUSE_SECONDS = 0.2  # between two attempts to connect
_PROBE = """
def report(dask_worker):
    listening = [listener.listen_address for listener in dask_worker.listeners]
    try:
        from w2v_cli import __version__
    except Exception as error:
        return "", f"{type(error).__name__}: {error}", listening
    return __version__, "", listening
"""


@dataclass(frozen=True)
class ProbeReply:
    """The reply of a worker to a probe.

    Attributes:
        version: of w2v, empty if it has none.
        import_error: why it has none.
        listening: the addresses that it listens at.
        failure: why there is no reply, empty if there is one.
    """

    version: str = ""
    import_error: str = ""
    listening: tuple[str, ...] = ()
    failure: str = ""


class _FromSource:
    """Unpickles as the function `report` of a source text."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"(lambda names: exec({self._source!r}, names) or names['report'])({{}})",)


async def probe(client: Any, address: str, seconds: float) -> ProbeReply:
    """Ask the worker at an address directly, repeatedly for some seconds; return its reply."""
    loop = asyncio.get_running_loop()
    end, failure = loop.time() + seconds, ""
    while (left := end - loop.time()) > 0:
        try:
            async with asyncio.timeout(left):
                return await _ask(client, address)
        except TimeoutError:
            failure = failure or "no answer"
        except OSError as error:
            failure = str(error.__cause__ or error)
            await asyncio.sleep(min(_PAUSE_SECONDS, max(left, 0)))
    return ProbeReply(failure=failure or "no answer")


def check_reply(address: str, reply: ProbeReply, scheduler: str, seconds: float) -> None:
    """Raise an error if a worker cannot be used.

    Args:
        address: of the worker.
        reply: to the probe.
        scheduler: its URL.
        seconds: for how long the worker was asked.

    Raises:
        ClusterError: the worker did not reply.
        MissingDependencyError: it has no w2v, or another version.
        ConfigError: it listens on the network without encryption.
    """
    if reply.failure:
        raise ClusterError(
            f"cannot connect to the worker at {address} from here within {seconds:g} s: {reply.failure}; open "
            f"its port to this machine, not only to the scheduler (dask worker --worker-port, --contact-address)."
        )
    if reply.version != __version__:
        found = f"w2v-cli {reply.version}" if reply.version else f"no w2v-cli ({reply.import_error})"
        raise MissingDependencyError(
            f"the worker at {address} has {found}, this machine has {__version__}. Install the same version on all "
            f"machines of the cluster, in the Python that starts `dask worker` (pip install "
            f'"w2v-cli[distributed]=={__version__}").'
        )
    check_listening(scheduler, address, reply.listening)


async def _ask(client: Any, address: str) -> ProbeReply:
    worker = client.rpc(address)
    try:
        response = await worker.run(function=pickle.dumps(_FromSource(_PROBE)))
    finally:
        await worker.close_rpc()
    version, import_error, listening = response["result"]
    return ProbeReply(version, import_error, tuple(listening))


class WorkerRegistry:
    """The workers of a cluster that may get tasks.

    Args:
        label: the name that the user gave the cluster.
    """

    def __init__(self, client: Any, label: str, url: str, timeout: float) -> None:
        self._client = client
        self._label = label
        self._url = url
        self._timeout = timeout
        self._seen = self._asked = time.monotonic()
        self._probes: dict[str, Future[ProbeReply]] = {}
        self.addresses: tuple[str, ...] = ()

    def check_scheduler(self) -> None:
        """Raise ConfigError if the scheduler listens on the network without encryption."""
        check_scheduler(self._url, self._client.scheduler_info()["address"])

    def is_probing(self) -> bool:
        """Return whether a worker has not yet replied to its probe."""
        return bool(self._probes)

    def reset_timeout(self) -> None:
        """Reset the no-worker timeout."""
        self._seen = time.monotonic()

    def start(self, coroutine: Any) -> Future[Any]:
        """Start a coroutine on the client's event loop; return its future."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._client.loop.asyncio_loop)

    def look(self, *, is_urgent: bool = False) -> tuple[str, ...]:
        """Ask the scheduler for its workers, at most once a second; return the addresses of lost ones.

        is_urgent: ask at once.

        Raises:
            ClusterError: the scheduler is gone, a worker cannot be reached, or there was none for the timeout.
            MissingDependencyError: a worker has no w2v, or another version.
            ConfigError: a worker is on the network without encryption.
        """
        now = time.monotonic()
        if not is_urgent and now - self._asked < _ASK_SECONDS:
            return ()
        self._asked = now
        if self._client.status != "running":
            raise self.scheduler_gone_error("its connection was lost")
        there = set(self.ask(self._client.scheduler.ncores))
        check_workers(self._url, sorted(there))
        before = set(self.addresses)
        self.addresses = tuple(sorted((before & there) | self._admit(there)))
        if self.addresses:
            self._seen = now
        elif now - self._seen > self._timeout and not self._probes:
            raise self._no_worker_error()
        return tuple(sorted(before - there))

    def wait_a_moment(self) -> None:
        """Sleep before the next look while there is no worker."""
        time.sleep(_WAIT_SECONDS)

    def ask(self, request: Callable[..., Any], **arguments: Any) -> Any:
        """Return the scheduler's reply to a request; raise ClusterError if there is none."""
        try:
            return self._client.sync(request, callback_timeout=self._timeout, **arguments)
        except (OSError, CancelledError) as error:
            raise self.scheduler_gone_error(f"no answer within {self._timeout:g} s ({type(error).__name__})") from None

    def scheduler_gone_error(self, cause: str) -> ClusterError:
        """Return the error for a scheduler that is gone."""
        return ClusterError(
            f"the scheduler at {self._url} is gone: {cause}. Start it again, or name another {option('cluster')}."
        )

    def _admit(self, there: set[str]) -> set[str]:
        """Return the new workers whose probe succeeded; the others are still being probed."""
        for address in self._probes.keys() - there:
            self._probes.pop(address).cancel()
        for address in there - set(self.addresses) - self._probes.keys():
            self._probes[address] = self.start(probe(self._client, address, self._timeout))
        replied = {address for address, reply in self._probes.items() if reply.done()}
        for address in sorted(replied):
            check_reply(address, self._probes.pop(address).result(), self._url, self._timeout)
        return replied

    def _no_worker_error(self) -> ClusterError:
        cure = (
            "the system does not let them start, or kills them for lack of memory. Try fewer"
            if self._label.startswith(f"{LOCAL}:")
            else "start some"
        )
        return ClusterError(
            f"the cluster {self._label} has had no worker for {self._timeout:g} s: {cure}, or give "
            f"{option('worker_timeout')} more time."
        )
