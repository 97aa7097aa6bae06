"""Who belongs to a cluster: workers are met before they are given anything, and missed when they are gone."""

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

_ASK_SECONDS = 1.0  # between two questions to the scheduler
_WAIT_SECONDS = 0.1  # the same, where there is nothing else to do
_PAUSE_SECONDS = 0.2  # between two attempts to connect
_QUESTION = """
def answer(dask_worker):
    listening = [listener.listen_address for listener in dask_worker.listeners]
    try:
        from w2v_cli import __version__
    except Exception as error:
        return "", f"{type(error).__name__}: {error}", listening
    return __version__, "", listening
"""


@dataclass(frozen=True)
class ProbeReply:
    """What a worker has said: its version of w2v and, where it has none, why; the addresses that it listens at.

    refusal: why there is no answer.
    """

    version: str = ""
    lack: str = ""
    listening: tuple[str, ...] = ()
    refusal: str = ""


class _FromSource:
    """Is unpickled as the function `answer` of a source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"(lambda names: exec({self._source!r}, names) or names['answer'])({{}})",)


async def meet(client: Any, address: str, seconds: float) -> ProbeReply:
    """Return the answer of the worker at an address, which is asked directly, again and again for so many seconds."""
    loop = asyncio.get_running_loop()
    end, refusal = loop.time() + seconds, ""
    while (left := end - loop.time()) > 0:
        try:
            async with asyncio.timeout(left):
                return await _ask(client, address)
        except TimeoutError:
            refusal = refusal or "no answer"
        except OSError as error:
            refusal = str(error.__cause__ or error)
            await asyncio.sleep(min(_PAUSE_SECONDS, max(left, 0)))
    return ProbeReply(refusal=refusal or "no answer")


def check_answer(address: str, answer: ProbeReply, scheduler: str, seconds: float) -> None:
    """Raise what an answer has against a worker: ClusterError where there is none, MissingDependencyError, ConfigError.

    scheduler: its URL; seconds: for how long the worker was asked.
    """
    if answer.refusal:
        raise ClusterError(
            f"cannot connect to the worker at {address} from here within {seconds:g} s: {answer.refusal}; its port has "
            f"to be open to this machine, not only to the scheduler (dask worker --worker-port, --contact-address)."
        )
    if answer.version != __version__:
        found = f"w2v-cli {answer.version}" if answer.version else f"no w2v-cli ({answer.lack})"
        raise MissingDependencyError(
            f"the worker at {address} has {found}, and this is {__version__}: install the same on all machines of the "
            f'cluster, in the Python that starts `dask worker` (pip install "w2v-cli[distributed]=={__version__}").'
        )
    check_listening(scheduler, address, answer.listening)


async def _ask(client: Any, address: str) -> ProbeReply:
    worker = client.rpc(address)
    try:
        said = await worker.run(function=pickle.dumps(_FromSource(_QUESTION)))
    finally:
        await worker.close_rpc()
    version, lack, listening = said["result"]
    return ProbeReply(version, lack, tuple(listening))


class WorkerRegistry:
    """The workers of a client's cluster that may be given work; label: how the user has named the cluster."""

    def __init__(self, client: Any, label: str, url: str, timeout: float) -> None:
        self._client = client
        self._label = label
        self._url = url
        self._timeout = timeout
        self._seen = self._asked = time.monotonic()
        self._meetings: dict[str, Future[ProbeReply]] = {}
        self.addresses: tuple[str, ...] = ()

    def check_scheduler(self) -> None:
        """Raise ConfigError where the scheduler listens where it must not."""
        check_scheduler(self._url, self._client.scheduler_info()["address"])

    def has_newcomers(self) -> bool:
        """Return whether workers are there that have not been met yet."""
        return bool(self._meetings)

    def was_seen(self) -> None:
        """Begin anew with the time that may pass without a worker."""
        self._seen = time.monotonic()

    def start(self, coroutine: Any) -> Future[Any]:
        """Return the result to come of a coroutine of the client."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._client.loop.asyncio_loop)

    def look(self, *, is_urgent: bool = False) -> tuple[str, ...]:
        """Ask the scheduler now and then who is there; return who is gone.

        Raises ClusterError where the scheduler is gone, all workers are for long, or one cannot be reached;
        MissingDependencyError and ConfigError for workers that cannot be used.
        """
        now = time.monotonic()
        if not is_urgent and now - self._asked < _ASK_SECONDS:
            return ()
        self._asked = now
        if self._client.status != "running":
            raise self.gone("its connection was lost")
        there = set(self.ask(self._client.scheduler.ncores))
        check_workers(self._url, sorted(there))
        before = set(self.addresses)
        self.addresses = tuple(sorted((before & there) | self._met(there)))
        if self.addresses:
            self._seen = now
        elif now - self._seen > self._timeout and not self._meetings:
            raise self._nobody()
        return tuple(sorted(before - there))

    def wait_a_moment(self) -> None:
        """Let some time pass before the next look, where there is nobody to give work to."""
        time.sleep(_WAIT_SECONDS)

    def ask(self, question: Callable[..., Any], **arguments: Any) -> Any:
        """Return the scheduler's answer; raise ClusterError where there is none."""
        try:
            return self._client.sync(question, callback_timeout=self._timeout, **arguments)
        except (OSError, CancelledError) as error:
            raise self.gone(f"no answer within {self._timeout:g} s ({type(error).__name__})") from None

    def gone(self, found: str) -> ClusterError:
        """Return the error for a scheduler that is gone."""
        return ClusterError(
            f"the scheduler at {self._url} is gone: {found}; start it again, or name another {option('cluster')}."
        )

    def _met(self, there: set[str]) -> set[str]:
        """Return the newcomers that have answered as they should; the others are still being asked."""
        for address in self._meetings.keys() - there:
            self._meetings.pop(address).cancel()
        for address in there - set(self.addresses) - self._meetings.keys():
            self._meetings[address] = self.start(meet(self._client, address, self._timeout))
        met = {address for address, meeting in self._meetings.items() if meeting.done()}
        for address in sorted(met):
            check_answer(address, self._meetings.pop(address).result(), self._url, self._timeout)
        return met

    def _nobody(self) -> ClusterError:
        cure = (
            "the system lets none start, or ends them for want of memory: try fewer"
            if self._label.startswith(f"{LOCAL}:")
            else "start some"
        )
        return ClusterError(
            f"the cluster {self._label} has had no worker for {self._timeout:g} s: {cure}, or give "
            f"{option('worker_timeout')} more time."
        )
