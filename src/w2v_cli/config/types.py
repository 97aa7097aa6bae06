"""Types of settings: sections and fields, and texts that are file names, words, patterns, times or clusters."""

import ipaddress
import math
import os
import re
import warnings
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NEVER = "never"
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([smhw])", re.ASCII)
LOCAL = "local"
_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})", re.ASCII)
_URL = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[\w.-]+):([0-9]{1,5})", re.ASCII)
_LAST_PORT = 65535


class Section(BaseModel):
    """The base of all sections: exact types, no unknown keys, no infinity, immutable."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


def setting(
    default: Any, *, description: str, decides_vectors: bool = True, names_input: bool = False, **limits: Any
) -> Any:
    """Return the field of a setting.

    Args:
        default: The value if no source gives one.
        description: One line for docs/reference/settings.md.
        decides_vectors: Whether another value may give other vectors. If not, the setting may differ when a training
            is resumed, and the vectors file does not record it.
        names_input: Whether the value names a text or a file. Vectors file and snapshot identify an input by its
            SHA-256, not by its name.
        limits: The bounds of a number, as pydantic names them: gt, ge, le.
    """
    traits: Any = {"decides_vectors": decides_vectors, "names_input": names_input}
    return Field(default, description=description, json_schema_extra=traits, **limits)


def _check_path(value: str) -> str:
    """Return `value`; refuse names on which open() raises ValueError."""
    try:
        usable = bool(value) and "\0" not in value and bool(os.fsencode(value))
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValueError("must be a usable file name")
    return value


def _check_word(value: str) -> str:
    """Return `value`; refuse texts that are not one printable word."""
    if value.split() != [value] or not value.isprintable():
        raise ValueError("must be one word without spaces")
    return value


def _check_sources(value: object) -> object:
    """Return a text or a tuple of texts; a list of one becomes that one."""
    texts = [text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)]
    if not texts or (isinstance(value, list | tuple) and len(texts) < len(value)):
        raise ValueError("must be text or a list of texts")
    checked = tuple(map(_check_path, texts))
    return checked[0] if len(checked) == 1 else checked


def _check_pattern(value: str) -> str:
    """Return `value`; refuse invalid regular expressions with the reason, and texts that cannot be encoded."""
    try:
        value.encode()  # lone surrogates, from an argument that is not UTF-8
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # on syntax that later Pythons read differently
            re.compile(value)
    except (re.error, UnicodeEncodeError, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"must be a regular expression ({error})") from error
    return value


def _as_names(value: object) -> object:
    """Return a tuple for a list, from YAML and JSON, and for names with commas between them, from a shell."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return tuple(value) if isinstance(value, list) else value


def _check_interval(value: object) -> object:
    """Return `value`; refuse all but a time, a number of words, or `never`."""
    try:
        parse_interval(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a time such as 90s, 10m or 2h, or words such as 5000000w, or never") from None
    return value


def _check_time(value: object) -> object:
    """Return `value`; refuse all but a time with its unit."""
    try:
        parse_seconds(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a time such as 90s, 30m or 2h") from None
    return value


def _check_cluster(value: object) -> object:
    """Return `value`; refuse texts that are not a cluster's address."""
    try:
        parse_address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "must be local:N (workers here), tcp://HOST:PORT, tls://HOST:PORT or a scheduler's file.json"
        ) from None
    return value


FileName = Annotated[str, AfterValidator(_check_path)]
FileNames = Annotated[tuple[FileName, ...], BeforeValidator(_as_names)]
Word = Annotated[str, AfterValidator(_check_word)]
TextSources = Annotated[str | tuple[str, ...], BeforeValidator(_check_sources)]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
IntervalText = Annotated[str, BeforeValidator(_check_interval)]
TimeText = Annotated[str, BeforeValidator(_check_time)]
Cluster = Annotated[str, BeforeValidator(_check_cluster)]


@dataclass(frozen=True)
class Interval:
    """The time between two snapshots, in seconds or in words; infinity means never."""

    seconds: float = math.inf
    words: float = math.inf


def parse_interval(text: str) -> Interval:
    """Return the interval of a text such as `10m`, `5000000w` or `never`; raise ValueError for other texts.

    >>> parse_interval("10m"), parse_interval("5000000w").words, parse_interval("never").seconds
    (Interval(seconds=600.0, words=inf), 5000000.0, inf)
    """
    if text == NEVER:
        return Interval()
    amount, unit = _parse_amount(text)
    return Interval(words=amount) if unit == "w" else Interval(seconds=amount * _SECONDS[unit])


def parse_seconds(text: str) -> float:
    """Return the seconds of a text such as `90s`, `10m` or `1.5h`; raise ValueError for other texts.

    >>> parse_seconds("1.5h")
    5400.0
    """
    amount, unit = _parse_amount(text)
    if unit == "w":
        raise ValueError(f"{text!r} is a number of words, not a time")
    return amount * _SECONDS[unit]


def _parse_amount(text: str) -> tuple[float, str]:
    """Return an amount above zero and its unit."""
    found = _AMOUNT.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError(f"{text!r} is not a time")
    return float(found[1]), found[2]


@dataclass(frozen=True)
class ClusterAddress:
    """A cluster: `workers` to start on this machine, or the `url` of a scheduler, or the `file` that holds it."""

    workers: int = 0
    url: str = ""
    file: str = ""


def parse_address(text: str) -> ClusterAddress:
    """Return the parts of an address; raise ValueError for texts that are not one.

    >>> parse_address("local:4").workers, parse_address("tls://node1:8786").url, parse_address("scheduler.json").file
    (4, 'tls://node1:8786', 'scheduler.json')
    """
    if found := _LOCAL.fullmatch(text):
        return ClusterAddress(workers=int(found[1]))
    if (found := _URL.fullmatch(text)) and 0 < int(found[3]) <= _LAST_PORT:
        return ClusterAddress(url=text)
    if text.endswith(".json") and "://" not in text and "\0" not in text:
        return ClusterAddress(file=text)
    raise ValueError(f"{text!r} is not a cluster")


def host_of(url: str) -> str:
    """Return the host of a URL such as `tcp://[::1]:8786`.

    >>> host_of("tcp://[::1]:8786"), host_of("tls://node1:8786")
    ('::1', 'node1')
    """
    return url.partition("://")[2].rpartition(":")[0].strip("[]")


def is_loopback(url: str) -> bool:
    """Return whether a URL stays on this machine: localhost, 127.0.0.0/8, ::1, or inproc://.

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
    """Return whether traffic to a URL is encrypted.

    >>> is_encrypted("tls://node1:8786")
    True
    """
    return url.startswith("tls://")
