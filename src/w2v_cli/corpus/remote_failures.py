"""Failures of remote texts: told without the secrets of their URLs, and tried again where they may pass."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import urlsplit

from w2v_cli.errors import DownloadError, MissingDependencyError, W2vError

_RETRY_SECONDS = (1.0, 2.0, 4.0)  # waited before what has failed is tried again
_PASSING_STATUS = frozenset({408, 429})  # and those from 500 on
_SECRETS = re.compile(r"(?<=//)[^/\s@]*@|(?<=\w)\?[^\s'\")]*")  # name and password, query
INSTALL = 'pip install "w2v-cli[remote]"'
_T = TypeVar("_T")


def label(url: str) -> str:
    """Return a URL for messages: without a user's name and password, and without what may be a signature.

    >>> label("https://me:secret@example.org/a.txt?X-Amz-Signature=5f")
    'https://example.org/a.txt'
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no address, such as http://[x]y
        return _SECRETS.sub("", " ".join(url.split()))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def tried(url: str, act: Callable[[], _T], clean: Callable[[], None] = lambda: None) -> _T:
    """Return what `act` returns, tried some times where its failure may pass, `clean` in between."""
    for delay in (*_RETRY_SECONDS, None):
        try:
            return act()
        except W2vError:
            clean()
            raise
        except Exception as error:  # each file system has its own
            clean()
            if delay is None or not _may_pass(error):
                raise _explain(url, error) from error
        time.sleep(delay)
    raise AssertionError  # the last delay is None


@contextlib.contextmanager
def errors_of(url: str) -> Iterator[None]:
    """Tell what fails in this block as one of our errors."""
    try:
        yield
    except W2vError:
        raise
    except Exception as error:
        raise _explain(url, error) from error


def _explain(url: str, error: Exception) -> W2vError:
    """Return a file system's failure as one of ours."""
    if isinstance(error, ImportError):
        return MissingDependencyError(f"reading {label(url)} needs another package ({error}): {INSTALL}")
    cause = "there is no such file" if isinstance(error, FileNotFoundError) else _words_of(error)
    return DownloadError(f"cannot read {label(url)}: {cause}; check the address, the network and your permissions.")


def _words_of(error: Exception) -> str:
    """Return what an exception says, on one line, without the secrets of URLs in it."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": .")
    return _SECRETS.sub("", text)


def _may_pass(error: Exception) -> bool:
    """Return whether a failure may be gone when the file is asked for again."""
    if isinstance(error, ImportError | FileNotFoundError | PermissionError | NotImplementedError):
        return False
    status = getattr(error, "status", None)
    return not isinstance(status, int) or status >= 500 or status in _PASSING_STATUS  # noqa: PLR2004  HTTP's own
