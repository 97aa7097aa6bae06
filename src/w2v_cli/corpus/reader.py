"""The files of a corpus → one stream of text in pieces of bounded size, which end where a word ends."""

import codecs
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.chunks import Chunker, iterate_blocks, read_fully, with_whole_beginning
from w2v_cli.corpus.fingerprint import Fingerprint
from w2v_cli.corpus.parts import open_text
from w2v_cli.corpus.sources import Source, no_text_in
from w2v_cli.errors import CorpusError, option
from w2v_cli.system import file_types, unpacking

BLOCK_BYTES = 1 << 21
_TREEBANK_MARKS = ("<eos>", "<unk>")


class Piece(NamedTuple):
    """A part of the text that ends with white space.

    file_ends: the places in it, rising, where a file has ended; is_line_blank: nothing but white space stands before it
    on its first line.
    """

    text: bytes
    file_ends: tuple[int, ...]
    is_line_blank: bool


class OtherDataError(CorpusError):
    """A file is no text."""


def check_head(source: Source, head: bytes) -> None:
    """Raise CorpusError where a file that begins so is no UTF-8, OtherDataError where it is no text."""
    if refusal := file_types.refusal_of_other_encoding(head):
        raise CorpusError(f"{source.label} {refusal}")
    if refusal := file_types.refusal_of_other_data(head):
        raise OtherDataError(f"{source.label} {refusal}")


