"""The command line: options in, one library call, rendering out."""

import sys


def main() -> None:
    """Run `w2v` with the process's arguments and exit with its code."""
    from w2v_cli.cli.app import app  # noqa: PLC0415  `import w2v_cli.cli` alone loads nothing

    try:
        app(prog_name="w2v")
    except Exception as error:
        if "--debug" in sys.argv[1:]:
            raise
        sys.stderr.write(f"error: a bug in w2v, {type(error).__name__}: {error}; `w2v --debug …` shows where.\n")
        sys.exit(1)
