"""The tokenizer: splits a stretch of text between white space into words, and marks the ends of sentences."""

import contextlib
import re
import signal
import threading
import unicodedata
from collections.abc import Callable, Iterator
from types import FrameType

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.sentences import cut_sentences, ends_sentence
from w2v_cli.errors import ConfigError

SENTENCE_END = ""  # no word: stands among the words of a stretch where a sentence ends
_PATTERN_SECONDS = 10.0  # for some thousand stretches, which usually take a hundredth of one
_LONG_STRETCH = 1000  # characters
_MOST_COMBINING = 30  # in a row; no writing has nearly as many
_JOINER = "\u034f"
_WHITESPACE_WORD = re.compile(r"[^ \t\n\r\x0b\x0c]+")
_PROSE_WORD = re.compile(r"[^ ']+(?:'[^ ']+)*")

SplitWords = Callable[[str], list[str]]


def splitter_for(config: CorpusSettings) -> SplitWords:
    """Return a function that splits a stretch into words and, with sentences: punctuation, SENTENCE_END."""
    split: SplitWords = split_whitespace
    if config.tokens != "whitespace":
        split = ProseSplitter() if config.tokens == "words" else regex_splitter(config.token_pattern)
    if config.sentences != "punctuation":
        return split
    return _end_after_stretch(split) if config.tokens == "whitespace" else _end_within_stretch(split)


def decode(text: bytes) -> tuple[str, int]:
    r"""Return a text, and the number of places that are not UTF-8, each replaced by U+FFFD.

    >>> decode(b"a\xff\xe6b")
    ('a\ufffd\ufffdb', 2)
    """
    decoded = text.decode("utf-8", errors="replace")
    return decoded, decoded.count("\ufffd") - text.count("\ufffd".encode())


def split_whitespace(line: str) -> list[str]:
    """Return the stretches between ASCII white space, as they are."""
    return _WHITESPACE_WORD.findall(line)


class ProseSplitter:
    """Splits raw prose into words: NFC, casefolded, runs of letters, marks and numbers with apostrophes inside.

    Letters, marks and numbers are the Unicode categories L, M and N; ’ is read as '. An instance remembers what each
    character becomes, so that a character's category is looked up once.
    """

    def __init__(self) -> None:
        self._table = _WordCharacters()

    def __call__(self, line: str) -> list[str]:
        """Return the words of a line.

        >>> ProseSplitter()("“’Tis the SEA’s,” he said — 1,000 times.")
        ['tis', 'the', "sea's", 'he', 'said', '1', '000', 'times']
        """
        if not line.isascii():
            if len(line) > _LONG_STRETCH:
                line = _with_joiners(line)
            line = unicodedata.normalize("NFC", unicodedata.normalize("NFC", line).casefold())
        return _PROSE_WORD.findall(line.lower().translate(self._table))


def _with_joiners(text: str) -> str:
    """Return a text with U+034F after every 30 combining characters in a row, as UAX #15 (D3) asks for in streams.

    Normalisation sorts such rows, in time that grows with the square of their length: 5 s for 100 kB.
    """
    parts, row = [], 0
    for character in text:
        row = row + 1 if unicodedata.combining(character) else 0
        if row > _MOST_COMBINING:
            parts.append(_JOINER)
            row = 1
        parts.append(character)
    return "".join(parts)


class _WordCharacters(dict[int, int]):
    """Maps a code point to itself if it belongs to a word, else to a space; filled as characters turn up."""

    def __missing__(self, codepoint: int) -> int:
        character = chr(codepoint)
        if character in "'\u2019":
            value = ord("'")
        else:
            value = codepoint if unicodedata.category(character)[0] in "LMN" else ord(" ")
        self[codepoint] = value
        return value


def regex_splitter(pattern: str) -> SplitWords:
    r"""Return a function that splits a stretch into the matches of a pattern, with all its groups; none is empty.

    >>> regex_splitter(r"#?(\w)+")("go,#home!")
    ['go', '#home']
    """
    compiled = re.compile(pattern)
    find_all = compiled.findall

    def split(stretch: str) -> list[str]:
        words = [match[0] for match in compiled.finditer(stretch)] if compiled.groups else find_all(stretch)
        return [word for word in words if word] if "" in words else words

    return split


def _end_after_stretch(split: SplitWords) -> SplitWords:
    return lambda stretch: [*split(stretch), SENTENCE_END] if ends_sentence(stretch) else split(stretch)


def _end_within_stretch(split: SplitWords) -> SplitWords:
    """Return the splitter that also ends sentences after 。 and similar marks, which no white space follows."""
    split_whole = _end_after_stretch(split)

    def split_sentences(stretch: str) -> list[str]:
        if stretch.isascii():
            return split_whole(stretch)
        words = []
        for part, is_ended in cut_sentences(stretch):
            words += split(part)
            if is_ended:
                words.append(SENTENCE_END)
        return words

    return split_sentences


class _PatternTooSlowError(Exception):
    """A pattern takes too long."""


@contextlib.contextmanager
def pattern_guard(config: CorpusSettings) -> Iterator[None]:
    """Raise ConfigError if matching in this block takes 10 s of CPU time; a pattern that backtracks may never end.

    Only a signal can interrupt Python's matching: there is no guard on Windows and outside the main thread.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if config.tokens != "regex" or not hasattr(signal, "setitimer") or not is_main:
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop_matching)
    signal.setitimer(signal.ITIMER_VIRTUAL, _PATTERN_SECONDS)
    try:
        yield
    except _PatternTooSlowError:
        raise ConfigError(
            f"corpus.token_pattern {config.token_pattern!r} tries ever more ways to match: {_PATTERN_SECONDS:g} s were "
            f"not enough for some stretches of the text. Write no repeat inside a repeat, or make it possessive (*+)."
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop_matching(_number: int, _frame: FrameType | None) -> None:
    raise _PatternTooSlowError
