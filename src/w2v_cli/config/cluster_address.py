"""Where a cluster is: `local:4`, `tcp://host:8786`, `tls://host:8786`, or the file that a scheduler writes."""

import ipaddress
import re
from dataclasses import dataclass

LOCAL = "local"
_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})", re.ASCII)
_URL = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[\w.-]+):([0-9]{1,5})", re.ASCII)
_LAST_PORT = 65535


@dataclass(frozen=True)
class ClusterAddress:
    """One of the three: `workers` to start on this machine, the `url` of a scheduler, or the `file` that holds it."""

    workers: int = 0
    url: str = ""
    file: str = ""


def parse_address(text: str) -> ClusterAddress:
    """Return what an address says; raise ValueError where it says nothing.

    >>> parse_address("local:4").workers, parse_address("tls://node1:8786").url, parse_address("scheduler.json").file
    (4, 'tls://node1:8786', 'scheduler.json')
    """
    if found := _LOCAL.fullmatch(text):
        return ClusterAddress(workers=int(found[1]))
    if (found := _URL.fullmatch(text)) and 0 < int(found[3]) <= _LAST_PORT:
        return ClusterAddress(url=text)
    if text.endswith(".json") and "://" not in text and "\0" not in text:
        return ClusterAddress(file=text)
    raise ValueError(f"{text!r} is no cluster")


def host_of(url: str) -> str:
    """Return the host of a URL such as `tcp://[::1]:8786`.

    >>> host_of("tcp://[::1]:8786"), host_of("tls://node1:8786")
    ('::1', 'node1')
    """
    return url.partition("://")[2].rpartition(":")[0].strip("[]")


def is_loopback(url: str) -> bool:
    """Return whether a URL stays on this machine: `localhost`, 127.0.0.0/8, ::1, or within a process.

    >>> is_loopback("tcp://127.0.0.1:8786"), is_loopback("tcp://10.0.0.1:8786")
    (True, False)
    """
    if url.startswith("inproc://"):
        return True
    host = host_of(url)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_encrypted(url: str) -> bool:
    """Return whether what goes to a URL is encrypted.

    >>> is_encrypted("tls://node1:8786")
    True
    """
    return url.startswith("tls://")
