"""The command line: options in, one library call, rendering out."""

import sys

_INTERRUPTED_EXIT = 130  # 128 + SIGINT


def main() -> None:
    """Run `w2v` with the process's arguments and exit with its code."""
    try:
        from w2v_cli.cli.app import run  # noqa: PLC0415  `import w2v_cli.cli` alone loads nothing
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_EXIT)  # so early that nothing has begun; `run` handles what comes later
    sys.exit(run(sys.argv[1:]))
