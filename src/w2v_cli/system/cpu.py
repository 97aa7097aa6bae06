"""How many processors there are to work on."""

import os


def available_cores() -> int:
    """Return the cores that this process may use: fewer than the machine has under taskset or in some containers."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
