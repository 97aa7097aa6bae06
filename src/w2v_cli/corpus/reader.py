"""The files of a corpus as one stream of text, in chunks that end where a word ends."""

import codecs
import hashlib
from collections.abc import Generator, Iterable, Iterator, Sequence

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.chunks import Chunk, Chunker, iterate_blocks, read_fully, with_whole_head
from w2v_cli.corpus.parts import open_text
from w2v_cli.corpus.report import TextCounts
from w2v_cli.corpus.sources import Source, no_text_in
from w2v_cli.errors import CorpusError, option
from w2v_cli.system import compression, file_types

BLOCK_BYTES = 1 << 21
_TREEBANK_WORDS = ("<eos>", "<unk>")


class OtherDataError(CorpusError):
    """A file is not text."""


def check_head(source: Source, head: bytes) -> None:
    """Raise CorpusError if the first bytes of a file are not UTF-8, OtherDataError if they are not text."""
    if refusal := file_types.refusal_of_other_encoding(head):
        raise CorpusError(f"{source.label} {refusal}")
    if refusal := file_types.refusal_of_other_data(head):
        raise OtherDataError(f"{source.label} {refusal}")


def combine_digests(digests: Sequence[bytes]) -> bytes:
    """Return the SHA-256 of several files (or parts) from theirs; that of one is its own, that of none that of b""."""
    return digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(digests)).digest()


class TextReader:
    """Reads files from start to end as one text, and counts what to report about it.

    Attributes:
        read_bytes: stored bytes read so far.
        counts: complete when `iterate_chunks` has ended: digests, size_bytes, long_bytes (those cut off tokens),
            nuls_in, web_pages, other_data and treebank_words.
    """

    def __init__(self, sources: Sequence[Source], config: CorpusSettings) -> None:
        self.sources = tuple(sources)
        self.read_bytes = 0
        self.counts = TextCounts()
        self._config = config
        self._limits = compression.Limits(config.max_expansion, config.max_unpacked)

    def iterate_chunks(self) -> Generator[Chunk]:
        """Yield the text in chunks; a file that ends within a line ends that line. Compressed files are decompressed.

        A token longer than max_token_bytes may be cut one byte after the limit.

        Raises:
            CorpusError: a file is missing, unreadable, damaged, not text, UTF-16, (strict) not UTF-8, or changed while
                it was read.
            DownloadError: a URL cannot be read.
        """
        chunker = Chunker(max(1, BLOCK_BYTES // 2), self._config.max_token_bytes)
        is_line_blank = True
        for text, file_ends in chunker.iterate_chunks(self._iterate_texts()):
            yield Chunk(text, file_ends, is_line_blank)
            self.counts.treebank_words.update(word for word in _TREEBANK_WORDS if word.encode() in text)
            line = text.rfind(b"\n") + 1
            is_line_blank = (line > 0 or is_line_blank) and not text[line:].strip()
        self.counts.long_bytes = chunker.cut_bytes

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
                self.counts.other_data.append(str(error))
        for folder in sorted(empty_folders):
            raise no_text_in(folder)

    def _iterate_text_of(self, source: Source) -> Iterator[tuple[bytes, bool]]:
        """Yield the text of one file; the last block ends with a line feed."""
        last, digest = b"", hashlib.sha256()
        with open_text(source) as read:
            stream = self._decompressed(source, self._counted(read))
            for block in iterate_blocks(self._iterate_checked(source, stream, digest), BLOCK_BYTES):
                if last:
                    yield last, False
                last = block
        if last:
            yield (last if last.endswith(b"\n") else last + b"\n"), True

    def _counted(self, read: compression.Read) -> compression.Read:
        """Return a function that reads the same bytes and counts them."""

        def read_some(count: int) -> bytes:
            data = read(count)
            self.read_bytes += len(data)
            return data

        return read_some

    def _decompressed(self, source: Source, read: compression.Read) -> Iterator[bytes]:
        """Return all bytes of a file, decompressed; raise CorpusError if it does not begin like a text.

        A part may begin anywhere in a file, whose beginning has been checked before.
        """
        if source.part is not None:
            return _chain(b"", read)
        head = read_fully(read, compression.HEAD_BYTES)
        form = compression.find_compression(head)
        if form is None:
            head, stream = with_whole_head(_chain(head, read), file_types.HEAD_BYTES)
        else:
            unpacked = compression.decompress(form, read, head, source.label, self._limits)
            head, stream = with_whole_head(unpacked, file_types.HEAD_BYTES)
            if compression.find_compression(head) is not None:
                raise OtherDataError(f"{source.label} is compressed twice; decompress it once first.")
        check_head(source, head)
        if file_types.is_web_page(head):
            self.counts.web_pages.append(source.label)
        return stream

    def _iterate_checked(self, source: Source, stream: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
        """Yield the bytes of a file without the byte order mark at its start, checking and counting all of them."""
        decoder = codecs.getincrementaldecoder("utf-8")("strict") if self._config.invalid_utf8 == "strict" else None
        size = nuls = 0
        is_beginning = source.part is None or source.part.first == 0
        for data in stream:
            if decoder:
                _check_utf8(source, decoder, data, size)
            digest.update(data)
            nuls += data.count(0)
            yield data.removeprefix(codecs.BOM_UTF8) if is_beginning and size == 0 else data
            size += len(data)
        if decoder:
            _check_utf8(source, decoder, b"", size)
        self.counts.size_bytes += size
        if size:
            self.counts.digests.append((source.place, digest.digest()))
        if nuls or source.part is not None:  # other parts of the file may hold some
            self.counts.nuls_in[source.label] = (nuls, size)


def _chain(head: bytes, read: compression.Read) -> Iterator[bytes]:
    yield head
    yield from iter(lambda: read(BLOCK_BYTES), b"")


def _check_utf8(source: Source, decoder: codecs.IncrementalDecoder, data: bytes, size: int) -> None:
    """Raise CorpusError if bytes that follow the first `size` are not UTF-8; no bytes mean the end."""
    waiting = len(decoder.getstate()[0])
    try:
        decoder.decode(data, final=not data)
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{source.label} is not UTF-8 at byte {size - waiting + error.start:,}: fix the text, or train with "
            f"{option('invalid_utf8', 'replace')}."
        ) from error
