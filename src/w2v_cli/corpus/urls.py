"""Texts at a URL, through fsspec: http, https, s3, and every other file system that it supports."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from w2v_cli.errors import CorpusError, DownloadError, MissingDependencyError, W2vError
from w2v_cli.system.network import is_downgrade, is_passing_status, retry_call

_BLOCK_BYTES = 8_000_000  # asked for at a time, if not the whole file is
_CONNECT_SECONDS, _SILENCE_SECONDS = 30, 60
_RETRY_SECONDS = (1.0, 2.0, 4.0)  # before each further attempt
_SECRETS = re.compile(r"(?<=//)[^/\s@]*@|(?<=\w)\?[^\s'\")]*")  # user name and password, query
_INSTALL = 'pip install "w2v-cli[remote]"'
_T = TypeVar("_T")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")
_VALIDATORS = ("ETag", "Last-Modified")  # headers of a web server that tell versions apart
Version = dict[str, Any]  # of a remote file: its size and, from a web server, its validators


def is_url(text: str) -> bool:
    """Return whether a text names something remote.

    >>> is_url("s3://texts/novels.txt.gz"), is_url("novels.txt")
    (True, False)
    """
    return _URL.match(text) is not None


def find_urls(url: str) -> list[str]:
    """Return the URLs of the files at a URL: itself, the matches of a pattern, or all below a folder, sorted.

    Files that are empty or hidden are left out of a folder. Web servers have neither patterns nor folders.
    """
    if url.lower().startswith(("http://", "https://")) or "::" in url:
        return [url]
    with _errors_of(url):
        system, path = _file_system(url)
        is_pattern = re.search(r"[*?[]", path) is not None
        if not is_pattern and not system.isdir(path):
            return [url]
        found = system.glob(path, detail=True) if is_pattern else system.find(path, detail=True)
        paths = [
            name
            for name, info in sorted(found.items())
            if info["type"] == "file" and (is_pattern or (info.get("size") != 0 and not _is_hidden(name, path)))
        ]
        if not paths:
            raise CorpusError(f"no text at {redact_url(url)}: check the URL.")
        return [system.unstrip_protocol(name) for name in paths]


def _is_hidden(name: str, folder: str) -> bool:
    return any(part.startswith(".") for part in name.removeprefix(folder).split("/"))


@contextlib.contextmanager
def open_url(
    url: str, first: int = 0, version: Version | None = None, *, is_part: bool = False
) -> Iterator[Callable[[int], bytes]]:
    """Yield a function that reads the next bytes of a remote file, at most as many as asked for; none at its end.

    After a failure that may pass, reading is continued where it stopped.

    Args:
        url: the file.
        first: the byte to begin with.
        version: the version that must be read, from `inspect_url`; None: any.
        is_part: whether nothing beyond what is asked for may be read ahead.

    Raises:
        DownloadError: reading fails repeatedly, or in a way that does not pass.
        CorpusError: the file is another version.
        MissingDependencyError: a package is missing.
    """
    with _errors_of(url):
        system, path = _file_system(url)
    stream = _Stream(url, system, path, first, version, is_part=is_part)
    try:
        yield stream.read
    finally:
        stream.close()


def inspect_url(url: str) -> Version:
    """Return the facts that identify this version of a remote file.

    `size` is None if parts of the file cannot be read. A failure that may pass is tried again.
    """
    with _errors_of(url):
        system, path = _file_system(url)
    info = _retry(url, lambda: _info_of(system, path))
    if not _is_web(url):
        return {"size": info.get("size")}
    version = {key: info[key] for key in _VALIDATORS if info.get(key)}
    has_parts = bool(version and info["size"]) and _retry(url, lambda: _sends_parts(system, path))
    return version | {"size": info["size"] if has_parts else None}


def _info_of(system: Any, path: str) -> dict[str, Any]:
    """Return the facts of a file; the web's file system disguises every failure as a missing file, undone here."""
    try:
        info: dict[str, Any] = system.info(path)
    except FileNotFoundError as error:
        if error.__cause__ is None or getattr(error.__cause__, "status", None) == HTTPStatus.NOT_FOUND:
            raise
        raise error.__cause__ from None
    return info


def _sends_parts(system: Any, path: str) -> bool:
    """Return whether a web server sends one byte when asked for one; many do without announcing it."""
    from fsspec.asyn import sync  # noqa: PLC0415  an extra

    async def ask() -> bool:
        session = await system.set_session()
        options = system.kwargs | {"headers": {**system.kwargs.get("headers", {}), "Range": "bytes=0-0"}}
        async with session.get(system.encode_url(path), **options) as answer:
            answer.raise_for_status()
            return bool(answer.status == HTTPStatus.PARTIAL_CONTENT)

    return bool(sync(system.loop, ask))