class TextReader:
    """Reads files from start to end as one text, and knows afterwards what its owner would want to know about it.

    read_bytes: so far, packed. After `iterate_pieces` has ended: `size_bytes`, unpacked; `sha256`, hex; `files`, those
    that held anything; `other_data`, those found in a folder that are no text, with the reason; `web_pages`, those that
    are HTML; `nuls_in`: of each file that has any, and of each part of one, how many NUL bytes and bytes; `cut_bytes`,
    of tokens longer than max_token_bytes; `treebank_marks` (those of `<unk>`, `<eos>` seen).
    """

    def __init__(self, sources: Sequence[Source], config: CorpusSettings) -> None:
        self.sources = tuple(sources)
        self.read_bytes = 0
        self.size_bytes = 0
        self.other_data: list[str] = []
        self.web_pages: list[str] = []
        self.nuls_in: dict[str, tuple[int, int]] = {}
        self._config = config
        self._limits = unpacking.Limits(config.max_expansion, config.max_unpacked)
        self._cutter = Chunker(max(1, BLOCK_BYTES // 2), config.max_token_bytes)
        self._fingerprint = Fingerprint()
        self._places: list[str] = []
        self._treebank_marks: set[str] = set()

    @property
    def label(self) -> str:
        """What messages call the text."""
        return self.sources[0].label if len(self.sources) == 1 else f"the corpus of {len(self.sources):,} files"

    @property
    def treebank_marks(self) -> list[str]:
        """The words of the Penn Treebank's form that the text holds, in alphabetical order."""
        return sorted(self._treebank_marks)

    @property
    def sha256(self) -> str:
        """The hex fingerprint of the files read so far."""
        return self._fingerprint.hex

    @property
    def files(self) -> int:
        """The number of files read so far that held anything."""
        return self._fingerprint.files

    @property
    def digests(self) -> list[tuple[str, bytes]]:
        """The place and the SHA-256 of each file or part read so far that held anything."""
        return list(zip(self._places, self._fingerprint.digests, strict=True))

    @property
    def cut_bytes(self) -> int:
        """The bytes that tokens have lost because they were too long."""
        return self._cutter.cut_bytes

    def iterate_pieces(self) -> Generator[Piece]:
        """Yield the text in pieces; a file that ends within a line ends that line. Compressed files are unpacked.

        A token longer than max_token_bytes may lose what is beyond the first byte too many. Raises CorpusError where a
        file is missing, unreadable, damaged, no text, UTF-16, (strict) not UTF-8, or changed while it was read;
        DownloadError where a URL cannot be read.
        """
        is_line_blank = True
        for text, file_ends in self._cutter.iterate_pieces(self._iterate_texts()):
            yield Piece(text, file_ends, is_line_blank)
            self._treebank_marks.update(mark for mark in _TREEBANK_MARKS if mark.encode() in text)
            line = text.rfind(b"\n") + 1
            is_line_blank = (line > 0 or is_line_blank) and not text[line:].strip()

    def _iterate_texts(self) -> Iterator[tuple[bytes, bool]]:
        """Yield blocks of text, and whether a file ends with each; raise CorpusError for a folder without text."""
        empty_folders = {source.folder for source in self.sources if source.folder is not None}
        for source in self.sources:
            try:
                yield from self._iterate_text_of(source)
                empty_folders.discard(source.folder or "")
            except OtherDataError as error:
                if source.folder is None:
                    raise
                self.other_data.append(str(error))
        for folder in sorted(empty_folders):
            raise no_text_in(folder)

    def _iterate_text_of(self, source: Source) -> Iterator[tuple[bytes, bool]]:
        """Yield the text of one file, the last block with a line's end."""
        last = b""
        with open_text(source) as read:
            chunks = self._unpacked(source, self._counted(read))
            for block in iterate_blocks(self._iterate_checked(source, chunks), BLOCK_BYTES):
                if last:
                    yield last, False
                last = block
        self._fingerprint.end_file()
        if self._fingerprint.files > len(self._places):
            self._places.append(source.place)
        if last:
            yield (last if last.endswith(b"\n") else last + b"\n"), True

    def _counted(self, read: unpacking.Read) -> unpacking.Read:
        """Return a function that reads the same and counts it."""

        def read_some(count: int) -> bytes:
            data = read(count)
            self.read_bytes += len(data)
            return data

        return read_some

    def _unpacked(self, source: Source, read: unpacking.Read) -> Iterator[bytes]:
        """Return all bytes of a file, unpacked, a whole beginning first; raise CorpusError where that is no text's.

        A part begins anywhere in a file, whose beginning has been looked at.
        """
        if source.part is not None:
            return _chain(b"", read)
        head = read_fully(read, unpacking.HEAD_BYTES)
        form = unpacking.find_format(head)
        if form is None:
            head, chunks = with_whole_beginning(_chain(head, read), file_types.HEAD_BYTES)
        else:
            unpacked = unpacking.iterate_unpacked(form, read, head, source.label, self._limits)
            head, chunks = with_whole_beginning(unpacked, file_types.HEAD_BYTES)
            if unpacking.find_format(head) is not None:
                raise OtherDataError(f"{source.label} is compressed twice; unpack it once, and name that.")
        check_head(source, head)
        if file_types.is_web_page(head):
            self.web_pages.append(source.label)
        return chunks

    def _iterate_checked(self, source: Source, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a file's bytes without the byte order mark at its start, all of them counted and checked."""
        decoder = codecs.getincrementaldecoder("utf-8")("strict") if self._config.invalid_utf8 == "strict" else None
        size = nuls = 0
        is_beginning = source.part is None or source.part.first == 0
        for chunk in chunks:
            if decoder:
                _check_utf8(source, decoder, chunk, size)
            self._fingerprint.update(chunk)
            nuls += chunk.count(0)
            yield chunk.removeprefix(codecs.BOM_UTF8) if is_beginning and size == 0 else chunk
            size += len(chunk)
        if decoder:
            _check_utf8(source, decoder, b"", size)
        self.size_bytes += size
        if nuls or source.part is not None:  # other parts of the file may hold some
            self.nuls_in[source.label] = (nuls, size)


def _chain(head: bytes, read: unpacking.Read) -> Iterator[bytes]:
    yield head
    yield from iter(lambda: read(BLOCK_BYTES), b"")


def _check_utf8(source: Source, decoder: codecs.IncrementalDecoder, chunk: bytes, size: int) -> None:
    """Raise CorpusError where a chunk, `size` bytes from the start, is not UTF-8; an empty one is the end."""
    waiting = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{source.label} is not UTF-8 at byte {size - waiting + error.start:,}: mend the text, or train with "
            f"{option('invalid_utf8', 'replace')}."
        ) from error
