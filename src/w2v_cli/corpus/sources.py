"""The sources of a text: names, folders, patterns and URLs become an ordered list of files, which this module opens."""

import contextlib
import glob
import os
import select
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli.corpus import urls
from w2v_cli.errors import ConfigError, CorpusError
from w2v_cli.system.compression import Read

STDIN = "-"

Version = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Part:
    """The bytes of a file from `first` to before `last`, both moved forward to the next line's beginning."""

    first: int
    last: int


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        place: its path, its URL, or STDIN.
        folder: the folder that the user named and in which the file was found, None if the file itself was named.
        part: the part of it to read, None: all.
        version: what tells this version of the file from others, None: any version.
    """

    place: str
    folder: str | None = None
    part: Part | None = None
    version: Version | None = None

    @property
    def label(self) -> str:
        """The name of the source in messages, without the secrets that a URL may hold."""
        if self.place == STDIN:
            return "stdin"
        return urls.redact_url(self.place) if urls.is_url(self.place) else str(Path(self.place))


def label_of_corpus(sources: Sequence[Source]) -> str:
    """Return the name of a text of one or several sources in messages."""
    return sources[0].label if len(sources) == 1 else f"the corpus of {len(sources):,} files"


def find_sources(texts: Sequence[str], *, hint: str = "") -> tuple[Source, ...]:
    """Return the sources of some texts, in order.

    Args:
        texts: files, folders, patterns, URLs and STDIN. A folder means all files below it, sorted by path, except empty
            ones and hidden ones (a name that begins with a dot, the file's or a folder's).
        hint: what else the text could be, for the message.

    Raises:
        CorpusError: nothing is found.
        ConfigError: STDIN is named twice.
    """
    if texts.count(STDIN) > 1:
        raise ConfigError("stdin (-) can be read only once: pass it once.")
    return tuple(source for text in texts for source in _find(text, hint))


def _find(text: str, hint: str) -> list[Source]:
    if text == STDIN:
        return [Source(STDIN)]
    if urls.is_url(text):
        return [Source(url, None if url == text else text) for url in urls.find_urls(text)]
    try:
        is_folder = stat.S_ISDIR(Path(text).stat().st_mode)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and glob.has_magic(text):
            return _match(text)
        if isinstance(error, FileNotFoundError):
            raise CorpusError(f"no file{hint} is called {text!r}; check the path.") from error
        raise CorpusError(f"{text!r} cannot be read: {error.strerror}; check the path.") from error
    return _files_below(text) if is_folder else [Source(text)]


def _match(pattern: str) -> list[Source]:
    """Return the files that a pattern matches; `**` stands for any number of folders."""
    found = sorted(path for path in glob.iglob(pattern, recursive=True) if Path(path).is_file())  # noqa: PTH207  Path has none of an absolute pattern
    if not found:
        raise CorpusError(f"the pattern {pattern!r} matches no file; check it.")
    return [Source(path) for path in found]


def _files_below(folder: str) -> list[Source]:
    """Return the files below a folder; links to folders are not followed: they may lead in a circle."""
    found = []
    for place, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(place, name) for name in names if not name.startswith(".")]
        found += [str(path) for path in paths if path.is_file() and path.stat().st_size]
    if not found:
        raise no_text_in(folder)
    return [Source(path, folder) for path in sorted(found)]


def known_bytes(sources: Sequence[Source]) -> int | None:
    """Return the stored bytes of all sources, None if one of them is not a file on this machine."""
    if any(source.place == STDIN for source in sources):
        return None
    try:
        found = [os.stat(source.place) for source in sources]  # noqa: PTH116  as open_file
    except OSError:
        return None
    return sum(one.st_size for one in found) if all(stat.S_ISREG(one.st_mode) for one in found) else None


def _refuse_folder(error: OSError) -> None:
    raise CorpusError(f"cannot read the folder {error.filename}: {error.strerror}; check its permissions.") from error


def no_text_in(folder: str) -> CorpusError:
    """Return the error for a folder without text."""
    return CorpusError(f"the folder {folder} holds no text: pass a folder with text files, or the files.")


@contextlib.contextmanager
def open_source(source: Source) -> Iterator[Read]:
    """Yield a function that reads the next bytes of a source, at most as many as asked for, none at its end.

    Raises:
        CorpusError: the source cannot be read, or has changed when the block ends.
        DownloadError: a URL cannot be read.
    """
    if urls.is_url(source.place):
        with urls.open_url(source.place) as read:
            yield read
        return
    try:
        with open_file(source.place) as descriptor:
            file = _File(source, descriptor)
            yield file.read
            file.check_unchanged()
    except OSError as error:
        raise unreadable(source, error) from error


@contextlib.contextmanager
def open_file(place: str) -> Iterator[int]:
    """Yield the descriptor of a file, or of stdin, which stays open."""
    if place == STDIN:
        if sys.stdin is None:  # descriptor 0 may belong to another file
            raise CorpusError("stdin is closed: pipe a text into it, or pass a file.")
        yield 0
        return
    descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _File:
    """An open file that, if it is a regular one, must not change while it is read."""

    def __init__(self, source: Source, descriptor: int) -> None:
        self._source = source
        self._descriptor = descriptor
        self._before = os.fstat(descriptor)
        self._read_bytes = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most as many as asked for."""
        while True:
            try:
                data = os.read(self._descriptor, size)
            except BlockingIOError:  # stdin that another process made non-blocking
                select.select([self._descriptor], [], [])
                continue
            self._read_bytes += len(data)
            if self._read_bytes > self._before.st_size:  # a file that grows as fast as it is read would never end
                self.check_unchanged()
            return data

    def check_unchanged(self) -> None:
        """Raise CorpusError if the file has been written to."""
        before, after = self._before, os.fstat(self._descriptor)
        is_same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if stat.S_ISREG(before.st_mode) and not is_same:
            raise changed(self._source)


def changed(source: Source) -> CorpusError:
    """Return the error for a file that changed while it was read."""
    return CorpusError(f"{source.label} changed while it was read: try again when no other program writes to it.")


def unreadable(source: Source, error: OSError) -> CorpusError:
    """Return the error for a file that the system refuses to read."""
    return CorpusError(f"cannot read the corpus {source.label}: {error.strerror}; check the path.")
