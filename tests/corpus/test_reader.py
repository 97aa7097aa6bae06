"""What is read from files and how, whatever the block borders and the bytes."""

import codecs
import gzip
import hashlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus import reader as reader_module
from w2v_cli.corpus.reader import TextReader, combine_digests
from w2v_cli.corpus.sources import Source
from w2v_cli.errors import CorpusError
from w2v_cli.system import file_types

PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Return a function that reads files, and returns the reader after the last piece, and the pieces."""
    folder = tmp_path_factory.mktemp("corpus")

    def read_them(*contents, block_bytes=reader_module.BLOCK_BYTES, asked_for_folder=False, **settings):
        sources = []
        for number, content in enumerate(contents):
            path = folder / f"{number or 'x'}.txt"
            path.write_bytes(content)
            sources.append(Source(str(path), str(folder) if asked_for_folder else None))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader_module, "BLOCK_BYTES", block_bytes)
            reader = TextReader(sources, CorpusSettings.model_validate(settings))
            return reader, list(reader.iterate_chunks())

    return read_them


def text_of(pieces):
    """Return the text of all pieces."""
    return b"".join(piece.text for piece in pieces)


@settings(deadline=None)  # every example is a file, or some
@given(
    texts=st.lists(st.text("aé東𝄞\u0301'Σ \n\r\f\xa0\ufffd", max_size=30), max_size=4),
    block_bytes=st.integers(1, 12),
    policy=st.sampled_from(["strict", "replace"]),
)
def test_pieces_are_the_files_cut_at_white_space(read, texts, block_bytes, policy):
    """No word is cut, each file ends a line, sizes and hashes are of the whole, and file ends and blank lines known."""
    contents = [text.encode() for text in texts]
    reader, pieces = read(*contents, block_bytes=block_bytes, invalid_utf8=policy)

    lines = [content if content.endswith(b"\n") else content + b"\n" for content in contents if content]
    assert text_of(pieces) == b"".join(lines)
    assert all(piece.text[-1:] in b" \n\r\f" for piece in pieces)
    begins = [sum(len(piece.text) for piece in pieces[:number]) for number in range(len(pieces))]
    ends = [begin + end for begin, piece in zip(begins, pieces, strict=True) for end in piece.file_ends]
    assert ends == [sum(map(len, lines[: number + 1])) for number in range(len(lines))]
    before = [text_of(pieces[:number]).rpartition(b"\n")[2] for number in range(len(pieces))]
    assert [piece.is_line_blank for piece in pieces] == [not line.strip() for line in before]
    assert (reader.counts.size_bytes, len(reader.counts.digests)) == (sum(map(len, contents)), len(lines))


def test_the_fingerprint_is_of_bytes_and_borders(read):
    """It is the SHA-256 of one file, packed or not; of several it tells where each ends; empty ones do not count."""
    content = codecs.BOM_UTF8 + b"a b\r\na\xff b\r\n"

    def fingerprint(*contents):
        return combine_digests([digest for _, digest in read(*contents)[0].counts.digests]).hex()

    assert fingerprint(content) == fingerprint(gzip.compress(content)) == hashlib.sha256(content).hexdigest()
    assert fingerprint(b"", content, b"") == fingerprint(content)
    assert len({fingerprint(*parts) for parts in [(b"ab\n",), (b"a", b"b\n"), (b"b\n", b"a"), (b"a", b"b"), ()]}) == 5


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["plain", "BOM"])
@pytest.mark.parametrize("before", [0, 3, 50])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["unpacked", "gz"])
def test_strict_names_the_first_invalid_byte(read, mark, before, pack):
    """The offset counts from the start of the (unpacked) file, in any block and after a byte order mark."""
    content = mark + "東 ".encode() * before + b"ab\xff\xfe c"
    offset = content.index(b"\xff")

    with pytest.raises(CorpusError, match=rf"1\.txt is not UTF-8 at byte {offset}: .*invalid_utf8=.replace") as refusal:
        read(b"first", pack(content), block_bytes=16, invalid_utf8="strict")

    assert refusal.value.exit_code == 3


def test_strict_notices_a_character_that_ends_too_early(read):
    """A file that ends within a character is not UTF-8."""
    with pytest.raises(CorpusError, match=r"x\.txt is not UTF-8 at byte 2"):
        read("a 東".encode()[:-1], invalid_utf8="strict")


def test_byte_order_mark_is_dropped_at_the_start_of_each_file(read):
    """No word begins with U+FEFF there; further on in the text it is a character like others."""
    _, pieces = read(codecs.BOM_UTF8 + "a \ufeffb".encode(), codecs.BOM_UTF8 + b"c", codecs.BOM_UTF8, block_bytes=2)

    assert text_of(pieces) == "a \ufeffb\nc\n".encode()


@pytest.mark.parametrize("change", ["grow", "shrink"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_file_that_changes_is_refused(tmp_path, monkeypatch, change, number):
    """Where somebody writes to one of the texts while it is read, the scan ends in exit 3 and names it."""
    monkeypatch.setattr(reader_module, "BLOCK_BYTES", 4)
    paths = [tmp_path / "x.txt", tmp_path / "y.txt"]
    for path in paths:
        path.write_bytes(b"some words and more\n" * 3)
    pieces = TextReader([Source(str(path)) for path in paths], CorpusSettings()).iterate_chunks()
    while len(next(pieces).file_ends) != number:
        pass
    if number:
        next(pieces)
    with paths[number].open("r+b") as file:
        file.truncate(100 if change == "grow" else 30)

    with pytest.raises(CorpusError, match=rf"{paths[number].name} changed while it was read"):
        list(pieces)


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-16-le", "\ufeff", "UTF-16"),
        ("utf-16-be", "\ufeff", "UTF-16"),
        ("utf-32-le", "\ufeff", "UTF-32"),
        ("utf-32-be", "\ufeff", "UTF-32"),
        ("utf-16-le", "", "UTF-16LE without a byte order mark"),
        ("utf-16-be", "", "UTF-16BE without a byte order mark"),
    ],
)
def test_utf_16_is_refused_with_the_way_out(read, encoding, mark, named):
    """A text in UTF-16 or UTF-32 is not read as garbage: exit 3, and the command that converts it."""
    content = f"{mark}some words\nand more".encode(encoding)

    for text in (content, gzip.compress(content)):
        with pytest.raises(CorpusError, match=rf"x\.txt is {named}; .*iconv -f {named.split()[0]} -t UTF-8"):
            read(text)


def test_nuls_are_counted_by_file(read):
    """NUL is read as any other byte; how many there are is known of each file."""
    reader, pieces = read(b"a\0b", b"c", b"\0" * 7 + b" d", block_bytes=3)

    assert text_of(pieces) == b"a\0b\nc\n" + b"\0" * 7 + b" d\n"
    assert [(label[-5:], counts) for label, counts in reader.counts.nuls_in.items()] == [
        ("x.txt", (1, 3)),
        ("2.txt", (7, 9)),
    ]


def test_other_data_is_left_out_of_a_folder_and_refused_by_name(read):
    """What is no text is told among the files of a folder; where it was asked for, it ends in exit 3."""
    reader, pieces = read(
        b"a", PNG, b"b", gzip.compress(PNG), gzip.compress(gzip.compress(b"c")), asked_for_folder=True
    )

    assert text_of(pieces) == b"a\nb\n"
    assert [line[line.index(" is ") :] for line in reader.counts.other_data] == [
        " is a PNG image; save it as text (UTF-8) first.",
        " is a PNG image; save it as text (UTF-8) first.",
        " is compressed twice; decompress it once first.",
    ]
    assert (len(reader.counts.digests), reader.counts.size_bytes) == (2, 2)
    with pytest.raises(CorpusError, match=r"1\.txt is a PNG image"):
        read(b"a", PNG)


def test_a_folder_without_text_is_refused(read):
    """Where nothing of a folder is text, it is named."""
    with pytest.raises(CorpusError, match=r"the folder .* holds no text"):
        read(PNG, PNG, asked_for_folder=True)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04...", "a zip archive"),
        (b"x" * 257 + b"ustar\x0000", "a tar archive"),
        (b"\x80\x04\x95\x10", "a pickle"),
        (b"\x80\x02}q\x00", "a pickle"),
        (b"%PDF-1.7", "a PDF document"),
        (b'\x40\0\0\0\0\0\0\0{"__metadata__', "a safetensors file"),
        (b"\x04\x22\x4d\x18", "compressed with lz4"),
        (b"\x93NUMPY\x01", "a NumPy array"),
    ],
)
def test_what_is_no_text_is_known_by_its_first_bytes(head, kind):
    """Archives, documents, pickles, models: each is named, with what to do."""
    assert f"is {kind}" in file_types.refusal_of_other_data(head)


@given(st.text())
def test_no_text_is_taken_for_other_data(text):
    """Whatever a person may write is text, but for what begins as those formats do."""
    kinds = (*file_types._ARCHIVES, *file_types._COMPRESSED, *file_types._OTHERS)
    content = text.encode()
    looks_so = any(content.startswith(kind.magic, kind.at) for kind in kinds)

    assert (file_types.refusal_of_other_data(content) is not None) <= looks_so


def test_one_endless_line_is_read_in_bounded_memory(tmp_path, monkeypatch):
    """A line of 2 MB, read in blocks of 16 KB, never takes more than a few blocks."""
    monkeypatch.setattr(reader_module, "BLOCK_BYTES", 1 << 14)
    path = tmp_path / "x.txt"
    path.write_bytes("größer ".encode() * 220_000)
    reader = TextReader([Source(str(path))], CorpusSettings(invalid_utf8="strict"))
    tracemalloc.start()
    words = sum(piece.text.count(b" ") for piece in reader.iterate_chunks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert words == 220_000
    assert peak < 20 * (1 << 14)
