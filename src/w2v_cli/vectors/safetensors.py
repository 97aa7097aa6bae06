"""safetensors files with a digest: tensors are streamed out and memory-mapped in, and nothing read is trusted."""

import contextlib
import hashlib
import json
import math
import mmap
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.errors import StorageError, VectorsError
from w2v_cli.system.files import atomic_write

FORMAT_VERSION = "1"
MAX_HEADER_BYTES = 4 << 20  # a config with scores takes a few KB
_DEEPEST_NESTING = 50  # levels of JSON; the config in the metadata has four
NUMPY_TYPES: dict[str, np.dtype[Any]] = {  # by the names that safetensors gives them
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
}

Json = dict[str, Any]


@dataclass(frozen=True)
class Tensor:
    """A tensor to write.

    Attributes:
        dtype: safetensors' name of the type.
        shape: one or two sizes.
        blocks: the data, in blocks of rows.
    """

    dtype: str
    shape: tuple[int, ...]
    blocks: Iterable[NDArray[Any]]


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any], *, overwrite: bool) -> None:
    """Write tensors and metadata to a file, completely or not at all; equal content gives equal bytes.

    The file's own metadata are `format_version` and `sha256`, the digest of the data followed by the header without the
    digest. The header comes first in the file, so it is written twice.

    Args:
        path: The file to write.
        tensors: The tensors by name, in the order of the file.
        metadata: Values that JSON can hold; it has no NaN.
        overwrite: Whether to replace an existing file.

    Raises:
        ConfigError: `path` exists, and `overwrite` is false.
        StorageError: The disk refuses.
    """
    entries = _layout((name, tensor.dtype, tensor.shape) for name, tensor in tensors.items())
    texts = {key: json.dumps(value, allow_nan=False) for key, value in metadata.items()}
    texts["format_version"] = FORMAT_VERSION
    digest = hashlib.sha256()
    with atomic_write(path, overwrite=overwrite) as file:
        file.write(_encode_header(entries, texts | {"sha256": digest.hexdigest()}))
        for tensor in tensors.values():
            for block in tensor.blocks:
                content = np.ascontiguousarray(block, NUMPY_TYPES[tensor.dtype]).data
                file.write(content)
                digest.update(content)
        digest.update(_encode_header(entries, texts))
        file.seek(0)
        file.write(_encode_header(entries, texts | {"sha256": digest.hexdigest()}))


def load_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], Json]:
    """Return the tensors of a file by name, as read-only views of the mapped file, and its metadata.

    Nothing is allocated for shapes before they have been compared with the size of the file.

    Args:
        path: The file.

    Raises:
        VectorsError: The file is missing, truncated, too long or altered, has another format version, or its header
            promises more than it holds.
    """
    with open_tensors(path) as opened:
        return opened


@contextlib.contextmanager
def open_tensors(path: Path) -> Iterator[tuple[dict[str, NDArray[Any]], Json]]:
    """Yield what `load_tensors` returns while a thread computes the digest; a wrong digest is raised at the end.

    That error replaces any other that the altered content caused within the block. The block must therefore be ready
    for any content, as it must be anyway: a crafted file has the right digest.
    """
    content = map_file(path)
    header, start = _read_header(path, content)
    texts = _check_metadata(path, header.pop("__metadata__", None))
    _check_entries(path, header, len(content) - start)
    given = texts.pop("sha256", None)
    with ThreadPoolExecutor(1, thread_name_prefix="w2v-digest") as pool:
        found = pool.submit(_digest, memoryview(content)[start:], _encode_header(header, texts))
        try:
            yield {name: _view(content, start, entry) for name, entry in header.items()}, _decode_texts(path, texts)
        finally:
            if given != found.result():
                raise damaged(path, f"its SHA-256 is {found.result()}, not the one that its header gives")


def map_file(path: Path) -> mmap.mmap:
    """Return the bytes of a file, memory-mapped and read-only; raise VectorsError if it is missing or empty."""
    try:
        if not path.exists():
            raise VectorsError(f"{path} not found; check the path, or train one: `w2v train TEXT`.")
        if not path.is_file():
            raise VectorsError(f"{path} is a folder or a device; pass a vectors file.")
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise damaged(path, "it is empty")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}; check its permissions and its disk.") from error


def read_json(text: str | bytes) -> Any:
    """Return the value of JSON text.

    Args:
        text: The JSON text.

    Raises:
        ValueError: The text is invalid, deeply nested, or has a number out of range.
    """
    value = json.loads(text, parse_constant=_refuse_number, parse_float=_read_float)
    if not _is_shallow(value, _DEEPEST_NESTING):
        raise ValueError(f"it is nested deeper than {_DEEPEST_NESTING} levels")
    return value


def damaged(path: Path, cause: str) -> VectorsError:
    """Return the error for a file that cannot be trusted.

    Args:
        path: The file.
        cause: What is wrong with it.
    """
    return VectorsError(f"{path} is damaged or not a file of w2v: {cause}. Copy it again, or train again.")


