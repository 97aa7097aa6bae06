"""Network helpers shared by downloads and remote texts: repeated attempts, and redirects that are refused."""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urljoin

_T = TypeVar("_T")


def retry_call(
    act: Callable[[], _T],
    *,
    delays: Sequence[float],
    may_pass: Callable[[Exception], bool],
    sleep: Callable[[float], object] = time.sleep,
) -> _T:
    """Return what `act` returns, calling it again after each delay as long as its failure may pass.

    Args:
        act: the attempt.
        delays: seconds to wait before each further attempt.
        may_pass: whether a failure may be gone at the next attempt.
        sleep: waits for a number of seconds.

    Raises:
        Exception: the failure of the last attempt, or one that does not pass.
    """
    for delay in delays:
        try:
            return act()
        except Exception as error:  # every library has its own
            if not may_pass(error):
                raise
        sleep(delay)
    return act()


def is_passing_status(status: int) -> bool:
    """Return whether an HTTP status is a failure that may pass: one of the server's own, or too many requests."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


def is_downgrade(url: str, location: str) -> bool:
    """Return whether a redirect leads from https to http, where anybody on the way could change what comes.

    >>> is_downgrade("https://example.org/a", "http://example.org/a"), is_downgrade("https://example.org/a", "/b")
    (True, False)
    """
    return url.lower().startswith("https:") and urljoin(url, location).lower().startswith("http:")
