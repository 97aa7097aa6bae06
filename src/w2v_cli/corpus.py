"""A text file → pieces of bounded size; what counts as a word."""

import codecs
import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from w2v_cli.errors import CorpusError

BLOCK_BYTES = 1 << 21
ASCII_SPACE = b" \t\n\r\x0b\x0c"
_WHITESPACE_WORD = re.compile(r"[^ \t\n\r\x0b\x0c]+")
_PROSE_WORD = re.compile(r"[^ ']+(?:'[^ ']+)*")
_TREEBANK_MARKS = ("<eos>", "<unk>")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

SplitWords = Callable[[str], list[str]]


class TextReader:
    """Reads one file from start to end, and knows afterwards what its owner would want to know about it.

    After `iterate_pieces` has ended: `size_bytes`, `sha256` (hex, of the bytes read), `treebank_marks` (those of
    `<unk>`, `<eos>` seen), `has_open_line` (the text does not end with a line feed).
    """

    def __init__(self, path: Path, *, strict_utf8: bool) -> None:
        self.path = path
        self.size_bytes = 0
        self.has_open_line = False
        self._strict_utf8 = strict_utf8
        self._digest = hashlib.sha256()
        self._treebank_marks: set[str] = set()

    @property
    def treebank_marks(self) -> list[str]:
        """The words of the Penn Treebank's form that the text holds, in alphabetical order."""
        return sorted(self._treebank_marks)

    @property
    def sha256(self) -> str:
        """The hex SHA-256 of all bytes read so far."""
        return self._digest.hexdigest()

    def iterate_pieces(self) -> Iterator[bytes]:
        """Yield the text in pieces that end at ASCII white space, so that no word is cut.

        Raises CorpusError where the file is missing, unreadable, UTF-16, (strict) not UTF-8, or changed while it was
        read.
        """
        try:
            with self.path.open("rb") as file:
                before = os.fstat(file.fileno())
                begun: list[bytes] = []  # of a word that has not ended yet
                for number, block in enumerate(iter(lambda: file.read(BLOCK_BYTES), b"")):
                    text = block if number else self._without_byte_order_mark(block)
                    cut = max(text.rfind(space) for space in ASCII_SPACE) + 1
                    if cut:
                        yield self._take_in(b"".join([*begun, text[:cut]]))
                        begun = []
                    begun.append(text[cut:])
                yield self._take_in(b"".join(begun))
                after = os.fstat(file.fileno())
        except OSError as error:
            raise CorpusError(f"cannot read the corpus {self.path}: {error.strerror}; name a text file.") from error
        if stat.S_ISREG(before.st_mode) and (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise CorpusError(f"{self.path} changed while it was read: start again when nobody writes to it.")

    def _without_byte_order_mark(self, block: bytes) -> bytes:
        if block.startswith(_UTF16_MARKS):
            raise CorpusError(f"{self.path} is UTF-16 and UTF-8 is needed: iconv -f UTF-16 -t UTF-8 converts it.")
        if block.startswith(codecs.BOM_UTF8):
            self._count(codecs.BOM_UTF8)
            return block.removeprefix(codecs.BOM_UTF8)
        return block

    def _take_in(self, piece: bytes) -> bytes:
        if self._strict_utf8:
            self._check_utf8(piece)
        self._count(piece)
        self._treebank_marks.update(mark for mark in _TREEBANK_MARKS if mark.encode() in piece)
        if piece:
            self.has_open_line = not piece.endswith(b"\n")
        return piece

    def _check_utf8(self, piece: bytes) -> None:
        try:
            piece.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{self.path} is not UTF-8 at byte {self.size_bytes + error.start:,}: mend the text, or train with "
                f"--set corpus.invalid_utf8=replace."
            ) from error

    def _count(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        self._digest.update(piece)


def decode(text: bytes) -> tuple[str, int]:
    r"""Return a text, and how many stretches of it were no UTF-8 and were replaced by U+FFFD.

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
            line = unicodedata.normalize("NFC", unicodedata.normalize("NFC", line).casefold())
        return _PROSE_WORD.findall(line.lower().translate(self._table))


class _WordCharacters(dict[int, int]):
    """Maps a code point to itself where it belongs to a word, else to a space; filled as characters turn up."""

    def __missing__(self, codepoint: int) -> int:
        character = chr(codepoint)
        if character in "'\u2019":
            value = ord("'")
        else:
            value = codepoint if unicodedata.category(character)[0] in "LMN" else ord(" ")
        self[codepoint] = value
        return value
