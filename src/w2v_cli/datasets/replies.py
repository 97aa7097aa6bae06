"""What a server's answer means: its status, its range, its size, where it leads, and which version of a file it is."""

from collections.abc import Mapping
from enum import Enum, auto
from http import HTTPStatus
from urllib.parse import urljoin

from w2v_cli.errors import DownloadError

LONGEST_SHOWN = 300  # characters of what a server says
_MOST_DIGITS = 18  # of a size: int() refuses thousands of them


class Reply(Enum):
    """What a server's answer means for the bytes that are here already."""

    WHOLE = auto()  # the file from its first byte
    REST = auto()  # what is missing
    MISFIT = auto()  # no answer to what was asked for: ask again for the whole
    LATER = auto()  # a failure that may pass
    REFUSED = auto()


def read_reply(status: int, content_range: str, offset: int) -> Reply:
    """Return what an answer of this `status` means, `offset` being the number of bytes that are here already.

    >>> read_reply(206, "bytes 10-99/100", offset=10)
    <Reply.REST: 2>
    """
    if status == HTTPStatus.OK:
        return Reply.WHOLE
    if offset and status == HTTPStatus.PARTIAL_CONTENT:
        return Reply.REST if content_range.startswith(f"bytes {offset}-") else Reply.MISFIT
    if offset and status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Reply.MISFIT
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    return Reply.LATER if passing else Reply.REFUSED


def redirect_target(url: str, location: str) -> str:
    """Return where a redirect from `url` leads; raises DownloadError where that is no HTTP, or HTTPS no longer."""
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise DownloadError(f"redirected to {location[:LONGEST_SHOWN]}, which is no URL") from error
    if scheme_of(target) != "https" and scheme_of(url) == "https":
        raise DownloadError(f"redirected from https to {target[:LONGEST_SHOWN]}, which is not followed")
    return target


def validator(headers: Mapping[str, str]) -> str | None:
    """Return what tells one version of a file from another in `If-Range`, or None (RFC 9110, section 13.1.5).

    >>> validator({"ETag": 'W/"weak"', "Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT"})
    'Sat, 01 Jan 2000 00:00:00 GMT'
    """
    if "Content-Encoding" in headers:  # a range would count bytes of the encoded body, not of the file
        return None
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def total_bytes(headers: Mapping[str, str], offset: int) -> int | None:
    """Return the size of the whole file, or None where the server does not say."""
    length = headers.get("Content-Length", "")
    is_size = length.isdecimal() and len(length) <= _MOST_DIGITS
    return offset + int(length) if is_size and "Content-Encoding" not in headers else None


def scheme_of(url: str) -> str:
    """Return http or https; raises DownloadError where `url` is of another kind."""
    scheme = url.partition(":")[0].lower()
    if scheme not in {"http", "https"}:
        raise DownloadError(f"{url[:LONGEST_SHOWN]} is neither an http nor an https URL")
    return scheme
