"""One file over HTTP: resumed, retried, checked against its SHA-256, and moved into place whole or not at all."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from w2v_cli import __version__
from w2v_cli.errors import DownloadError, OutputInUseError
from w2v_cli.incoming import CHUNK_BYTES, PartialFile, check_sha256, sha256_of, total_bytes
from w2v_cli.storage import disk_errors

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 10
_LONGEST_SHOWN = 300  # characters of what a server says

Progress = Callable[[int, int | None], None]  # bytes of the file that are here, and of the whole where that is known


class _PassingError(DownloadError):
    """A failure that may be gone at the next try."""


class Reply(Enum):
    """What a server's answer means for the bytes that are here already."""

    WHOLE = auto()  # the file from its first byte
    REST = auto()  # what is missing
    MISFIT = auto()  # no answer to what was asked for: ask again for the whole
    LATER = auto()  # a failure that may pass
    REFUSED = auto()


def fetch(
    urls: Sequence[str],
    destination: Path,
    *,
    sha256: str | None,
    on_progress: Progress,
    retry_delays: Sequence[float] = (1, 2, 4, 8),
    timeout_seconds: float = 30,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Download `destination` from the first of `urls` that gives it.

    The bytes gather in `<destination>.part`, which a later call continues. Each URL is tried once and then once after
    each of `retry_delays`, as long as its failure may pass. `timeout_seconds` limits each wait for bytes.

    Raises DownloadError where every URL fails or gives bytes of another SHA-256, StorageError where the disk refuses,
    OutputInUseError where another process is downloading the same file: `destination` is then as it was.
    """
    partial = PartialFile(destination.with_name(f"{destination.name}.part"))
    failures = []
    with _held(destination), _session() as session:
        for url in urls:
            try:
                _receive_patiently(_Source(session, url, timeout_seconds), partial, on_progress, retry_delays, sleep)
                if sha256 is not None:
                    _check(partial, sha256)
            except DownloadError as error:
                failures.append(f"{url}: {error}")
            else:
                partial.install(destination)
                return
    raise DownloadError(
        f"cannot download {destination.name}: {'; '.join(failures)}. "
        "Try again later, or get the file in another way and give it with --from FILE."
    )


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
        raise DownloadError(f"redirected to {location[:_LONGEST_SHOWN]}, which is no URL") from error
    if _scheme(target) != "https" and _scheme(url) == "https":
        raise DownloadError(f"redirected from https to {target[:_LONGEST_SHOWN]}, which is not followed")
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


@dataclass(frozen=True)
class _Source:
    """A URL and the session that asks it; what `requests` raises comes out as a DownloadError."""

    session: "requests.Session"
    url: str
    timeout_seconds: float

    def get(self, headers: Mapping[str, str]) -> "requests.Response":
        """Return the answer to a GET, its body unread, after at most MAX_REDIRECTS redirects."""
        url = self.url
        _scheme(url)
        for _ in range(MAX_REDIRECTS + 1):
            with self._network_errors():
                response = self.session.get(
                    url, headers=dict(headers), stream=True, allow_redirects=False, timeout=self.timeout_seconds
                )
            if not response.is_redirect:
                return response
            response.close()
            url = redirect_target(url, response.headers["Location"])
        raise DownloadError(f"more than {MAX_REDIRECTS} redirects")

    def chunks(self, response: "requests.Response") -> Iterator[bytes]:
        """Yield the body; one that is shorter than its Content-Length raises (urllib3 counts since its version 2)."""
        with self._network_errors():
            yield from response.iter_content(CHUNK_BYTES)

    @contextlib.contextmanager
    def _network_errors(self) -> Iterator[None]:
        from requests import exceptions  # noqa: PLC0415 - loaded only where a download happens

        passing = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
        lasting = exceptions.SSLError  # a ConnectionError too, but a wrong certificate stays wrong
        try:
            yield
        except exceptions.RequestException as error:
            may_pass = isinstance(error, passing) and not isinstance(error, lasting)
            raise (_PassingError if may_pass else DownloadError)(self._reason(error)) from error

    def _reason(self, error: BaseException) -> str:
        """Return the root of a chain of exceptions in words: the outer ones repeat it within their own."""
        while inner := error.__cause__ or error.__context__:
            error = inner
        if isinstance(error, TimeoutError):
            return f"no answer within {self.timeout_seconds:g} s"
        return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _receive_patiently(
    source: _Source,
    partial: PartialFile,
    on_progress: Progress,
    retry_delays: Sequence[float],
    sleep: Callable[[float], object],
) -> None:
    """Receive the file, again after each delay where the failure may pass."""
    for tries, delay in enumerate((*retry_delays, None), start=1):
        try:
            _receive(source, partial, on_progress)
        except _PassingError as error:
            if delay is None:
                raise DownloadError(f"{error} (tries: {tries})") from error
            sleep(delay)
        else:
            return


def _receive(source: _Source, partial: PartialFile, on_progress: Progress) -> None:
    """Ask once for what is missing and append it, or begin anew where the server gives the whole."""
    offset, headers = partial.resume(source.url)
    with source.get(headers) as response:
        reply = read_reply(response.status_code, response.headers.get("Content-Range", ""), offset)
        if reply in {Reply.LATER, Reply.REFUSED}:
            kind = _PassingError if reply is Reply.LATER else DownloadError
            raise kind(f"HTTP {response.status_code} {str(response.reason)[:_LONGEST_SHOWN]}")
        if reply is Reply.WHOLE:
            partial.begin(source.url, validator(response.headers))
        if reply in {Reply.WHOLE, Reply.REST}:
            total = total_bytes(response.headers, offset if reply is Reply.REST else 0)
            for done in partial.append(source.chunks(response)):
                on_progress(done, total)
            return
    partial.discard()
    _receive(source, partial, on_progress)  # with nothing here there is no range to misfit: this ends


def _check(partial: PartialFile, sha256: str) -> None:
    """Discard the bytes, and raise DownloadError, where they are not the ones promised."""
    try:
        check_sha256(sha256_of(partial.path), sha256)
    except DownloadError:
        partial.discard()
        raise


def _scheme(url: str) -> str:
    """Return http or https; raises DownloadError where `url` is of another kind."""
    scheme = url.partition(":")[0].lower()
    if scheme not in {"http", "https"}:
        raise DownloadError(f"{url[:_LONGEST_SHOWN]} is neither an http nor an https URL")
    return scheme


@contextlib.contextmanager
def _session() -> Iterator["requests.Session"]:
    import requests  # noqa: PLC0415 - loaded only where a download happens

    with requests.Session() as session:  # identity: ranges of a compressed body are not those of the file
        session.headers.update({"User-Agent": f"w2v-cli/{__version__}", "Accept-Encoding": "identity"})
        yield session


@contextlib.contextmanager
def _held(destination: Path) -> Iterator[None]:
    """Hold the lock on `destination`, in a folder that is made if need be; the empty lock file stays behind."""
    import filelock  # noqa: PLC0415 - loaded only where a download happens

    lock = filelock.FileLock(destination.with_name(f"{destination.name}.lock"))
    with disk_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:  # an OSError too
            raise OutputInUseError(f"another process is downloading {destination}: wait until it is done.") from error
    try:
        yield
    finally:
        lock.release()
