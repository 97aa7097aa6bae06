"""What a shell may complete, found without NumPy and YAML: a key press waits for it."""

import itertools
import json
import mmap
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MOST_WORDS = 100
_LONGEST_HEADER = 4 << 20  # bytes, as in vectors/safetensors.py, which loads NumPy
_PLAIN = re.compile(r"\w[\w.,@%+/-]*")
_SECTION = re.compile(r"^(\w+):\n((?:[ #].*\n|\n)*)", re.MULTILINE)
_SETTING = re.compile(r"^  (\w+):", re.MULTILINE)
_DATASET = re.compile(r"^([a-z][\w-]*):\n(?: .*\n)*?  kind: (\w+)$", re.MULTILINE)


def is_plain(text: str) -> bool:
    """Return whether every shell takes `text` as it is, without quotes.

    >>> is_plain("well-known"), is_plain("don't")
    (True, False)
    """
    return _PLAIN.fullmatch(text) is not None


def datasets_of(kind: str) -> list[str]:
    """Return the names in datasets.yaml of a kind, `corpus` or `evaluation`.

    >>> datasets_of("corpus")
    ['demo', 'ptb']
    """
    text = Path(__file__).parents[1].joinpath("datasets", "datasets.yaml").read_text(encoding="utf-8")
    return [name for name, found in _DATASET.findall(text) if found == kind]


def settings_of(config: Path) -> list[str]:
    """Return the dotted names of the settings in a config of ours, such as `training.epochs`."""
    sections = _SECTION.findall(config.read_text(encoding="utf-8"))
    return [f"{section}.{name}" for section, lines in sections for name in _SETTING.findall(lines)]


def words_of(path: Path, prefix: str) -> list[str]:
    """Return words of a vectors file that begin with `prefix`, the first ones of the file; none of a file of no use.

    The file is mapped and not checked: that would read all of it. Words with spaces or quotes
    are left out: see `is_plain`.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            words = (word for word in _iterate_words(content, prefix.encode()) if is_plain(word))
            return list(itertools.islice(words, _MOST_WORDS))
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):  # missing, damaged, of another kind
        return []


def _iterate_words(content: mmap.mmap, prefix: bytes) -> Iterator[str]:
    """Yield the words that begin with `prefix`, in the file's order."""
    length = int.from_bytes(content[:8], "little")
    if length > _LONGEST_HEADER:
        raise ValueError("no safetensors file")
    header = json.loads(content[8 : 8 + length])
    start, end = _span(header, "vocabulary.bytes", 8 + length)
    first, last = _span(header, "vocabulary.offsets", 8 + length)
    offsets = array("q", content[first:last])
    found = content.find(prefix, start, end)
    while 0 <= found < end:  # nothing at all is found at the end, again and again
        place = bisect_left(offsets, found - start)
        begin = start + offsets[place]  # of the word that was found, or of the next one behind the middle of a word
        if begin == found and place + 1 < len(offsets) and begin + len(prefix) <= start + offsets[place + 1]:
            yield content[found : start + offsets[place + 1]].decode("utf-8")
        found = content.find(prefix, max(begin, found + 1), end)


def _span(header: Any, name: str, start: int) -> tuple[int, int]:
    """Return where the bytes of a tensor begin and end in the file."""
    first, end = header[name]["data_offsets"]
    return start + first, start + end
