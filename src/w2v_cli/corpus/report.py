"""What a scan has read, and what of it is not trained on."""

from dataclasses import asdict, dataclass
from typing import Any

from w2v_cli.humanize import count


@dataclass(frozen=True)
class ScanReport:
    """How much there was, and how much was dropped, so that nothing disappears silently.

    files: that held anything; size_bytes: unpacked; words: occurrences found, those of end_of_line included; sentences:
    that hold kept words, None where nobody counted them, as on a cluster; rare_words, rare_occurrences: different words
    under min_count and how often they occur; forgotten_words, forgotten_occurrences: the same, of those that max_vocab
    left no room for; long_tokens, long_bytes: over max_token_bytes; invalid_characters: places that were no UTF-8, each
    read as U+FFFD; nul_bytes: read as any other byte; other_files: found in a folder that are no text.
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
        """Return everything by name."""
        return asdict(self)

    @property
    def dropped(self) -> list[str]:
        """What was not read as it stands, for people; only what there was."""
        rare = f"{count(self.rare_occurrences, 'occurrence')} of {count(self.rare_words, 'rare word')}"
        forgotten = f"{count(self.forgotten_occurrences, 'occurrence')} of {count(self.forgotten_words, 'word')}"
        said = (
            (self.rare_occurrences, rare),
            (self.forgotten_occurrences, f"{forgotten} over max_vocab"),
            (self.long_tokens, f"{count(self.long_tokens, 'token')} too long ({self.long_bytes:,} bytes)"),
            (self.invalid_characters, count(self.invalid_characters, "invalid character")),
            (self.nul_bytes, count(self.nul_bytes, "NUL byte")),
            (self.blank_lines, count(self.blank_lines, "blank line")),
            (self.other_files, f"{count(self.other_files, 'file')} of other data"),
        )
        return [text for number, text in said if number]
