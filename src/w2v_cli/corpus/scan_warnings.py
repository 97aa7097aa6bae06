"""What the owner of a text would want to know before training on it."""

from typing import Protocol

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.errors import option
from w2v_cli.humanize import count

_MANY_NULS = 0.001  # as a share of a file's bytes
_FIRST_FILES = 3


class ReadText(Protocol):
    """What a TextReader knows when it has read a text."""

    @property
    def label(self) -> str:
        """What messages call the text."""

    @property
    def treebank_marks(self) -> list[str]:
        """The words of the Penn Treebank's form in it."""

    @property
    def nuls_in(self) -> dict[str, tuple[int, int]]:
        """How many NUL bytes, and bytes, a file has."""

    @property
    def web_pages(self) -> list[str]:
        """The files that are HTML."""

    @property
    def other_data(self) -> list[str]:
        """The files that are no text, and why."""

    @property
    def cut_bytes(self) -> int:
        """The bytes that tokens have lost."""


class MarkedText(Protocol):
    """What Marked knows of a text."""

    @property
    def invalid_characters(self) -> int:
        """The places that were no UTF-8."""

    @property
    def pruned_below(self) -> int:
        """How often no forgotten word had occurred, 0: none was."""

    @property
    def long_tokens(self) -> int:
        """The stretches that were skipped."""

    @property
    def long_bytes(self) -> int:
        """Their bytes."""


def find_warnings(reader: ReadText, marked: MarkedText, config: CorpusSettings) -> tuple[str, ...]:
    """Return a line for each thing in the text that its owner would want to know."""
    warnings = []
    if marked.invalid_characters:
        warnings.append(
            f"{reader.label} is not UTF-8 in {count(marked.invalid_characters, 'place')}, each read as U+FFFD: "
            f"`iconv -f LATIN1 -t UTF-8` converts a text of another encoding; {option('invalid_utf8', 'strict')} stops "
            f"there."
        )
    if config.tokens == "words" and reader.treebank_marks:
        warnings.append(
            f"{reader.label} holds {' and '.join(reader.treebank_marks)} as the Penn Treebank does, and tokens: words "
            f"takes their brackets away; {option('tokens', 'whitespace')} keeps them."
        )
    warnings += _about_losses(reader, marked, config)
    warnings += _about_nuls(reader)
    if reader.web_pages:
        warnings.append(f"looks like a web page: {_first(reader.web_pages)}; its tags (HTML) are read as words.")
    if reader.other_data:
        warnings.append(f"left out of the corpus: {_first(reader.other_data)}")
    return tuple(warnings)


def hint_of_nothing(reader: ReadText, marked: MarkedText, config: CorpusSettings) -> str:
    """Return what may be why there are too few words, to stand after the message that says so."""
    return "".join(f" ({line})" for line in _about_losses(reader, marked, config))


def _about_losses(reader: ReadText, marked: MarkedText, config: CorpusSettings) -> list[str]:
    """Return a line for each limit that words were lost by."""
    lines = []
    if marked.pruned_below:
        lines.append(
            f"{reader.label} has more than {config.max_vocab:,} different words: rare ones (up to "
            f"{marked.pruned_below - 1:,} times so far) were forgotten on the way; {option('max_vocab')} holds more."
        )
    if marked.long_tokens:
        lost = marked.long_bytes + reader.cut_bytes
        lines.append(
            f"{reader.label} holds stretches longer than {config.max_token_bytes:,} bytes without a space: "
            f"{marked.long_tokens:,} were skipped, of {count(lost, 'byte')}; {option('max_token_bytes')} reads "
            f"longer ones."
        )
    return lines


def _about_nuls(reader: ReadText) -> list[str]:
    """Return a warning about files that are probably no text, if there are any."""
    found = [
        f"{label} ({nuls:,} of its {size:,} bytes are NUL)"
        for label, (nuls, size) in reader.nuls_in.items()
        if nuls > _MANY_NULS * size
    ]
    return [f"looks binary: {_first(found)}; leave out of the corpus what is no text."] if found else []


def _first(texts: list[str]) -> str:
    """Return the first of the texts, and how many more there are."""
    more = len(texts) - _FIRST_FILES
    return "; ".join(texts[:_FIRST_FILES]) + (f"; and {more:,} more" if more > 0 else "")
