"""Magic numbers: the first bytes that tell what kind of file it is, and why it is not a text."""

from typing import NamedTuple

# Of kinds that several packages read or write.
GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
ZIP, NUMPY, HDF5 = b"PK\x03\x04", b"\x93NUMPY", b"\x89HDF"

HEAD_BYTES = 4096  # enough for every kind
_LONGEST_HEADER = 100_000_000  # of a safetensors file
_FEW, _MOST = 0.05, 0.8  # shares of NUL bytes at even and odd places in UTF-16 of Latin script


class _Kind(NamedTuple):
    """A kind of file: its magic number, the place of that in the file, and the name in messages."""

    at: int
    magic: bytes
    name: str


_ARCHIVES = (
    _Kind(0, ZIP, "a zip archive (as docx, xlsx, odt and epub are)"),
    _Kind(0, b"PK\x05\x06", "an empty zip archive"),
    _Kind(257, b"ustar", "a tar archive"),
    _Kind(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    _Kind(0, b"Rar!\x1a\x07", "a rar archive"),
)
_COMPRESSED = (
    _Kind(0, b"\x04\x22\x4d\x18", "compressed with lz4"),
    _Kind(0, b"LZIP", "compressed with lzip"),
    _Kind(0, b"\x1f\x9d", "compressed with compress (.Z)"),
    _Kind(0, b"\x5d\x00\x00", "compressed with lzma"),
    _Kind(0, b"\x89LZO\x00", "compressed with lzop"),
    _Kind(0, b"\xff\x06\x00\x00sNaPpY", "compressed with snappy"),
)
_OTHERS = (
    _Kind(0, b"%PDF-", "a PDF document"),
    _Kind(0, b"{\\rtf", "an RTF document"),
    _Kind(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    _Kind(0, b"\x89PNG\r\n", "a PNG image"),
    _Kind(0, b"\xff\xd8\xff", "a JPEG image"),
    _Kind(0, b"GIF8", "a GIF image"),
    _Kind(8, b"WEBPVP8", "a WebP image"),
    _Kind(0, b"OggS\x00", "an Ogg recording"),
    _Kind(8, b"WAVEfmt", "a WAV recording"),
    _Kind(4, b"ftyp", "a video or a picture"),
    _Kind(0, b"\x1a\x45\xdf\xa3", "a Matroska video"),
    _Kind(0, b"\x7fELF", "a program"),
    _Kind(0, b"\xca\xfe\xba\xbe", "a program"),
    _Kind(0, b"\xcf\xfa\xed\xfe", "a program"),
    _Kind(0, b"SQLite format 3\x00", "an SQLite database"),
    _Kind(0, b"PAR1", "a Parquet table"),
    _Kind(0, b"ARROW1\x00", "an Arrow table"),
    _Kind(0, HDF5 + b"\r\n", "an HDF5 file"),
    _Kind(0, NUMPY, "a NumPy array"),
    _Kind(0, b"GGUF", "a GGUF model"),
    *(_Kind(0, bytes((0x80, protocol)), "a pickle") for protocol in range(2, 6)),
)
_UNPACK = "; unpack it first."
_RECOMPRESS = "; w2v reads gz, bz2, xz and zst: use one of those, or decompress it."
_CONVERT = "; save it as text (UTF-8) first."
_ICONV = "; w2v reads UTF-8: `iconv -f {0} -t UTF-8` converts it."


def refusal_of_other_data(head: bytes) -> str | None:
    """Return why a file that begins with `head` is not text, and what to do, to follow its name; None for text.

    >>> refusal_of_other_data(b"%PDF-1.7 ...")
    'is a PDF document; save it as text (UTF-8) first.'
    """
    for kinds, advice in ((_ARCHIVES, _UNPACK), (_COMPRESSED, _RECOMPRESS), (_OTHERS, _CONVERT)):
        for kind in kinds:
            if head.startswith(kind.magic, kind.at):
                return f"is {kind.name}{advice}"
    if _is_safetensors(head):
        return f"is a safetensors file{_CONVERT}"
    return None


def refusal_of_other_encoding(head: bytes) -> str | None:
    """Return why a text that begins with `head` is not UTF-8, and what to do, to follow its name; else None."""
    for mark, encoding in ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32")):
        if head.startswith(mark):
            return f"is {encoding}{_ICONV.format(encoding)}"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"is UTF-16{_ICONV.format('UTF-16')}"
    encoding = _utf16_without_mark(head)
    return f"is {encoding} without a byte order mark{_ICONV.format(encoding)}" if encoding else None


def is_web_page(head: bytes) -> bool:
    """Return whether a file that begins with `head` is HTML, as servers send instead of a missing file or for a login.

    >>> is_web_page(b"<!DOCTYPE html><title>Log in</title>"), is_web_page(b"<unk> the sea")
    (True, False)
    """
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower().startswith((b"<!doctype html", b"<html"))


def _utf16_without_mark(head: bytes) -> str:
    """Return UTF-16LE or UTF-16BE if every other byte is NUL, as in no other text, else an empty string."""
    length = len(head) // 2
    if length < 8:  # noqa: PLR2004  too few letters to tell
        return ""
    even, odd = head[::2].count(0) / length, head[1::2].count(0) / length
    if even < _FEW and odd > _MOST:
        return "UTF-16LE"
    return "UTF-16BE" if odd < _FEW and even > _MOST else ""


def _is_safetensors(head: bytes) -> bool:
    return head[8:10] == b'{"' and 2 < int.from_bytes(head[:8], "little") < _LONGEST_HEADER  # noqa: PLR2004  `{}`
