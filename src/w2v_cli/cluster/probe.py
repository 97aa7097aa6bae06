"""A worker is asked, before it is given anything, whether it can be reached from here, and whether it is as we are.

The question needs nothing of ours: a worker that cannot unpickle what it is sent ends without a word.
"""

import asyncio
import pickle
from dataclasses import dataclass
from typing import Any

from w2v_cli import __version__
from w2v_cli.cluster.security import check_listening
from w2v_cli.errors import ClusterError, MissingDependencyError

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
