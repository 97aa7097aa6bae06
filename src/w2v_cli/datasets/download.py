"""The download of one file over HTTP: resumed, retried, checked against its SHA-256, and installed whole or not at all.

The bytes gather in a partial file beside the destination; a note beside that says which version of which URL they
belong to, so that a later call can ask for the rest.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from w2v_cli import __version__
from w2v_cli.errors import DownloadError, OutputInUseError, option
from w2v_cli.system.file_types import is_web_page
from w2v_cli.system.files import atomic_write, disk_errors, read_bytes, sha256_of, sync_folder
from w2v_cli.system.network import is_downgrade, is_passing_status, retry_call

if TYPE_CHECKING:
    import requests

CHUNK_BYTES = 1 << 16
MAX_REDIRECTS = 10
_LONGEST_SHOWN = 300  # characters of a message of the server
_MOST_DIGITS = 18  # of a size: int() refuses thousands of them
_WEB_PAGE = "the server sent a web page, probably of a proxy or a login"

Progress = Callable[[int, int | None], None]  # bytes received, and bytes in all, None if not known


class _PassingError(DownloadError):
    """A failure that may be gone at the next attempt."""


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
    """Download `destination` from the first of `urls` that works.

    The bytes gather in `<destination>.part`, which a later call continues. `destination` stays as it was if the
    download fails.

    Args:
        urls: tried in this order.
        destination: the file to write; its folder is made.
        sha256: the SHA-256 that its bytes must have, in hexadecimal; None: any.
        on_progress: called with the bytes received and those in all.
        retry_delays: seconds to wait before each further attempt at a URL, as long as its failure may pass.
        timeout_seconds: the longest wait for bytes.
        sleep: waits for a number of seconds.

    Raises:
        DownloadError: every URL fails, or its bytes have another SHA-256.
        StorageError: the disk refuses.
        OutputInUseError: another process is downloading the same file.
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
        f"Try again later, or get the file another way and pass it with {option('from')} FILE."
    )


@dataclass(frozen=True)
class _Source:
    """A URL and the session that asks for it; the errors of `requests` become DownloadErrors."""

    session: "requests.Session"
    url: str
    timeout_seconds: float

    def get(self, headers: Mapping[str, str]) -> "requests.Response":
        """Return the response to a GET, its body unread, after at most MAX_REDIRECTS redirects."""
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
        """Yield the body; one shorter than its Content-Length raises DownloadError (urllib3 counts since version 2)."""
        with self._network_errors():
            yield from response.iter_content(CHUNK_BYTES)

    @contextlib.contextmanager
    def _network_errors(self) -> Iterator[None]:
        from requests import exceptions  # noqa: PLC0415 - loaded only if a download happens

        passing = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
        lasting = exceptions.SSLError  # a ConnectionError too, but a wrong certificate stays wrong
        try:
            yield
        except exceptions.RequestException as error:
            may_pass = isinstance(error, passing) and not isinstance(error, lasting)
            raise (_PassingError if may_pass else DownloadError)(self._reason(error)) from error

    def _reason(self, error: BaseException) -> str:
        """Return the message of the innermost exception of a chain; the outer ones repeat it in theirs."""
        while inner := error.__cause__ or error.__context__:
            error = inner
        if isinstance(error, TimeoutError):
            return f"no answer within {self.timeout_seconds:g} s"
        return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _receive_patiently(
    source: _Source,
    partial: "PartialFile",
    on_progress: Progress,
    retry_delays: Sequence[float],
    sleep: Callable[[float], object],
) -> None:
    """Receive the file, again after each delay if the failure may pass."""
    try:
        retry_call(
            lambda: _receive(source, partial, on_progress),
            delays=retry_delays,
            may_pass=lambda error: isinstance(error, _PassingError),
            sleep=sleep,
        )
    except _PassingError as error:
        raise DownloadError(f"{error.message} (tries: {len(retry_delays) + 1})") from error


def _receive(source: _Source, partial: "PartialFile", on_progress: Progress) -> None:
    """Ask once for the missing bytes and append them, or start over if the server sends the whole file."""
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
    _receive(source, partial, on_progress)  # without a partial file no range is asked for: this ends


def _check(partial: "PartialFile", sha256: str) -> None:
    """Discard the bytes and raise DownloadError if their SHA-256 is not the expected one."""
    try:
        check_sha256(sha256_of(partial.path), sha256)
    except DownloadError as error:
        is_page = is_web_page(partial.beginning())
        partial.discard()
        raise DownloadError(f"{error.message}; {_WEB_PAGE}" if is_page else error.message) from error


@contextlib.contextmanager
def _session() -> Iterator["requests.Session"]:
    import requests  # noqa: PLC0415 - loaded only if a download happens

    with requests.Session() as session:  # identity: ranges of a compressed body are not those of the file
        session.headers.update({"User-Agent": f"w2v-cli/{__version__}", "Accept-Encoding": "identity"})
        yield session


@contextlib.contextmanager
def _held(destination: Path) -> Iterator[None]:
    """Hold the lock on `destination` in this block, making its folder; the empty lock file stays behind."""
    import filelock  # noqa: PLC0415 - loaded only if a download happens

    lock = filelock.FileLock(destination.with_name(f"{destination.name}.lock"))
    with disk_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:  # an OSError too
            raise OutputInUseError(
                f"another process is downloading {destination}: wait until it has finished."
            ) from error
    try:
        yield
    finally:
        lock.release()


