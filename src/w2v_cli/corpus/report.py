"""The counts of a text, the report made from them, and warnings about problems of the text."""

import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.errors import option
from w2v_cli.humanize import count

_MANY_NULS = 0.001  # as a share of a file's bytes
_SHOWN_FILES = 3

Nuls = dict[str, tuple[int, int]]  # by the file's name: its NUL bytes, and all its bytes


def _add_nuls(found: Nuls, later: Mapping[str, tuple[int, int]]) -> Nuls:
    """Add the NUL bytes of the files that come next; parts of one file add up, and a file without any is left out."""
    for label, (nuls, size) in later.items():
        last, before = next(reversed(found), label), found.get(label, (0, 0))
        if last != label and found[last][0] == 0:  # that file has ended without any
            del found[last]
        found[label] = (before[0] + nuls, before[1] + size)
    return found


@dataclass
class TextCounts:
    """The counts of a text, besides those of its words; `+=` adds the counts of the part that comes next.

    A new counter is one field: the reader, the encoder or a worker of a cluster fills it in, and it adds up. `join` in
    a field's metadata replaces `+=` for it.

    Attributes:
        digests: the place and the SHA-256 of each file (or part of one) that held anything.
        size_bytes: decompressed.
        lines: line ends.
        blank_lines: lines of white space alone.
        long_tokens: stretches longer than max_token_bytes, which are skipped.
        long_bytes: their bytes.
        invalid_characters: places that are not UTF-8, each read as U+FFFD.
        lost_words: different words forgotten because there were more than max_vocab.
        lost_occurrences: how often those had occurred.
        pruned_below: every forgotten word had occurred less often than this since it was last met; 0: none was.
        nuls_in: the files with NUL bytes; a file that is read in parts stands here without any until it ends.
        web_pages: files that are HTML.
        other_data: files found in a folder that are not text, with the reason.
        treebank_words: which of the Penn Treebank's `<unk>` and `<eos>` the text holds.
    """

    digests: list[tuple[str, bytes]] = field(default_factory=list)
    size_bytes: int = 0
    lines: int = 0
    blank_lines: int = 0
    long_tokens: int = 0
    long_bytes: int = 0
    invalid_characters: int = 0
    lost_words: int = 0
    lost_occurrences: int = 0
    pruned_below: int = field(default=0, metadata={"join": max})
    nuls_in: Nuls = field(default_factory=dict, metadata={"join": _add_nuls})
    web_pages: list[str] = field(default_factory=list)
    other_data: list[str] = field(default_factory=list)
    treebank_words: set[str] = field(default_factory=set, metadata={"join": operator.ior})

    def __iadd__(self, later: Self) -> Self:
        for counter in fields(self):
            join = counter.metadata.get("join", operator.iadd)
            setattr(self, counter.name, join(getattr(self, counter.name), getattr(later, counter.name)))
        return self


