"""The exception tree, each class with its exit code, and the names of settings in messages.

A message below the command line does not know whether its reader types options or writes Python. So it refers to a
setting with `option`: `str(error)` then names the keyword of Python, and the command line renders `error.message` with
its own option in that place.
"""

import json
import re
from collections.abc import Callable

_BEGIN, _END = "\N{WORD JOINER}\N{INVISIBLE SEPARATOR}", "\N{INVISIBLE SEPARATOR}\N{WORD JOINER}"
_REFERENCE = re.compile(f"{_BEGIN}([a-z0-9_]+)(?:=(.*?))?{_END}", re.DOTALL)
_NO_VALUE = object()


def option(name: str, value: object = _NO_VALUE) -> str:
    """Return a reference to a setting, for the text of a message.

    The marks around it are invisible: in a message that is not rendered, the text still reads `min_count`.

    Args:
        name: the keyword of `w2v_cli.train`, which is the last part of the setting's key in the config, or that of
            another function, such as `restrict`.
        value: a value that the message proposes or names, JSON-able.

    >>> str(ConfigError(f"lower {option('min_count')}, or try {option('algorithm', 'minibatch')}"))
    'lower min_count, or try algorithm="minibatch"'
    """
    return f"{_BEGIN}{name}{'' if value is _NO_VALUE else f'={json.dumps(value)}'}{_END}"


def render(message: str, write: Callable[..., str]) -> str:
    """Return a message with the references of `option` replaced.

    Args:
        message: a text that may hold references.
        write: called with the name of each, and its value if it has one; returns the text in its place.
    """

    def replace(found: re.Match[str]) -> str:
        name, value = found.groups()
        if value is None:
            return write(name)
        try:
            return write(name, json.loads(value))
        except ValueError:  # not of `option`: a file name, say, that holds the marks
            return found.group()

    return _REFERENCE.sub(replace, message)


def as_keyword(name: str, value: object = _NO_VALUE) -> str:
    """Return a setting as Python writes it.

    >>> as_keyword("min_count"), as_keyword("algorithm", "block"), as_keyword("overwrite", True)
    ('min_count', 'algorithm="block"', 'overwrite=True')
    """
    if value is _NO_VALUE:
        return name
    return f"{name}={json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)}"


class W2vError(Exception):
    """A failure that the command line reports as one line on stderr; `exit_code` is the process's.

    The message says what was asked, what was found and what to do next. `str(error)` names settings as Python does.
    """

    exit_code = 1

    @property
    def message(self) -> str:
        """The message with its references to settings, for `render` and for the message of another error."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        return render(self.message, as_keyword)


class DivergedError(W2vError):
    """Training left the range of finite numbers."""

    exit_code = 1


class ConfigError(W2vError):
    """A wrong option, setting or config file, or an output that exists already."""

    exit_code = 2


class CorpusError(W2vError):
    """A text that is missing, unreadable or too small to train on."""

    exit_code = 3


class VectorsError(W2vError):
    """A vectors file that is missing, damaged, hostile or in another format."""

    exit_code = 4


class DownloadError(W2vError):
    """A download that failed, or whose bytes do not match the expected hash."""

    exit_code = 5


class StorageError(W2vError):
    """A full disk, a missing permission or a memory limit."""

    exit_code = 6


class ClusterError(StorageError):
    """A cluster that does not answer, has no workers, or repeatedly loses workers to the same task."""

    exit_code = 6


class UnknownWordError(W2vError):
    """A word that is not in the vocabulary.

    Attributes:
        word: the unknown word.
        suggestions: words of the vocabulary with a similar spelling, the likeliest first.
    """

    exit_code = 7

    def __init__(self, message: str, *, word: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.word = word
        self.suggestions = suggestions


class OutputInUseError(W2vError):
    """An output that another run is writing."""

    exit_code = 8


class MissingDependencyError(W2vError):
    """A GPU, a driver or an optional package that was asked for and is not installed."""

    exit_code = 9


def explain_system_refusal(error: BaseException) -> str:
    """Return a message for an error of the system that means too little memory or too many threads, else "".

    >>> str(StorageError(explain_system_refusal(MemoryError())))
    'out of memory: use a smaller dim or a higher min_count.'
    """
    if isinstance(error, MemoryError):
        return f"out of memory: use a smaller {option('dim')} or a higher {option('min_count')}."
    if isinstance(error, ImportError) and "failed to map segment" in str(error):
        return "out of memory while loading libraries: close another program, or raise the limit (ulimit -v)."
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return (
            "the system cannot start another thread: memory or processes are limited (ulimit -v, ulimit -u). Close "
            f"another program, raise the limit, or use fewer {option('threads')}."
        )
    return ""
