"""One file over HTTP: resumed, retried, checked against its SHA-256, and moved into place whole or not at all."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from w2v_cli import __version__
from w2v_cli.datasets.incoming import CHUNK_BYTES, PartialFile, check_sha256, sha256_of
from w2v_cli.datasets.replies import (
    LONGEST_SHOWN,
    Reply,
    read_reply,
    redirect_target,
    scheme_of,
    total_bytes,
    validator,
)
from w2v_cli.errors import DownloadError, OutputInUseError, option
from w2v_cli.system.file_types import is_web_page
from w2v_cli.system.files import disk_errors

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 10
_WEB_PAGE = "what came is a web page, as a proxy or a login gives"

Progress = Callable[[int, int | None], None]  # bytes of the file that are here, and of the whole where that is known


class _PassingError(DownloadError):
    """A failure that may be gone at the next try."""


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
                failures.append(f"{url}: {error.message}")
            else:
                partial.install(destination)
                return
    raise DownloadError(
        f"cannot download {destination.name}: {'; '.join(failures)}. "
        f"Try again later, or get the file in another way and give it with {option('from')} FILE."
    )


@dataclass(frozen=True)
class _Source:
    """A URL and the session that asks it; what `requests` raises comes out as a DownloadError."""

    session: "requests.Session"
    url: str
    timeout_seconds: float

    def get(self, headers: Mapping[str, str]) -> "requests.Response":
        """Return the answer to a GET, its body unread, after at most MAX_REDIRECTS redirects."""
        url = self.url
        scheme_of(url)
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
                raise DownloadError(f"{error.message} (tries: {tries})") from error
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
            raise kind(f"HTTP {response.status_code} {str(response.reason)[:LONGEST_SHOWN]}")
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
    except DownloadError as error:
        is_page = is_web_page(partial.beginning())
        partial.discard()
        raise DownloadError(f"{error.message}; {_WEB_PAGE}" if is_page else error.message) from error


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
