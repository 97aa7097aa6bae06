"""The cores and the memory that this process may use: limits of the process, its control groups and the machine."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/")
_NO_LIMIT = 1 << 60  # control groups of version 1 write a number near 2⁶³ for none
_MOST_DIGITS = 20  # of 2⁶⁴
_KIBIBYTE = 1024  # /proc counts in KiB


def available_cores() -> int:
    """Return the cores that this process may use: fewer than the machine has under taskset or in some containers."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class MemoryLimit:
    """A limit on memory.

    Attributes:
        name: for people.
        available: bytes that may still be taken under it.
        is_of_addresses: whether it counts address space, used or not.
    """

    name: str
    available: int
    is_of_addresses: bool = False


def read_limits(root: Path = _ROOT) -> list[MemoryLimit]:
    """Return the limits that the system reports, unlimited ones left out; none at all on an unknown system.

    Args:
        root: the folder that holds proc and sys.
    """
    return [*process_limits(root), *_group_limits(root), *_machine_limits(root)]


def process_limits(root: Path = _ROOT) -> list[MemoryLimit]:
    """Return the limits that `ulimit` sets."""
    try:
        import resource  # noqa: PLC0415  there is none on Windows
    except ImportError:
        return []
    used, found = _read_fields(root / "proc/self/status"), []
    for number, name, field in (
        (resource.RLIMIT_AS, "address space (ulimit -v)", "VmSize"),
        (resource.RLIMIT_DATA, "data (ulimit -d)", "VmData"),
    ):
        limit, _ = resource.getrlimit(number)
        if limit != resource.RLIM_INFINITY and field in used:
            found.append(MemoryLimit(name, max(limit - used[field], 0), is_of_addresses=True))
    return found


def anonymous_bytes(root: Path = _ROOT) -> int:
    """Return the bytes of memory that this process uses, without files; 0 if the system does not report it."""
    return _read_fields(root / "proc/self/status").get("RssAnon", 0)


def machine_bytes(root: Path = _ROOT) -> int | None:
    """Return the bytes of memory of the machine, None if the system does not report it."""
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _read_fields(root / "proc/meminfo").get("MemTotal")


def _group_limits(root: Path) -> Iterator[MemoryLimit]:
    """Yield the limits of the control groups of the process, and of the groups around them."""
    for line in _read_text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            group_files = ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            group_files = (
                "sys/fs/cgroup/memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        else:
            continue
        mount, limit_file, usage_file, cache_field = group_files
        folder = root / mount / path.strip("/")
        for group in (folder, *folder.parents):
            if (root / mount) not in (group, *group.parents):
                break
            limit, usage = _read_number(group / limit_file), _read_number(group / usage_file)
            if limit is not None and usage is not None and limit < _NO_LIMIT:
                cache = _read_fields(group / "memory.stat").get(cache_field, 0)
                yield MemoryLimit("memory of the control group", max(limit - usage + cache, 0))


def _machine_limits(root: Path) -> Iterator[MemoryLimit]:
    """Yield the free memory of the machine, swap included; if the system does not report it, all its memory."""
    fields = _read_fields(root / "proc/meminfo")
    if "MemAvailable" in fields:
        yield MemoryLimit("free memory of the machine", fields["MemAvailable"] + fields.get("SwapFree", 0))
    elif (total := machine_bytes(root)) is not None:
        yield MemoryLimit("memory of the machine", total)


def _read_fields(path: Path) -> dict[str, int]:
    """Return the numbers in lines such as `VmSize: 1024 kB`, in bytes, or `inactive_file 4096`."""
    fields = {}
    for line in _read_text(path).splitlines():
        parts = line.replace(":", " ").split()
        if len(parts) >= 2 and _is_number(parts[1]):  # noqa: PLR2004  a name and a number
            fields[parts[0]] = int(parts[1]) * (_KIBIBYTE if parts[-1] == "kB" else 1)
    return fields


def _read_number(path: Path) -> int | None:
    """Return the number in a file, None if there is none, as in `max`."""
    text = _read_text(path).strip()
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isdigit() and len(text) <= _MOST_DIGITS


def _read_text(path: Path) -> str:
    """Return the text of a file, an empty one if it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):  # a NUL in a path
        return ""
