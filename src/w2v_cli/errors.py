"""The exception tree: every failure a user can cause, each class with its exit code."""


class W2vError(Exception):
    """A failure that the CLI reports as one line on stderr; `exit_code` is the process's.

    The message says what was asked, what was found and what to do next.
    """

    exit_code = 1


class DivergedError(W2vError):
    """Training left the range of finite numbers."""

    exit_code = 1


class ConfigError(W2vError):
    """A wrong option, setting or config file, or an output that is in the way."""

    exit_code = 2


class CorpusError(W2vError):
    """A text that is missing, unreadable or too small to train on."""

    exit_code = 3


class VectorsError(W2vError):
    """A vectors file that is missing, damaged, hostile or of another format."""

    exit_code = 4


class DownloadError(W2vError):
    """A download that failed, or that gave other bytes than it promised."""

    exit_code = 5


class StorageError(W2vError):
    """A disk, a permission or a memory limit in the way."""

    exit_code = 6


class ClusterError(StorageError):
    """A cluster that does not answer, has no workers, or loses them to the same work again and again."""

    exit_code = 6


class UnknownWordError(W2vError):
    """A word that the vocabulary does not hold; `suggestions` are words near it in spelling."""

    exit_code = 7

    def __init__(self, message: str, *, word: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.word = word
        self.suggestions = suggestions


class OutputInUseError(W2vError):
    """An output that another run holds."""

    exit_code = 8


class MissingDependencyError(W2vError):
    """A GPU, a driver or an optional package that was asked for and is not there."""

    exit_code = 9


def refused_by_system(error: BaseException) -> str:
    """Return what the system refused, and what to do, where it was memory or a thread; else nothing.

    >>> refused_by_system(MemoryError())
    'out of memory: use a smaller --dim or a higher --min-count.'
    """
    if isinstance(error, MemoryError):
        return "out of memory: use a smaller --dim or a higher --min-count."
    if isinstance(error, ImportError) and "failed to map segment" in str(error):
        return "out of memory while libraries were loaded: end another program, or raise the limit (ulimit -v)."
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return (
            "the system refuses another thread, for lack of memory or of processes (ulimit -v, ulimit -u): end another "
            "program, raise the limit, or use fewer --threads."
        )
    return ""
