"""What has gone wrong on a cluster → the error that the user is told."""

from w2v_cli.errors import ClusterError, MissingDependencyError, option


def worker_killed_error(label: str, cause: BaseException | None = None) -> ClusterError:
    """Return the error for a work that cannot be done; cause: why it could not be sent, None: it kills its workers."""
    if cause is not None:
        return ClusterError(
            f"cannot exchange data with the workers for {label}: {_told(cause)}; their ports have to be open to this "
            f"machine, and their logs may say more."
        )
    return ClusterError(
        f"{label} has killed each worker that was at it: see their logs; too little memory is the usual cause."
    )


def translate_error(error: Exception, label: str) -> Exception:
    """Return what a worker has raised as what the user is told; label: what it was at."""
    if isinstance(error, MemoryError):
        cause = f" ({error})" if str(error) else ""
        return ClusterError(
            f"a worker has no memory left for {label}{cause}: give workers more, or lower {option('dim')}."
        )
    if isinstance(error, ImportError):
        return MissingDependencyError(
            f"a worker lacks a package ({error}): install the same w2v-cli on all machines of the cluster."
        )
    if isinstance(error, OSError):
        return ClusterError(f"{label} has failed on a worker: {_told(error)}; see the worker's log.")
    return error


def _told(error: BaseException) -> str:
    """Return what an error is, and what it says if anything."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