class Reply(Enum):
    """The meaning of a response for the bytes received before."""

    WHOLE = auto()  # the file from its first byte
    REST = auto()  # the missing bytes
    MISFIT = auto()  # not the range that was asked for: ask for the whole file
    LATER = auto()  # a failure that may pass
    REFUSED = auto()


def read_reply(status: int, content_range: str, offset: int) -> Reply:
    """Return the meaning of a response with this status after `offset` received bytes.

    >>> read_reply(206, "bytes 10-99/100", offset=10)
    <Reply.REST: 2>
    """
    if status == HTTPStatus.OK:
        return Reply.WHOLE
    if offset and status == HTTPStatus.PARTIAL_CONTENT:
        return Reply.REST if content_range.startswith(f"bytes {offset}-") else Reply.MISFIT
    if offset and status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Reply.MISFIT
    return Reply.LATER if is_passing_status(status) else Reply.REFUSED


def redirect_target(url: str, location: str) -> str:
    """Return the target of a redirect from `url`; raise DownloadError if it is not HTTP, or no longer HTTPS."""
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise DownloadError(f"redirected to {location[:_LONGEST_SHOWN]}, which is not a URL") from error
    scheme_of(target)
    if is_downgrade(url, target):
        raise DownloadError(f"redirected from https to {target[:_LONGEST_SHOWN]}, which is not followed")
    return target


def validator(headers: Mapping[str, str]) -> str | None:
    """Return the validator of a version of a file for `If-Range`, or None (RFC 9110, section 13.1.5).

    >>> validator({"ETag": 'W/"weak"', "Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT"})
    'Sat, 01 Jan 2000 00:00:00 GMT'
    """
    if "Content-Encoding" in headers:  # a range would count bytes of the encoded body, not of the file
        return None
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def total_bytes(headers: Mapping[str, str], offset: int) -> int | None:
    """Return the size of the whole file, or None if the server does not say."""
    length = headers.get("Content-Length", "")
    is_size = length.isdecimal() and len(length) <= _MOST_DIGITS
    return offset + int(length) if is_size and "Content-Encoding" not in headers else None


def scheme_of(url: str) -> str:
    """Return http or https; raise DownloadError if `url` is of another kind."""
    scheme = url.partition(":")[0].lower()
    if scheme not in {"http", "https"}:
        raise DownloadError(f"{url[:_LONGEST_SHOWN]} is neither an http nor an https URL")
    return scheme


@dataclass(frozen=True)
class PartialFile:
    """The unfinished file; a note beside it names the URL and the version that its bytes belong to."""

    path: Path

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def resume(self, url: str) -> tuple[int, dict[str, str]]:
        """Return the bytes of `url` received before, and the headers that ask for the rest of that version."""
        try:
            offset = self.path.stat().st_size
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if offset and note["url"] == url and _is_header(note["validator"]):
                return offset, {"Range": f"bytes={offset}-", "If-Range": note["validator"]}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass  # no partial file, no note, or one that a crash cut short or a disk damaged: start over
        return 0, {}

    def begin(self, url: str, version: str | None) -> None:
        """Empty the file, and only then note the version that it will hold: the note never vouches for other bytes."""
        with disk_errors(self.path):
            self.path.write_bytes(b"")
            self._note.unlink(missing_ok=True)
            if version:
                self._note.write_text(json.dumps({"url": url, "validator": version}), encoding="utf-8")

    def append(self, chunks: Iterator[bytes]) -> Iterator[int]:
        """Append chunks and synchronise the file; yield its size before the first and after each."""
        with disk_errors(self.path), self.path.open("ab") as file:
            yield file.tell()
            for chunk in chunks:
                file.write(chunk)
                yield file.tell()
            file.flush()
            os.fsync(file.fileno())

    def beginning(self) -> bytes:
        """Return the first bytes, enough to tell the kind of file."""
        return next(read_bytes(self.path), b"")

    def discard(self) -> None:
        """Remove the file and its note."""
        with disk_errors(self.path):
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def install(self, destination: Path) -> None:
        """Move the file to `destination`, atomically and durably."""
        with disk_errors(destination):
            self.path.replace(destination)
            sync_folder(destination.parent)
            self._note.unlink(missing_ok=True)


def _is_header(value: object) -> bool:
    """Return whether a value may be sent as a header: without line breaks, and ASCII alone."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()


def copy_checked(source: Path, destination: Path, sha256: str) -> None:
    """Copy `source` whole or not at all.

    Raises:
        DownloadError: its bytes have another SHA-256.
        StorageError: one of the files cannot be read or written.
    """
    digest = hashlib.sha256()
    with atomic_write(destination, overwrite=True) as file:
        for chunk in read_bytes(source):
            digest.update(chunk)
            file.write(chunk)
        check_sha256(digest.hexdigest(), sha256)


def check_sha256(found: str, expected: str) -> None:
    """Raise DownloadError, showing both hashes, if they differ."""
    if found != expected:
        raise DownloadError(f"SHA-256 is {found}, expected {expected}: nothing was installed")
