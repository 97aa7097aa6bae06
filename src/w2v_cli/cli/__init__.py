"""The command line: takes arguments and stdin, gives data on stdout and messages on stderr.

Begin with `app`, the commands and the handling of errors; each command is a file of `commands`. `options` and
`train_options` declare what several commands share, `console`, `tables` and `progress` write. A module imports what is
slow to load only when a command runs, so that --help needs 0.1 s.
"""

import sys

_INTERRUPTED_EXIT = 130  # 128 + SIGINT


def main() -> None:
    """Run `w2v` with the process's arguments and exit with its code."""
    try:
        from w2v_cli.cli.app import run
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_EXIT)  # before anything has started; `run` handles later signals
    sys.exit(run(sys.argv[1:]))