def is_safetensors(head: bytes) -> bool:
    """Return whether `head` begins with a length below 4 GB and a brace; a pickle has its first opcodes there."""
    return head[4:9] == b"\0\0\0\0{"


def _is_shallow(value: object, levels: int) -> bool:
    """Return whether no list or object is nested deeper than `levels`; what displays the value recurses into each."""
    if not isinstance(value, dict | list):
        return True
    return levels > 0 and all(
        _is_shallow(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value)
    )


def _refuse_number(name: str) -> None:
    """Raise ValueError for NaN and infinities, which Python's JSON accepts."""
    raise ValueError(f"{name} is not a JSON number")


def _read_float(text: str) -> float:
    """Return a number; raise ValueError for one beyond the range of float."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{reprlib.repr(text)} is too large a number")
    return number


def _layout(tensors: Iterable[tuple[str, str, tuple[int, ...]]]) -> Json:
    """Return the header's entries for (name, dtype, shape), with the data back to back."""
    entries: Json = {}
    end = 0
    for name, dtype, shape in tensors:
        first, end = end, end + math.prod(shape) * NUMPY_TYPES[dtype].itemsize
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [first, end]}
    return entries


def _encode_header(entries: Json, texts: Mapping[str, str]) -> bytes:
    """Return safetensors' header: its length in 8 bytes, canonical JSON, and spaces up to a multiple of 8 bytes."""
    content = {"__metadata__": dict(sorted(texts.items()))} | entries
    encoded = json.dumps(content, separators=(",", ":")).encode("ascii")
    encoded += b" " * (-len(encoded) % 8)
    return len(encoded).to_bytes(8, "little") + encoded


def _read_header(path: Path, content: mmap.mmap) -> tuple[Json, int]:
    """Return the header's JSON object and the offset of the data."""
    length = int.from_bytes(content[:8], "little")
    if length > min(len(content) - 8, MAX_HEADER_BYTES):
        raise damaged(path, f"its header claims {length:,} bytes, the file has {len(content):,}")
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise damaged(path, "its header is not a JSON object")
    return header, 8 + length


def _check_metadata(path: Path, texts: object) -> dict[str, str]:
    """Return `texts`; raise VectorsError unless they map strings to strings and name this format version."""
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise damaged(path, "its header has no metadata")
    version = texts.get("format_version")
    if version is None:
        raise damaged(path, "it is a safetensors file of another program (its metadata has no format_version)")
    if version != FORMAT_VERSION:
        raise VectorsError(
            f"{path} has format version {reprlib.repr(version)}, this w2v reads {FORMAT_VERSION!r}; upgrade w2v-cli."
        )
    return texts


def _check_entries(path: Path, entries: Json, data_bytes: int) -> None:
    """Raise VectorsError unless the tensors lie back to back, as their shapes require, and fill the file."""
    for name, entry in entries.items():
        if not _has_known_shape(entry, data_bytes):
            raise damaged(path, f"tensor {reprlib.repr(name)} is {reprlib.repr(entry)} in {data_bytes:,} bytes of data")
    expected = _layout((name, entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items())
    for name, entry in expected.items():
        if entries[name] != entry:
            raise damaged(path, f"tensor {reprlib.repr(name)} is {reprlib.repr(entries[name])}, expected {entry}")
    described = max((entry["data_offsets"][1] for entry in expected.values()), default=0)
    if data_bytes != described:
        raise damaged(path, f"it holds {data_bytes:,} bytes of data, its header describes {described:,}")


def _has_known_shape(entry: object, data_bytes: int) -> bool:
    """Return whether `entry` has a known type, integer offsets, and one or two sizes that the bytes can hold."""
    if not isinstance(entry, dict) or entry.get("dtype") not in list(NUMPY_TYPES):
        return False
    shape = entry.get("shape")
    if not isinstance(shape, list) or len(shape) not in (1, 2):
        return False
    offsets = entry.get("data_offsets")
    if not isinstance(offsets, list) or not all(type(offset) is int for offset in offsets):  # true is an int, too
        return False
    return all(type(size) is int and 0 < size <= data_bytes for size in shape)


def _digest(data: memoryview, header: bytes) -> str:
    """Return the SHA-256 of the data followed by the header."""
    digest = hashlib.sha256(data)
    digest.update(header)
    return digest.hexdigest()


def _decode_texts(path: Path, texts: Mapping[str, str]) -> Json:
    """Return the metadata that `texts` hold as JSON; raise VectorsError for invalid JSON."""
    try:
        return {key: read_json(text) for key, text in texts.items()}
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its metadata is not JSON ({error})") from error


def _view(content: mmap.mmap, start: int, entry: Json) -> NDArray[Any]:
    """Return a tensor as a read-only view of the mapped file."""
    first, end = entry["data_offsets"]
    dtype = NUMPY_TYPES[entry["dtype"]]
    flat = np.frombuffer(content, dtype, count=(end - first) // dtype.itemsize, offset=start + first)
    return flat.reshape(entry["shape"])
