"""The connection to a Dask cluster, started on this machine or running elsewhere (docs/how-to/cluster.md)."""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

from w2v_cli.cluster.local import local_cluster
from w2v_cli.cluster.pool import Cluster, ClusterJoined, WorkerLost
from w2v_cli.cluster.security import scheduler_url, security_of
from w2v_cli.config.schema import ClusterSettings
from w2v_cli.config.types import host_of, is_encrypted, parse_seconds
from w2v_cli.errors import ClusterError, MissingDependencyError, option

_LONGEST_CONNECT = 30.0  # seconds for one attempt
_NEVER = "1000d"
_INSTALL = 'pip install "w2v-cli[distributed]"'


@contextlib.contextmanager
def open_cluster(
    settings: ClusterSettings, on_event: Callable[[ClusterJoined | WorkerLost], None]
) -> Iterator[Cluster]:
    """Yield the cluster that the settings name; one on this machine ends with the block.

    Raises:
        ConfigError: the cluster is on the network without encryption, or settings contradict each other.
        MissingDependencyError: Dask is not installed.
        ClusterError: the scheduler cannot be reached.
    """
    try:
        import distributed  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingDependencyError(f"{option('cluster')} needs Dask ({error}): {_INSTALL}") from error
    url, workers = scheduler_url(settings)
    security = security_of(settings, distributed.Security)
    timeout = parse_seconds(settings.worker_timeout)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet_logs())
        stack.enter_context(_dask_config(timeout))
        if workers:
            url = stack.enter_context(local_cluster(workers))
        client = stack.enter_context(_client(url, security, timeout))
        cluster = Cluster(client, settings.cluster or "", timeout, on_event)
        cluster.begin()
        yield cluster


def _dask_config(timeout: float) -> contextlib.AbstractContextManager[Any]:
    """Change Dask's settings for a block: short connection timeouts, no worker given up, no profile kept."""
    import dask  # noqa: PLC0415  an extra

    set_config: Any = dask.config.set
    changed: contextlib.AbstractContextManager[Any] = set_config(
        {
            "distributed.comm.timeouts.connect": f"{_connect_seconds(timeout)}s",
            "distributed.deploy.lost-worker-timeout": _NEVER,
            "distributed.worker.profile.enabled": False,
        }
    )
    return changed


def _check_host(url: str) -> None:
    """Raise ClusterError if the host name does not resolve."""
    try:
        socket.getaddrinfo(host_of(url), None)
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            return  # temporary: it may resolve while connecting
        cause = error.strerror if isinstance(error, OSError) else error
        raise ClusterError(
            f"cannot reach a scheduler at {url}: the host name does not resolve ({cause}); check it."
        ) from error


def _connect_seconds(timeout: float) -> float:
    """Return the seconds for one attempt to connect; several fit into the timeout."""
    return round(min(timeout / 3, _LONGEST_CONNECT), 3)


@contextlib.contextmanager
def _client(url: str, security: Any, timeout: float) -> Iterator[Any]:
    import distributed  # noqa: PLC0415  an extra

    connect: Any = distributed.Client

    _check_host(url)
    try:
        client = connect(url, security=security, timeout=timeout, set_as_default=False, direct_to_workers=True)
    except (OSError, ValueError) as error:
        cure = (
            "is it running, and do both sides have certificates of the same CA?"
            if is_encrypted(url)
            else "is it running?"
        )
        cause = " ".join(str(error).split()) or type(error).__name__
        raise ClusterError(f"cannot reach a scheduler at {url} within {timeout:g} s: {cause}; {cure}") from error
    client.rpc.timeout = _connect_seconds(timeout)  # with workers
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.close(timeout=5)


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Silence Dask's logs: w2v reports the same. On SystemExit they stay silent until the process ends."""
    names = [
        "asyncio",
        "distributed",
        *(name for name in logging.root.manager.loggerDict if name.startswith("distributed.")),
    ]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    except SystemExit:
        before.clear()
        raise
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
