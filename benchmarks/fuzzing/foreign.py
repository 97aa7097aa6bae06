"""Files of other tools, as `w2v import` reads them."""

import functools
import io
import random
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from fuzzing.mutations import TOKENS, chance, mutate, random_bytes
from fuzzing.reading import Case, Reader
from w2v_cli.vectors.formats import text
from w2v_cli.vectors.formats.convert import export_vectors, import_vectors
from w2v_cli.vectors.formats.registry import FORMATS
from w2v_cli.vectors.keyed_vectors import KeyedVectors, load

_FILES = [name for name in FORMATS if name != "projector"]
_TOKENS = (
    *TOKENS,
    *(b"1000000000000 2\n", b"2 1000000000000\n", b"-1 2\n", b"nan", b"inf", b"1e999", b"1e-999", b"1_0", b"0x1", b"."),
    *(b"1" * 25, b"e", b"e+", b"-", b"+-1", b"  ", b" \n", b"\n\n", b"\r\n", b"\xff", b"\xef\xbb\xbf", b"\xc2\xa0"),
    *(b"PK\x01\x02", b"PK\x05\x06", b"\x93NUMPY\x01\0", b"FiFu", b"|O", b"<f8", b"\x02\0\0\0", b"\xff" * 8),
)


@functools.cache
def _seeds() -> dict[str, bytes]:
    """Return a small file of each format."""
    rng = np.random.default_rng(1)
    words = ("the", "naïve", "日本語", "👩🏽‍🚀", *(f"w{number}" for number in range(20)))
    small = KeyedVectors(rng.standard_normal((24, 3)).astype(np.float16), words, np.arange(24, 0, -1), {"seed": 1})
    seeds = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in _FILES:
            path = Path(folder, name)
            export_vectors("small", small, path, format_name=name)
            seeds[name] = path.read_bytes()
    return seeds


def _make(rng: random.Random) -> Case:
    """Return a file that was damaged, or an archive with a damaged member and right checksums, or anything."""
    name = rng.choice(_FILES)
    data = _seeds()[name]
    if chance(rng, 0.05):
        data = random_bytes(rng)
    elif name == "npz" and chance(rng, 0.7):
        data = _with_mutated_member(rng, data)
    else:
        data = mutate(rng, data, _TOKENS)
    if chance(rng, 0.1):
        data = zlib.compress(data, wbits=31)
    settings = {"format_name": name if chance(rng, 0.5) else None, "dtype": rng.choice(("float16", "float32"))}
    return Case(data, settings | {"unescape": chance(rng, 0.5), "is_compiled": chance(rng, 0.7)})


def _with_mutated_member(rng: random.Random, data: bytes) -> bytes:
    """Return an archive one of whose members was damaged, or has another name, lengths and checksums being right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = rng.choice(list(members))
    content = members.pop(chosen)
    name = chosen if chance(rng, 0.9) else rng.choice((*members, "x.npy", "scales.npy", "../x"))
    if not chance(rng, 0.1):
        members |= {name: mutate(rng, content, _TOKENS)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as made:
        for member, part in members.items():
            made.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), part)
    return file.getvalue()


def _read(case: Case, folder: Path) -> None:
    """Import the file by the parser that the case asks for, and read what came of it."""
    text._MANY_BYTES = 0 if case.settings["is_compiled"] else 1 << 20  # noqa: SLF001
    options = {name: case.settings[name] for name in ("format_name", "dtype", "unescape")}
    path, output = folder / "x", folder / "y"
    path.write_bytes(case.data)
    try:
        import_vectors(str(path), output, **options, overwrite=False)
        load(output)
    finally:
        path.unlink()
        output.unlink(missing_ok=True)


def _prepare() -> None:
    """Make the seeds, and have the parser compiled."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"format_name": None, "dtype": "float32", "unescape": False, "is_compiled": True}
        _read(Case(_seeds()["glove"], settings), Path(folder))


READERS = (Reader("foreign", _make, _read, prepare=_prepare, memory_bytes=150 << 20),)
