"""Small files that stand for huge ones: compressed texts, YAML, archives. Rows 25, 26 and 30.

Each is refused in one go and in bounded memory: under a limit of addresses that is far below what the file stands for.
"""

import bz2
import gzip
import io
import itertools
import lzma
import tarfile
import zipfile

import pytest

from cli.running import FAST, TEXT, the_error
from faults.limits import addresses, needs_linux
from w2v_cli.system.compression import zstd

pytestmark = needs_linux()

MEGABYTE = 1 << 20
# What a training with one thread needs at least, and a little more.
ENOUGH = addresses(300 * MEGABYTE)
LITTLE = addresses(120 * MEGABYTE)
PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress}


@pytest.mark.fault(25)
@pytest.mark.parametrize("content", [b" ", b"a", b"a ", b"\n"], ids=["blanks", "one word", "words", "lines"])
@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_of_gigabytes_is_refused_in_little_memory(fork, ending, content):
    """Two gigabytes in a thousandth of that: exit 3, the limit and the way beyond it named, nothing left behind."""
    part = PACK[ending](content * (2 * MEGABYTE // len(content)))
    (fork.folder / "bomb").write_bytes(part * 1000)
    before = fork.files()
    assert len(before["bomb"]) < 2_000_000_000 // 200

    message = the_error(fork.run("train", "bomb", *FAST, "--threads", "1", "-q", first=ENOUGH), 3)

    assert message.startswith("bomb expands to more than 200 times its size (")
    assert "--set corpus.max_expansion=2000" in message
    assert fork.files() == before


@pytest.mark.fault(25)
def test_a_bomb_within_a_bomb_is_not_unpacked_twice(fork):
    """What is compressed twice is refused: no file can stand for more than its own ratio."""
    (fork.folder / "bomb.gz").write_bytes(gzip.compress(gzip.compress(b" " * 10_000_000) * 100))
    before = fork.files()

    assert "is compressed twice" in the_error(fork.run("train", "bomb.gz", *FAST), 3)
    assert fork.files() == before


@pytest.mark.fault(25)
def test_a_total_that_is_too_much_is_refused(fork):
    """corpus.max_unpacked holds for texts that are compressed as texts are."""
    (fork.folder / "x.gz").write_bytes(gzip.compress(TEXT.encode()))
    before = fork.files()

    message = the_error(fork.run("train", "x.gz", *FAST, "--set", "corpus.max_unpacked=1000"), 3)

    assert message.startswith("x.gz expands to more than 1,000 bytes")
    assert fork.files() == before


NAMES = [f"l{number}" for number in range(30)]
LAUGHS = "l0: &l0 [ha]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in itertools.pairwise(NAMES)
)
YAML_BOMBS = {
    "a billion laughs": LAUGHS,
    "laughs in the right place": f"x:\n{LAUGHS}\ncorpus:\n  source: *l29\n",
    "an alias of itself": "model: &m\n  dim: *m\n",
    "merged keys": "a: &a {x: 1}\nb:\n  <<: [*a, *a, *a]\n",
    "deep lists": "model: " + "[" * 50_000,
    "deep mappings": "{a: " * 40_000,
    "a number without end": f"model:\n  dim: {'9' * 150_000}\n",
    "an exponent without end": "model:\n  dim: 1e999999999\n",
    "digits in groups of sixty": f"model:\n  dim: 1{':59' * 10_000}\n",
    "a key without end": f"? {'x' * 150_000}\n: 1\n",
    "a text beyond every config": "#" * 3_000_000,
    "code": "model: !!python/object/apply:os.mkdir [trapped]\n",
    "code of another kind": "model: !!python/object/new:os.mkdir {args: [trapped]}\n",
}


@pytest.mark.fault(30)
@pytest.mark.parametrize("text", YAML_BOMBS.values(), ids=YAML_BOMBS)
def test_a_yaml_bomb_is_refused_in_little_memory(fork, text):
    """Nothing is multiplied, no code is run: exit 2, and every line names the file."""
    (fork.folder / "bomb.yaml").write_text(text, encoding="utf-8")
    before = fork.files()

    done = fork.run("train", "text.txt", "--config", "bomb.yaml", first=LITTLE)

    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert lines[0].startswith("error: bomb.yaml")
    assert all(line.startswith("error: ") and "Traceback" not in line for line in lines)
    assert len(done.stderr) < 60_000
    assert fork.files() == before
    assert not (fork.folder / "trapped").exists()


def tar_with(*members):
    """Return a tar archive with members that lead out of the folder where it is unpacked."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = len(TEXT.encode()) if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(TEXT.encode()))
    return packed.getvalue()


def zip_with(name):
    """Return a zip archive with a member of this name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, TEXT)
    return packed.getvalue()


ARCHIVES = {
    "above": tar_with(("../above.txt", tarfile.REGTYPE, "")),
    "absolute": tar_with(("/tmp/w2v-absolute.txt", tarfile.REGTYPE, "")),  # noqa: S108  that is the attack
    "through a link": tar_with(("link", tarfile.SYMTYPE, ".."), ("link/above.txt", tarfile.REGTYPE, "")),
    "a hard link": tar_with(("link", tarfile.LNKTYPE, "../text.txt")),
    "zip": zip_with("../above.txt"),
}


@pytest.mark.fault(26)
@pytest.mark.parametrize("archive", ARCHIVES.values(), ids=ARCHIVES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_no_archive_is_unpacked(fork, archive, pack):
    """As a download it has another hash (exit 5), as a text it is none (exit 3); nothing is written anywhere."""
    (fork.folder / "x").write_bytes(pack(archive))
    before, around = fork.files(), sorted(fork.folder.parent.iterdir())

    downloaded = the_error(fork.run("download", "wordsim353", "--from", "x"), 5)
    trained_on = the_error(fork.run("train", "x", *FAST), 3)

    assert "nothing was installed" in downloaded
    assert trained_on.startswith("x is a ")
    assert (fork.files(), sorted(fork.folder.parent.iterdir())) == (before, around)