class _Stream:
    """Reads a remote file from start to end; after a failure it reads on in the same version of the file."""

    def __init__(self, url: str, system: Any, path: str, first: int, version: Version | None, *, is_part: bool) -> None:
        self._url = url
        self._system = system
        self._path = path
        self._file: Any = None
        self._position = first
        self._version: dict[str, Any] = dict(version or {})
        self._is_part = is_part

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        return _retry(self._url, lambda: self._read(size), self.close)

    def _read(self, size: int) -> bytes:
        if self._file is None:
            self._file = self._open()
        data: bytes = self._file.read(size)
        self._position += len(data)
        expected = self._version.get("size")
        if not data and expected and self._position != expected:
            raise ConnectionError(f"it ended at byte {self._position:,} of {expected:,}")
        return data

    def _open(self) -> Any:
        """Return the file, opened where reading stopped; a web server's is first read as one stream."""
        is_web = _is_web(self._url)
        if is_web and self._position == 0 and not self._is_part:
            file = self._system.open(self._path, block_size=0, size=1)  # a size, so that it is not asked for
            if any(self._version.values()):
                self._check_version(file.r.headers)
            self._version = {key: file.r.headers.get(key) for key in _VALIDATORS}
            return file
        options: dict[str, Any] = {"cache_type": "none"} if self._is_part else {}  # the rest belongs to other parts
        if is_web:
            info = _info_of(self._system, self._path)
            self._check_version(info)
            options["size"] = info["size"]
        file = self._system.open(self._path, block_size=_BLOCK_BYTES, **options)
        if not is_web and self._version.get("size") not in {None, file.size}:
            raise CorpusError(self._changed())
        self._version["size"] = file.size
        file.seek(self._position)
        return file

    def _check_version(self, info: Mapping[str, Any]) -> None:
        known = {key: value for key, value in self._version.items() if value and key != "size"}
        if not known:
            raise DownloadError(f"{redact_url(self._url)} broke off at byte {self._position:,}: try again.")
        if any(info.get(key) != value for key, value in known.items()):
            raise CorpusError(self._changed())

    def _changed(self) -> str:
        return f"{redact_url(self._url)} changed while it was read: try again when no other program writes to it."

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with contextlib.suppress(Exception):  # it has failed, or has been read
                self._file.close()
            self._file = None


def _is_web(url: str) -> bool:
    return urlsplit(url).scheme.lower() in {"http", "https"}


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it; raise MissingDependencyError if a package is missing."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415  an extra

        system, path = url_to_fs(url, **(_web_options() if _is_web(url) else {}))
    except ImportError as error:
        raise MissingDependencyError(
            f"reading {redact_url(url)} needs another package ({error}): {_INSTALL}"
        ) from error
    except ValueError as error:
        raise CorpusError(f"cannot read {redact_url(url)}: {error}") from error
    return system, path


def _web_options() -> dict[str, Any]:
    """Return the options for web servers: no limit on the whole time, but on silence."""
    import aiohttp  # noqa: PLC0415  an extra

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_downgrade)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
    return {"client_kwargs": {"timeout": timeout, "trace_configs": [trace], "trust_env": True}}


async def _refuse_downgrade(_session: Any, _context: Any, redirect: Any) -> None:
    """Raise DownloadError if https leads to http."""
    target = redirect.response.headers.get("Location", "")
    if is_downgrade(str(redirect.url), target):
        raise DownloadError(
            f"{redact_url(str(redirect.url))} leads to {redact_url(target)}, which anyone could have changed."
        )


def redact_url(url: str) -> str:
    """Return a URL for messages: without the user name, the password and the query, which may hold a signature.

    >>> redact_url("https://me:secret@example.org/a.txt?X-Amz-Signature=5f")
    'https://example.org/a.txt'
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an address in them, as in http://[x]y
        return _SECRETS.sub("", " ".join(url.split()))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _retry(url: str, act: Callable[[], _T], clean: Callable[[], None] = lambda: None) -> _T:
    """Return what `act` returns, trying again if its failure may pass; `clean` is called after each failure."""

    def attempt() -> _T:
        try:
            return act()
        except Exception:
            clean()
            raise

    with _errors_of(url):
        return retry_call(attempt, delays=_RETRY_SECONDS, may_pass=_may_pass)


@contextlib.contextmanager
def _errors_of(url: str) -> Iterator[None]:
    """Raise the failures of this block as our errors."""
    try:
        yield
    except W2vError:
        raise
    except Exception as error:
        raise _explain(url, error) from error


def _explain(url: str, error: Exception) -> W2vError:
    """Return the failure of a file system as our error."""
    if isinstance(error, ImportError):
        return MissingDependencyError(f"reading {redact_url(url)} needs another package ({error}): {_INSTALL}")
    cause = "there is no such file" if isinstance(error, FileNotFoundError) else _message_of(error)
    return DownloadError(
        f"cannot read {redact_url(url)}: {cause}; check the address, the network and your permissions."
    )


def _message_of(error: Exception) -> str:
    """Return the message of an exception on one line, without the secrets of URLs in it."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": .")
    return _SECRETS.sub("", text)


def _may_pass(error: Exception) -> bool:
    """Return whether a failure may be gone at the next attempt."""
    if isinstance(error, W2vError | ImportError | FileNotFoundError | PermissionError | NotImplementedError):
        return False
    status = getattr(error, "status", None)
    return not isinstance(status, int) or is_passing_status(status) or status == HTTPStatus.REQUEST_TIMEOUT