@dataclass(frozen=True)
class ScanReport:
    """The numbers of a scan: what was read and what was dropped, so that nothing disappears silently.

    Attributes:
        files: files that held anything.
        size_bytes: decompressed.
        words: occurrences found, those of end_of_line included.
        sentences: sentences that hold kept words; None if not counted, as on a cluster.
        rare_words: different words that occur less often than min_count.
        rare_occurrences: how often those occur.
        forgotten_words: different words for which max_vocab left no room.
        forgotten_occurrences: how often those occur.
        long_tokens: stretches longer than max_token_bytes.
        long_bytes: their bytes.
        invalid_characters: places that are not UTF-8, each read as U+FFFD.
        blank_lines: lines of white space alone.
        nul_bytes: read like any other byte.
        other_files: files found in a folder that are not text.
    """

    files: int = 0
    size_bytes: int = 0
    words: int = 0
    sentences: int | None = 0
    rare_words: int = 0
    rare_occurrences: int = 0
    forgotten_words: int = 0
    forgotten_occurrences: int = 0
    long_tokens: int = 0
    long_bytes: int = 0
    invalid_characters: int = 0
    blank_lines: int = 0
    nul_bytes: int = 0
    other_files: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return every number by its name."""
        return asdict(self)

    @property
    def dropped(self) -> list[str]:
        """A text with what was dropped or replaced, besides rare words and blank lines."""
        forgotten = f"{count(self.forgotten_occurrences, 'occurrence')} of {count(self.forgotten_words, 'word')}"
        said = (
            (self.forgotten_occurrences, f"{forgotten} over max_vocab"),
            (self.long_tokens, f"{count(self.long_tokens, 'token')} too long ({self.long_bytes:,} bytes)"),
            (self.invalid_characters, count(self.invalid_characters, "invalid character")),
            (self.nul_bytes, count(self.nul_bytes, "NUL byte")),
            (self.other_files, f"{count(self.other_files, 'file')} of other data"),
        )
        return [text for number, text in said if number]


def find_warnings(label: str, counts: TextCounts, config: CorpusSettings) -> tuple[str, ...]:
    """Return a warning for each problem of a text to report before training.

    Args:
        label: the name of the text in messages.
        counts: the counts of the whole text.
        config: the settings that the text was read with.
    """
    warnings = []
    if counts.invalid_characters:
        warnings.append(
            f"{label} is not UTF-8 in {count(counts.invalid_characters, 'place')}, each read as U+FFFD: "
            f"`iconv -f LATIN1 -t UTF-8` converts a text of another encoding; {option('invalid_utf8', 'strict')} stops "
            f"there."
        )
    if config.tokens == "words" and counts.treebank_words:
        warnings.append(
            f"{label} holds {' and '.join(sorted(counts.treebank_words))} as the Penn Treebank does, and tokens: words "
            f"removes their brackets; {option('tokens', 'whitespace')} keeps them."
        )
    warnings += _about_losses(label, counts, config)
    warnings += _about_nuls(counts)
    if counts.web_pages:
        warnings.append(f"looks like a web page: {_first(counts.web_pages)}; its tags (HTML) are read as words.")
    if counts.other_data:
        warnings.append(f"left out of the corpus: {_first(counts.other_data)}")
    return tuple(warnings)


def explain_few_words(label: str, counts: TextCounts, config: CorpusSettings) -> str:
    """Return why a text may hold too few words, in brackets after a space; nothing if no words were lost."""
    return "".join(f" ({line})" for line in _about_losses(label, counts, config))


def _about_losses(label: str, counts: TextCounts, config: CorpusSettings) -> list[str]:
    """Return a line for each limit that made the scan lose words."""
    lines = []
    if counts.pruned_below:
        lines.append(
            f"{label} has more than {config.max_vocab:,} different words: rare ones (up to "
            f"{counts.pruned_below - 1:,} times so far) were dropped while counting; raise "
            f"{option('max_vocab')} to keep them."
        )
    if counts.long_tokens:
        lines.append(
            f"{label} holds stretches longer than {config.max_token_bytes:,} bytes without a space: "
            f"{counts.long_tokens:,} were skipped, {count(counts.long_bytes, 'byte')} in all; "
            f"{option('max_token_bytes')} reads longer ones."
        )
    return lines


def _about_nuls(counts: TextCounts) -> list[str]:
    """Return a warning about files that are probably not text, if there are any."""
    found = [
        f"{label} ({nuls:,} of its {size:,} bytes are NUL)"
        for label, (nuls, size) in counts.nuls_in.items()
        if nuls > _MANY_NULS * size
    ]
    return [f"looks binary: {_first(found)}; leave out of the corpus what is not text."] if found else []


def _first(texts: list[str]) -> str:
    """Return the first few texts, and how many more there are."""
    more = len(texts) - _SHOWN_FILES
    return "; ".join(texts[:_SHOWN_FILES]) + (f"; and {more:,} more" if more > 0 else "")
