"""Compressed texts: told by their first bytes, unpacked as a stream, refused where they are damaged or too much."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v_cli.errors import CorpusError
from w2v_cli.system import compression
from w2v_cli.system.compression import HEAD_BYTES, Limits, decompress, find_compression, zstd

ENOUGH = Limits(10**6, 10**12)
SKIPPABLE = b"\x50\x2a\x4d\x18\x05\0\0\0notes"  # a frame of zstd without text, as pzstd writes it
PACK = {
    "gzip": partial(gzip.compress, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": partial(zstd.compress, options={zstd.CompressionParameter.checksum_flag: 1}),
}
TEXT = "".join(f"line {number} of größe\n" for number in range(3000)).encode()
formats = pytest.mark.parametrize("name", PACK)


def unpack(packed, *, limits=ENOUGH, portion=1 << 30):
    """Return the text of a file that is read in portions of so many bytes at most, as a pipe may give them."""
    file = io.BytesIO(packed)
    head = file.read(HEAD_BYTES)
    form = find_compression(head)
    return b"".join(decompress(form, lambda size: file.read(min(size, portion)), head, "x", limits))


def refusal_of(packed, **options):
    """Return the message that refuses a file."""
    with pytest.raises(CorpusError) as refusal:
        unpack(packed, **options)
    assert refusal.value.exit_code == 3
    return str(refusal.value)


@formats
def test_a_compressed_text_is_known_by_its_first_bytes(name):
    """Each format is told apart; text is no format, whatever its first letters."""
    assert find_compression(PACK[name](TEXT)[:HEAD_BYTES]).name == name
    assert [
        find_compression(head) for head in (b"", b"BZhello wor", b"BZh1 words!", b"PK", b"\x1f", b"line 1 of ")
    ] == [None] * 6


@settings(max_examples=50)
@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    zeros=st.integers(0, 9),
    name=st.sampled_from(sorted(PACK)),
    portion=st.integers(1, 50),
)
def test_several_streams_and_zeros_are_one_text(parts, zeros, name, portion):
    """What cat and tapes make of compressed files is read to its end, in any portions."""
    packed = b"".join(PACK[name](part) + b"\0" * zeros for part in parts)

    assert unpack(packed, portion=portion) == b"".join(parts)


def test_frames_without_text_are_skipped():
    """A zstd file may begin with, and hold, frames that are for programs."""
    assert unpack(SKIPPABLE + zstd.compress(b"a") + SKIPPABLE + zstd.compress(b"b") + SKIPPABLE) == b"ab"


@formats
@pytest.mark.parametrize("streams", [1, 2])
def test_a_file_that_ends_too_early_is_refused_with_the_place(name, streams):
    """Wherever it is cut, the message names the byte at which the file ends."""
    first, last = PACK[name](TEXT) * (streams - 1), PACK[name](TEXT)
    for size in {HEAD_BYTES, len(last) // 2, len(last) - 1}:
        message = refusal_of(first + last[:size])

        assert f"x is cut off: it ends at byte {len(first) + size:,} in the middle of the {name} data" in message
        assert f"began at byte {len(first):,}" in message


@formats
def test_a_flipped_bit_is_refused_or_changes_nothing(name):
    """In any byte: either the file is refused, or the bit means nothing (as a date) and the text is whole."""
    packed = PACK[name](TEXT[:2000])
    for place in range(HEAD_BYTES, len(packed)):
        broken = bytearray(packed)
        broken[place] ^= 1 << (place % 8)
        try:
            text = unpack(bytes(broken))
        except CorpusError as error:
            assert f"x is damaged: its {name}" in str(error) or "x is cut off" in str(error)  # noqa: PT017
            continue
        assert text == TEXT[:2000]


@formats
def test_other_bytes_after_the_text_are_refused_with_the_place(name):
    """What is no further stream might be lost text: the message names the byte where it begins."""
    packed = PACK[name](TEXT)

    for zeros, rest in ((0, b"more"), (3, b"more"), (0, TEXT)):
        message = refusal_of(packed + bytes(zeros) + rest)

        assert f"its {name} data ends at byte {len(packed) + zeros:,} and something else follows" in message


@formats
def test_a_bomb_is_refused_before_it_has_grown(name, monkeypatch):
    """A file that unpacks to more than it may is refused in little memory, with the setting that reads it."""
    monkeypatch.setattr(compression, "_ALWAYS_BYTES", 4_000_000)
    bomb = PACK[name](bytes(30_000_000))
    tracemalloc.start()
    message = refusal_of(bomb, limits=Limits(200, 10**12))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "x expands to more than 200 times its size" in message
    assert "max_expansion=2000" in message
    assert peak < 20_000_000  # 8 MB of it are the dictionary of xz
    assert sum(map(len, [unpack(bomb)])) == 30_000_000


@formats
def test_the_size_may_be_limited(name):
    """One byte more than max_unpacked is refused, exactly so many are read."""
    packed = PACK[name](TEXT)

    assert unpack(packed, limits=Limits(1, len(TEXT))) == TEXT
    assert "max_unpacked=" in refusal_of(packed, limits=Limits(1, len(TEXT) - 1))


def test_a_small_text_may_be_as_repetitive_as_it_likes():
    """Under 64 MB there is no bomb."""
    assert len(unpack(gzip.compress(bytes(1_000_000)), limits=Limits(1, 10**12))) == 1_000_000


@pytest.mark.parametrize("name", ["xz", "zstd"])
def test_a_dictionary_that_needs_much_memory_is_refused(name):
    """A header that asks for a gigabyte is refused before it is taken."""
    if name == "xz":
        packed = bytearray(lzma.compress(TEXT))
        packed[16] = 36  # the dictionary: 1 GB, in the header that begins at byte 12, with a checksum
        end = 12 + 4 * packed[12]
        packed[end : end + 4] = zlib.crc32(packed[12:end]).to_bytes(4, "little")
    else:
        packed = bytearray(zstd.compress(TEXT, options={zstd.CompressionParameter.content_size_flag: 0}))
        packed[5] = 0xA8  # the window: 2 GB

    assert "too much memory" in refusal_of(bytes(packed))


def test_gzip_from_other_programs_is_read():
    """A name, a comment, a checksum of the header and stored blocks are no surprise."""
    header = b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff" + b"\x04\0abcd" + b"x.txt\0" + b"comment\0"
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    packer = zlib.compressobj(0, wbits=-15)
    body = packer.compress(TEXT) + packer.flush()
    trailer = zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")

    assert unpack(header + body + trailer) == TEXT
