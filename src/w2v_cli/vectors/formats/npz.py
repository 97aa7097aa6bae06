"""NumPy's `.npz`, without pickle: the named arrays of `arrays`, and `metadata`, JSON as (bytes,) uint8."""

import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.system import file_types
from w2v_cli.system.files import atomic_write
from w2v_cli.vectors.formats.arrays import TYPES, Part, Parts, block_rows, iterate_parts, read_parts
from w2v_cli.vectors.formats.builder import MOST_DIMENSIONS
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import LIMITS, ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.safetensors import MAX_HEADER_BYTES, read_json

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time: equal vectors give equal bytes
_ALWAYS_BYTES = 64_000_000  # that any archive may decompress to, however small it is
_ALLOWED = {  # the types and the number of axes of each array
    "vectors": (set(TYPES.values()), 2),
    "scales": ({TYPES["float32"]}, 1),
    "vocabulary.bytes": ({np.dtype("u1")}, 1),
    "vocabulary.offsets": ({np.dtype("<i8")}, 1),
    "counts": ({np.dtype("<i8")}, 1),
    "metadata": ({np.dtype("u1")}, 1),
}
_PREFIX = file_types.NUMPY + b"\x01\x00"  # followed by the length of the header in two bytes
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?\w{1,9})', 'fortran_order': (True|False), "
    rb"'shape': \((-?\d{1,18}(?:, ?-?\d{1,18}){0,9},?|)\), \} *\n"
)
_REQUIRED = {"vectors", "vocabulary.bytes", "vocabulary.offsets"}
# what zipfile and NumPy raise for a damaged archive
_MALFORMED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    LookupError,
    OSError,
)


class _Member(NamedTuple):
    """An array of the archive whose header has been checked; `file` is positioned at its data."""

    file: IO[bytes]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def write(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write an uncompressed archive; equal vectors give equal bytes."""
    encoded = np.frombuffer(json.dumps(dict(word_vectors.metadata)).encode("ascii"), np.uint8)
    with atomic_write(path, overwrite=options.overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        _write_member(archive, "metadata", Part(encoded.dtype, encoded.shape, [encoded]))
        for name, part in iterate_parts(word_vectors, options):
            _write_member(archive, name, part)


def _write_member(archive: zipfile.ZipFile, name: str, part: Part) -> None:
    """Write one array."""
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _ZIP_EPOCH), "w", force_zip64=True) as file:
        header = {"descr": part.dtype.str, "fortran_order": False, "shape": part.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in part.blocks:
            file.write(np.ascontiguousarray(block, part.dtype).tobytes())


def read(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of an archive that `write` wrote; raise VectorsError for any other and for damage.

    NumPy sees an array only after its header has been compared with the number of bytes, and never one of objects.
    """
    path = stream.file_path()
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = _check_directory(stream, archive)
            parts = _read_parts(stream, archive, members)
            imported = read_parts(stream.name, parts, options)
    except _MALFORMED as error:
        raise _refused(stream, f"it is damaged ({str(error)[:200]})") from error
    stream.drain()
    return imported


def _refused(stream: ByteStream, cause: str) -> VectorsError:
    """Return the error for an archive with other content than that of `write`."""
    return VectorsError(f"{stream.name} is not a .npz of `w2v export`, the only kind that w2v imports: {cause}.")


def _check_directory(stream: ByteStream, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name; raise VectorsError for unknown names, and for a total size like that of a bomb."""
    infos = archive.infolist()
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(members) != len(infos) or not _REQUIRED <= set(members) <= set(_ALLOWED):
        shown = ", ".join(sorted(members)[:10])[:200]
        raise _refused(stream, f"it holds {shown!r}, expected {', '.join(sorted(_REQUIRED))}")
    total = sum(info.file_size for info in infos)
    if total > max(_ALWAYS_BYTES, LIMITS.expansion * (stream.size or 0)):
        raise _refused(
            stream, f"it decompresses to {total:,} bytes, more than {LIMITS.expansion} times its size, like a zip bomb"
        )
    return members


def _read_parts(stream: ByteStream, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Parts:
    """Return the arrays: the small ones read, the rows to be read block by block."""
    small = {name: _read_whole(stream, archive, name, members[name]) for name in members if name != "vectors"}
    vectors = _open_member(stream, archive, "vectors", members["vectors"])
    if vectors.dtype == TYPES["int8"] and "scales" not in small:
        raise _refused(stream, "its vectors are int8, but there are no scales")
    metadata = small.get("metadata")
    content = {} if metadata is None else read_json(metadata[:MAX_HEADER_BYTES].tobytes())
    if not isinstance(content, dict):
        raise _refused(stream, "its metadata is not a JSON object")
    return Parts(
        shape=(vectors.shape[0], vectors.shape[1]),
        rows=_iterate_rows(vectors),
        text=small["vocabulary.bytes"],
        offsets=small["vocabulary.offsets"],
        scales=small.get("scales") if vectors.dtype == TYPES["int8"] else None,
        counts=small.get("counts"),
        metadata=content,
    )


def _open_member(stream: ByteStream, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> _Member:
    """Return a member whose header names an allowed type and a shape that matches the number of bytes.

    NumPy would read any Python literal as a header; only the form that it writes is accepted here.
    """
    file = archive.open(info)
    prefix = file.read(len(_PREFIX) + 2)
    found = _HEADER.fullmatch(file.read(int.from_bytes(prefix[-2:], "little")))
    if found is None or not prefix.startswith(_PREFIX):
        raise _refused(stream, f"its {name} do not begin like a NumPy array")
    descr, order, sizes = (group.decode("ascii") for group in found.groups())
    shape = tuple(map(int, filter(None, sizes.replace(" ", "").split(","))))
    dtypes, axes = _ALLOWED[name]
    dtype = next((dtype for dtype in dtypes if dtype.str == descr), None)
    if dtype is None or len(shape) != axes or order == "True" or min(shape) < 1:
        raise _refused(stream, f"its {name} are {descr} of shape ({sizes}){' in column order' * (order == 'True')}")
    size = info.file_size - file.tell()
    if math.prod(shape) * dtype.itemsize != size or (axes > 1 and shape[-1] > MOST_DIMENSIONS):
        raise _refused(stream, f"its {name} claim the shape {shape} in {size:,} bytes")
    return _Member(file, dtype, shape)


def _read_whole(stream: ByteStream, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Return a whole array."""
    member = _open_member(stream, archive, name, info)
    return np.frombuffer(member.file.read(), member.dtype).reshape(member.shape)


def _iterate_rows(member: _Member) -> Iterator[NDArray[Any]]:
    """Yield the rows of an array, a few MB at a time."""
    rows, dim = member.shape
    block = block_rows(dim)
    for first in range(0, rows, block):
        size = min(block, rows - first) * dim * member.dtype.itemsize
        yield np.frombuffer(member.file.read(size), member.dtype).reshape(-1, dim)
    member.file.read(1)  # zipfile compares the checksum at the end


FORMAT = Format(
    name="npz",
    title="NumPy's .npz",
    suffixes=(".npz",),
    dtypes=("float16", "float32", "int8"),
    write=write,
    read=read,
    recognises=lambda head: head.startswith(file_types.ZIP),
)
