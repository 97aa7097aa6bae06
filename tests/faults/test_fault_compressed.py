"""Compressed texts, whatever their name: read, or refused where damaged or a bomb (faults 24 and 25)."""

import bz2
import gzip
import lzma

import pytest

from cli.running import FAST, TEXT, the_error
from w2v_cli.system.compression import zstd

PARAGRAPH = TEXT.encode()
PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd.compress}


def test_a_compressed_text_is_told_by_its_bytes(w2v):
    """Every format is read, under any name; a text whose name promises more is read as the text that it is."""
    for name, pack in PACK.items():
        w2v.write(f"{name}.txt", pack(PARAGRAPH))
    w2v.write("plain.gz", TEXT)

    done = w2v.run("train", *(f"{name}.txt" for name in PACK), "plain.gz", *FAST)

    assert done.returncode == 0, done.stderr
    assert f"Read {5 * 810:,} words" in done.stderr
    assert "Vocabulary: 18 words (100.0 % of the text)\n" in done.stderr
    assert "\n5 files, 17.6 kB, 300 sentences\n" in done.stderr


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("name", "damage", "cause"),
    [
        ("gzip", "cut", "is cut off: it ends at byte "),
        ("zstd", "cut", "is cut off: it ends at byte "),
        ("xz", "flipped", "is damaged: its xz data cannot be decompressed before byte "),
        ("bzip2", "longer", "is damaged: its bzip2 data ends at byte "),
    ],
)
def test_a_damaged_text_is_refused_with_the_place(w2v, name, damage, cause):
    """Cut off, with a flipped bit or with something after it: exit code 3, the file, the byte, no vectors.

    tests/system/test_compression.py damages every format in every way.
    """
    packed = PACK[name](PARAGRAPH)
    half = len(packed) // 2
    flipped = packed[:half] + bytes((packed[half] ^ 16,)) + packed[half + 1 :]
    w2v.write("x.txt", {"cut": packed[:half], "flipped": flipped, "longer": packed + b"more"}[damage])

    message = the_error(w2v.run("train", "text.txt", "x.txt", *FAST), 3)

    assert message.startswith(f"x.txt {cause}{half if damage == 'cut' else len(packed)}")
    assert "w2v.safetensors" not in w2v.files()


@pytest.mark.fault(25)
def test_a_bomb_is_refused_and_what_only_looks_like_one_is_read(w2v):
    """Seventy megabytes out of seventy kilobytes end with exit code 3; the setting that the message names reads it."""
    w2v.write("bomb.gz", gzip.compress(b" " * 70_000_000 + PARAGRAPH, 1))

    message = the_error(w2v.run("train", "bomb.gz", *FAST), 3)
    setting = message.partition("--set ")[2].split()[0]

    assert "expands to more than 200 times its size" in message
    assert setting == "corpus.max_expansion=2000"
    assert w2v.run("train", "bomb.gz", *FAST, "--set", setting).returncode == 0
