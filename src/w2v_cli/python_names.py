"""Errors for a program: keywords and values in place of the options of the command line."""

import contextlib
import re
from collections.abc import Iterator

from w2v_cli.errors import W2vError

_OPTION = re.compile(r"`[^`]*`|(?<![^\s(])--(?:set [a-z]+\.(\w+)|([a-z]+(?:-[a-z]+)*))")
_OTHER_NAMES = {"gpu": 'backend="cupy"'}


@contextlib.contextmanager
def python_names() -> Iterator[None]:
    """Let what is raised name keywords where it names options; a block, or a decorator."""
    try:
        yield
    except W2vError as error:
        error.args = (in_python(str(error)), *error.args[1:])
        raise


def in_python(message: str) -> str:
    """Return a message with keywords for options; commands between backticks stay, and so do names of files.

    >>> in_python("raise --min-count (5), or --set training.decay=linear; see `w2v plot --help`")
    'raise min_count (5), or decay=linear; see `w2v plot --help`'
    """
    return _OPTION.sub(_keyword, message)


def _keyword(found: re.Match[str]) -> str:
    setting, option = found.groups()
    if option is None:
        return setting or found[0]
    return _OTHER_NAMES.get(option, option.replace("-", "_"))
