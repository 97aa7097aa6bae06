"""Python code for `first`: what a child may still take of the system when it begins."""

import os
import sys
from textwrap import dedent

import pytest


def addresses(more):
    """Return code that lets the process have so many bytes of addresses more than it has then."""
    return dedent(f"""
        import resource
        from w2v_cli.system import machine
        used = machine._read_fields(machine.Path("/proc/self/status"))["VmSize"]
        resource.setrlimit(resource.RLIMIT_AS, (used + {more}, used + {more}))
    """)


def file_sizes(most):
    """Return code that lets no file of the process grow beyond so many bytes; Python would keep cut bytecode."""
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))"
    return f"import resource, sys; sys.dont_write_bytecode = True; {limit}"


def threads(most):
    """Return code that lets the process have so many threads in all, its first one among them.

    The limit is one of a user's, and root has none: the process becomes a user that has no other.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can become a user without other processes: NOT tried")
    return dedent(f"""
        import os, resource
        os.chown(".", 54321, -1)
        os.setgid(54321)
        os.setuid(54321)
        resource.setrlimit(resource.RLIMIT_NPROC, ({most}, {most}))
    """)


def needs_linux():
    """Return the mark of tests that cannot be tried elsewhere."""
    return pytest.mark.skipif(sys.platform != "linux", reason="these faults are produced as on Linux: NOT tried")
