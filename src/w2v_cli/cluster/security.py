"""Which clusters are trusted: those on this machine, and others by certificate alone (Dask runs what it is sent)."""

import json
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from w2v_cli.config.cluster_address import is_encrypted, is_loopback, parse_address
from w2v_cli.config.cluster_settings import ClusterSettings
from w2v_cli.errors import ConfigError

_LONGEST_FILE = 1_000_000  # bytes
_HOW = "start it with certificates and give tls://…, --tls-ca, --tls-cert and --tls-key (docs/how-to/cluster.md)"


def scheduler_url(settings: ClusterSettings) -> tuple[str, int]:
    """Return the URL of the scheduler, or nothing and how many workers are to be started on this machine.

    Raises ConfigError where the URL leads elsewhere without encryption, or what is given does not fit together.
    """
    text = settings.cluster or ""
    address = parse_address(text)
    has_tls = any((settings.tls_ca, settings.tls_cert, settings.tls_key))
    if address.workers:
        if has_tls:
            raise ConfigError(f"--cluster {text} stays on this machine: leave out --tls-ca, --tls-cert and --tls-key.")
        return "", address.workers
    url = address.url or _read_file(address.file)
    if not is_encrypted(url):
        if not is_loopback(url):
            raise ConfigError(
                f"--cluster {text}: {url} is on the network without encryption, and whoever can reach it could run "
                f"programs here: {_HOW}."
            )
        if has_tls:
            raise ConfigError(f"--cluster {text}: {url} is not encrypted, and --tls-… was given: {_HOW}.")
    elif not all((settings.tls_ca, settings.tls_cert, settings.tls_key)):
        raise ConfigError(f"--cluster {text}: {url} needs all of --tls-ca, --tls-cert and --tls-key.")
    return url, 0


def security_of(settings: ClusterSettings, make: Callable[..., Any]) -> Any:
    """Return Dask's Security for the certificates that are given, None where none are.

    Raises ConfigError where a file cannot be read, or is not what it should be.
    """
    files = {"--tls-ca": settings.tls_ca, "--tls-cert": settings.tls_cert, "--tls-key": settings.tls_key}
    if not any(files.values()):
        return None
    for option, name in files.items():
        try:
            with Path(name or "").open("rb"):
                pass
        except OSError as error:
            raise ConfigError(f"{option} {name}: {error.strerror}; name a PEM file.") from error
    _check_pem(settings)
    return make(
        tls_ca_file=settings.tls_ca,
        tls_client_cert=settings.tls_cert,
        tls_client_key=settings.tls_key,
        require_encryption=True,
    )


def _check_pem(settings: ClusterSettings) -> None:
    """Raise ConfigError for a file that is no certificate or key, or a key that is another certificate's."""
    ca, certificate, key = settings.tls_ca or "", settings.tls_cert or "", settings.tls_key or ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    told = f"--tls-ca {ca}"
    try:
        context.load_verify_locations(ca)
        told = f"--tls-cert {certificate}"
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
        told = f"--tls-key {key}"
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        cause = f" ({error.reason})" if error.reason else ""
        wanted = (
            f"no private key, without a password, of {certificate}"
            if told.startswith("--tls-key")
            else "no certificate"
        )
        raise ConfigError(
            f"{told} is {wanted}{cause}: name a PEM file, as docs/how-to/cluster/certificates.sh makes."
        ) from None


def _no_password() -> str:
    """Keep OpenSSL from asking for a password on the terminal."""
    return ""


def check_workers(scheduler: str, workers: Iterable[str]) -> None:
    """Raise ConfigError where a worker is on the network and not encrypted, be the scheduler on this machine or not."""
    for worker in workers:
        if not (is_encrypted(worker) if is_encrypted(scheduler) else is_loopback(worker)):
            raise ConfigError(
                f"the scheduler at {scheduler} has a worker at {worker}, on the network without encryption: {_HOW}."
            )


def check_scheduler(url: str, address: str) -> None:
    """Raise ConfigError where what was named on loopback listens elsewhere too; address: as the scheduler tells it."""
    if not is_encrypted(url) and not is_loopback(address):
        raise ConfigError(
            f"the scheduler at {url} listens at {address} too, on the network without encryption: start it with "
            f"--host 127.0.0.1, or {_HOW}."
        )


def check_listening(scheduler: str, worker: str, listening: Iterable[str]) -> None:
    """Raise ConfigError where a worker on loopback listens elsewhere too."""
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
        raise ConfigError(f"--cluster {name}: {error.strerror}; name the file that the scheduler writes.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"--cluster {name} is no file of a scheduler, with a tcp:// or tls:// address in it."
        ) from error
    return str(address)
