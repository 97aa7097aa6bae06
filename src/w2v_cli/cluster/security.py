"""The trust in a cluster: on this machine, or by certificates elsewhere, since Dask runs the code that it is sent."""

import json
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from w2v_cli.config.schema import ClusterSettings
from w2v_cli.config.types import is_encrypted, is_loopback, parse_address
from w2v_cli.errors import ConfigError, option

_LONGEST_FILE = 1_000_000  # bytes
_HOW = (
    f"start it with certificates and give tls://…, {option('tls_ca')}, {option('tls_cert')} and {option('tls_key')} "
    f"(docs/how-to/cluster.md)"
)


def scheduler_url(settings: ClusterSettings) -> tuple[str, int]:
    """Return the URL of the scheduler and 0, or an empty URL and the number of workers to start on this machine.

    Raises:
        ConfigError: the URL is on the network without encryption, or settings contradict each other.
    """
    text = settings.cluster or ""
    address = parse_address(text)
    has_tls = any((settings.tls_ca, settings.tls_cert, settings.tls_key))
    if address.workers:
        if has_tls:
            raise ConfigError(
                f"{option('cluster', text)} stays on this machine: leave out {option('tls_ca')}, {option('tls_cert')} "
                f"and {option('tls_key')}."
            )
        return "", address.workers
    url = address.url or _read_file(address.file)
    if not is_encrypted(url):
        if not is_loopback(url):
            raise ConfigError(
                f"{option('cluster', text)}: {url} is on the network without encryption, and anyone who can reach it "
                f"could run programs here: {_HOW}."
            )
        if has_tls:
            raise ConfigError(
                f"{option('cluster', text)}: {url} is not encrypted, and a certificate was given: {_HOW}."
            )
    elif not all((settings.tls_ca, settings.tls_cert, settings.tls_key)):
        raise ConfigError(
            f"{option('cluster', text)}: {url} needs all of {option('tls_ca')}, {option('tls_cert')} and "
            f"{option('tls_key')}."
        )
    return url, 0


def security_of(settings: ClusterSettings, make: Callable[..., Any]) -> Any:
    """Return Dask's Security for the certificates in the settings, None if there are none.

    Raises:
        ConfigError: a file cannot be read, or is not a certificate or key.
    """
    files = {"tls_ca": settings.tls_ca, "tls_cert": settings.tls_cert, "tls_key": settings.tls_key}
    if not any(files.values()):
        return None
    for setting, name in files.items():
        try:
            with Path(name or "").open("rb"):
                pass
        except OSError as error:
            raise ConfigError(f"{option(setting, name)}: {error.strerror}; pass a PEM file.") from error
    _check_pem(settings)
    return make(
        tls_ca_file=settings.tls_ca,
        tls_client_cert=settings.tls_cert,
        tls_client_key=settings.tls_key,
        require_encryption=True,
    )


def _check_pem(settings: ClusterSettings) -> None:
    """Raise ConfigError for a file that is not a certificate or key, or a key of another certificate."""
    ca, certificate, key = settings.tls_ca or "", settings.tls_cert or "", settings.tls_key or ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    name, expected = option("tls_ca", ca), "not a certificate"
    try:
        context.load_verify_locations(ca)
        name = option("tls_cert", certificate)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
        name, expected = option("tls_key", key), f"not a private key, without a password, of {certificate}"
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        cause = f" ({error.reason})" if error.reason else ""
        raise ConfigError(
            f"{name} is {expected}{cause}: pass a PEM file, as docs/how-to/cluster/certificates.sh makes."
        ) from None


def _no_password() -> str:
    """Keep OpenSSL from asking for a password on the terminal."""
    return ""


def check_workers(scheduler: str, workers: Iterable[str]) -> None:
    """Raise ConfigError if a worker is on the network without encryption, wherever the scheduler is."""
    for worker in workers:
        if not (is_encrypted(worker) if is_encrypted(scheduler) else is_loopback(worker)):
            raise ConfigError(
                f"the scheduler at {scheduler} has a worker at {worker}, on the network without encryption: {_HOW}."
            )


def check_scheduler(url: str, address: str) -> None:
    """Raise ConfigError if a scheduler named on loopback listens elsewhere too; address: as it reports."""
    if not is_encrypted(url) and not is_loopback(address):
        raise ConfigError(
            f"the scheduler at {url} listens at {address} too, on the network without encryption: start it with "
            f"--host 127.0.0.1, or {_HOW}."
        )


def check_listening(scheduler: str, worker: str, listening: Iterable[str]) -> None:
    """Raise ConfigError if a worker on loopback listens elsewhere too."""
    for address in listening:
        if not is_encrypted(scheduler) and not is_loopback(address):
            raise ConfigError(
                f"the worker at {worker} listens at {address}, on the network without encryption: start it with "
                f"--host 127.0.0.1, or {_HOW}."
            )


def _read_file(name: str) -> str:
    """Return the address in the file that `dask scheduler --scheduler-file` writes."""
    try:
        with Path(name).open("rb") as file:
            address = json.loads(file.read(_LONGEST_FILE))["address"]
        if "://" not in address or parse_address(address).url != address:
            raise ValueError(address)  # noqa: TRY301  as for any other content
    except OSError as error:
        raise ConfigError(
            f"{option('cluster', name)}: {error.strerror}; pass the file that the scheduler writes."
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"{option('cluster', name)} is not a scheduler file: it holds no tcp:// or tls:// address."
        ) from error
    return str(address)
