"""Texts at a URL, through fsspec: http, https, s3, and all that it has a file system for (only fsspec importer)."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from w2v_cli.errors import CorpusError, DownloadError, MissingDependencyError, W2vError

_RETRY_SECONDS = (1.0, 2.0, 4.0)  # waited before a failed read is tried again
_BLOCK_BYTES = 8_000_000  # asked for at a time, where not the whole file is
_CONNECT_SECONDS, _SILENCE_SECONDS = 30, 60
_PASSING_STATUS = frozenset({408, 429})  # and those from 500 on
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")
_SECRETS = re.compile(r"(?<=//)[^/\s@]*@|(?<=\w)\?[^\s'\")]*")  # name and password, query
Version = dict[str, Any]  # of a remote file: its size and, of a web server, its marks
_INSTALL = 'pip install "w2v-cli[remote]"'


def is_url(text: str) -> bool:
    """Return whether a text names something remote.

    >>> is_url("s3://texts/novels.txt.gz"), is_url("novels.txt")
    (True, False)
    """
    return _URL.match(text) is not None


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


def find_urls(url: str) -> list[str]:
    """Return the URLs of the files that a URL means: itself, or what a pattern matches, or all below a folder, sorted.

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
            raise CorpusError(f"there is no text at {label(url)}: check it.")
        return [system.unstrip_protocol(name) for name in paths]


def _is_hidden(name: str, folder: str) -> bool:
    return any(part.startswith(".") for part in name.removeprefix(folder).split("/"))


@contextlib.contextmanager
def open_url(url: str, first: int = 0, version: Version | None = None) -> Iterator[Callable[[int], bytes]]:
    """Yield the function that reads the next bytes, up to so many; none are left at the file's end.

    first: the byte to begin with, of this version, as `inspect_url` has it; 0 where it has no size. A failure that may
    pass is tried again, from where it happened. Raises DownloadError where it does not pass, CorpusError where the file
    is not of this version any more, MissingDependencyError where a package is missing.
    """
    with _errors_of(url):
        system, path = _file_system(url)
    stream = _Stream(url, system, path, first, version)
    try:
        yield stream.read
    finally:
        stream.close()


def inspect_url(url: str) -> Version:
    """Return what tells the version of a remote file from others: `size`, None where nobody can read parts of it."""
    with _errors_of(url):
        system, path = _file_system(url)
        info = system.info(path)
    if not _is_web(url):
        return {"size": info.get("size")}
    version = {key: info[key] for key in ("ETag", "Last-Modified") if info.get(key)}
    return version | {"size": info.get("size") if version and info.get("partial") else None}


class _Stream:
    """Reads a remote file from start to end; what is read after a failure belongs to the same version of the file."""

    def __init__(self, url: str, system: Any, path: str, first: int = 0, version: Version | None = None) -> None:
        self._url = url
        self._system = system
        self._path = path
        self._file: Any = None
        self._position = first
        self._version: dict[str, Any] = dict(version or {})
        self._is_part = self._version.get("size") is not None

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        for delay in (*_RETRY_SECONDS, None):
            try:
                return self._read(size)
            except Exception as error:  # each file system has its own
                self.close()
                if delay is None or not _may_pass(error):
                    raise _explain(self._url, error) from error
            time.sleep(delay)
        raise AssertionError  # the last delay is None

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
        """Return the file, opened where reading stopped: a web server's as one stream, at first."""
        is_web = _is_web(self._url)
        if is_web and self._position == 0 and not self._is_part:
            file = self._system.open(self._path, block_size=0, size=1)  # a size, so that it is not asked for
            if any(self._version.values()):
                self._check_version(file.r.headers)
            self._version = {key: file.r.headers.get(key) for key in ("ETag", "Last-Modified")}
            return file
        if is_web:
            self._check_version(self._system.info(self._path))
        file = self._system.open(self._path, block_size=_BLOCK_BYTES)
        if not is_web and (self._position or self._is_part) and file.size != self._version["size"]:
            raise CorpusError(self._changed())
        self._version["size"] = file.size
        file.seek(self._position)
        return file

    def _check_version(self, info: Mapping[str, Any]) -> None:
        known = {key: value for key, value in self._version.items() if value and key != "size"}
        if not known:
            raise DownloadError(f"{label(self._url)} broke off at byte {self._position:,}: try again.")
        if any(info.get(key) != value for key, value in known.items()):
            raise CorpusError(self._changed())

    def _changed(self) -> str:
        return f"{label(self._url)} changed while it was read: start again when nobody writes to it."

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with contextlib.suppress(Exception):  # it has failed already, or has been read
                self._file.close()
            self._file = None


def _is_web(url: str) -> bool:
    return urlsplit(url).scheme.lower() in {"http", "https"}


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it; raise MissingDependencyError where a package is missing."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415  an extra

        system, path = url_to_fs(url, **(_web_options() if _is_web(url) else {}))
    except ImportError as error:
        raise MissingDependencyError(f"reading {label(url)} needs another package ({error}): {_INSTALL}") from error
    except ValueError as error:
        raise CorpusError(f"cannot read {label(url)}: {error}") from error
    return system, path


def _web_options() -> dict[str, Any]:
    """Return how web servers are asked: no limit to the whole time, but to silence."""
    import aiohttp  # noqa: PLC0415  an extra

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_downgrade)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
    return {"client_kwargs": {"timeout": timeout, "trace_configs": [trace], "trust_env": True}}


async def _refuse_downgrade(_session: Any, _context: Any, redirect: Any) -> None:
    """Raise DownloadError where https leads to http."""
    target = redirect.response.headers.get("Location", "")
    if redirect.url.scheme == "https" and target.lower().startswith("http:"):
        raise DownloadError(f"{label(str(redirect.url))} leads to {label(target)}, which anybody could have changed.")


@contextlib.contextmanager
def _errors_of(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _explain(url, error) from error


def _explain(url: str, error: Exception) -> W2vError:
    """Return a file system's failure as one of ours."""
    if isinstance(error, W2vError):
        return error
    if isinstance(error, ImportError):
        return MissingDependencyError(f"reading {label(url)} needs another package ({error}): {_INSTALL}")
    cause = "there is no such file" if isinstance(error, FileNotFoundError) else _words_of(error)
    return DownloadError(f"cannot read {label(url)}: {cause}; check the address, the network and your permissions.")


def _words_of(error: Exception) -> str:
    """Return what an exception says, on one line, without the secrets of URLs in it."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": .")
    return _SECRETS.sub("", text)


def _may_pass(error: Exception) -> bool:
    """Return whether a failure may be gone when the file is asked for again."""
    if isinstance(error, W2vError | ImportError | FileNotFoundError | PermissionError | NotImplementedError):
        return False
    status = getattr(error, "status", None)
    return not isinstance(status, int) or status >= 500 or status in _PASSING_STATUS  # noqa: PLR2004  HTTP's own
