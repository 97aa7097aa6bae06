"""Completion candidates for the Tab key: corpora, configs, settings, evaluation sets, words of the vectors file.

If no name fits, nothing is returned, and the shell proposes files. A key press waits for the result, so NumPy is not
loaded, and each function imports its own modules.
"""

import itertools
import json
import mmap
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from w2v_cli.config.shipped import shipped_configs

_MOST_WORDS = 100
_LONGEST_HEADER = 4 << 20  # bytes, as in vectors/safetensors.py, which loads NumPy
_PLAIN = re.compile(r"\w[\w.,@%+/-]*")


def complete_corpus(incomplete: str) -> list[str]:
    """Return the corpora that begin with `incomplete`, and such files of this folder."""
    return _names_and_files(_datasets("corpus"), incomplete)


def complete_config(incomplete: str) -> list[str]:
    """Return the shipped configs that begin with `incomplete`, and such files of this folder."""
    return _names_and_files(shipped_configs(), incomplete)


def complete_setting(incomplete: str) -> list[str]:
    """Return the settings for --set that begin with `incomplete`, each with the `=` that its value follows."""
    from w2v_cli.config.schema import FIELDS

    return [f"{key}=" for key in _starting_with(FIELDS, incomplete)]


def complete_set(incomplete: str) -> list[str]:
    """Return the evaluation sets that begin with `incomplete`, and such files of this folder."""
    return _names_and_files(_datasets("evaluation"), incomplete)


def complete_dataset(incomplete: str) -> list[str]:
    """Return the datasets of `w2v download` that begin with `incomplete`, corpora first."""
    return _starting_with(_datasets("corpus") + _datasets("evaluation"), incomplete)


def complete_word(context: typer.Context, incomplete: str) -> list[str]:
    """Return words that begin with `incomplete`, the most frequent first, of --vectors or else w2v.safetensors."""
    named = context.params.get("vectors") or "w2v.safetensors"
    first = named[0] if isinstance(named, list | tuple) else named
    return words_starting_with(Path(first).expanduser(), incomplete)


def is_plain(text: str) -> bool:
    """Return whether every shell takes `text` without quotes.

    >>> is_plain("well-known"), is_plain("don't")
    (True, False)
    """
    return _PLAIN.fullmatch(text) is not None


def words_starting_with(path: Path, prefix: str) -> list[str]:
    """Return the first words of a vectors file that begin with `prefix`; none of a file that cannot be read.

    The file is mapped but not verified, because that would read all of it: vectors/safetensors.py does that.
    Words with spaces or quotes are left out: see `is_plain`.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            words = (word for word in _iterate_words(content, prefix.encode()) if is_plain(word))
            return list(itertools.islice(words, _MOST_WORDS))
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):  # missing, damaged or not vectors
        return []


def _datasets(kind: str) -> list[str]:
    """Return the names of the datasets of a kind, `corpus` or `evaluation`."""
    from w2v_cli.datasets.registry import read_table

    return [name for name, dataset in read_table().items() if dataset.kind == kind]


def _iterate_words(content: mmap.mmap, prefix: bytes) -> Iterator[str]:
    """Yield the words that begin with `prefix`, in the file's order."""
    length = int.from_bytes(content[:8], "little")
    if length > _LONGEST_HEADER:
        raise ValueError("not a safetensors file")
    header = json.loads(content[8 : 8 + length])
    start, end = _span(header, "vocabulary.bytes", 8 + length)
    first, last = _span(header, "vocabulary.offsets", 8 + length)
    offsets = array("q", content[first:last])
    found = content.find(prefix, start, end)
    while 0 <= found < end:  # an empty prefix is found at the end again and again
        place = bisect_left(offsets, found - start)
        begin = start + offsets[place]  # of the word found, or of the next one if the middle of a word was found
        if begin == found and place + 1 < len(offsets) and begin + len(prefix) <= start + offsets[place + 1]:
            yield content[found : start + offsets[place + 1]].decode("utf-8")
        found = content.find(prefix, max(begin, found + 1), end)


def _span(header: Any, name: str, start: int) -> tuple[int, int]:
    """Return the positions in the file where a tensor begins and ends."""
    first, end = header[name]["data_offsets"]
    return start + first, start + end


def _names_and_files(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin with `incomplete`, then such files of this folder; nothing if there is no name."""
    found = _starting_with(names, incomplete)
    if not found:
        return []
    files = sorted(path.name + "/" * path.is_dir() for path in Path.cwd().iterdir() if is_plain(path.name))
    return found + _starting_with(files, incomplete)


def _starting_with(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
