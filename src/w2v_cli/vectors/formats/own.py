"""Our own container as a format: float32, float16 (as `train` writes it), or int8 with scales."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.formats.arrays import Parts, collect, collect_whole, iterate_parts, iterate_rows
from w2v_cli.vectors.formats.builder import Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, NumberFormat, OnDone
from w2v_cli.vectors.safetensors import NUMPY_TYPES, Tensor, open_tensors, save_tensors

_NAMES = {numpy_type: name for name, numpy_type in NUMPY_TYPES.items()}
_ORDER = ("counts", "vocabulary.offsets", "scales", "vectors", "vocabulary.bytes")


def write(path: Path, word_vectors: KeyedVectors, *, dtype: str, overwrite: bool, on_done: OnDone) -> None:
    """Write `word_vectors`, whole or not at all; what is not int8 is a vectors file that can be asked."""
    if dtype != "int8":
        kept: NumberFormat = "float32" if dtype == "float32" else "float16"
        keyed_vectors.save(path, word_vectors, overwrite=overwrite, dtype=kept, on_done=on_done)
        return
    parts = dict(iterate_parts(word_vectors, dtype, on_done))
    tensors = {
        name: Tensor(_NAMES[parts[name].dtype], parts[name].shape, parts[name].blocks)
        for name in _ORDER
        if name in parts
    }
    save_tensors(path, tensors, word_vectors.metadata, overwrite=overwrite)


def read(stream: ByteStream, wanted: ImportOptions) -> Imported:
    """Return the vectors of a file of w2v; raise VectorsError for another one, and a damaged one."""
    path = stream.file_path()
    with open_tensors(path) as (tensors, metadata):
        if "scales" in tensors:
            imported = collect(stream.label, _quantised(stream, tensors, metadata), wanted)
        else:
            imported = collect_whole(stream.label, keyed_vectors.read_tensors(path, tensors, metadata), wanted)
    stream.drain()
    return imported


def _quantised(stream: ByteStream, tensors: dict[str, NDArray[Any]], metadata: dict[str, Any]) -> Parts:
    wanted = {
        "vectors": ("|i1", 2),
        "scales": ("<f4", 1),
        "vocabulary.bytes": ("|u1", 1),
        "vocabulary.offsets": ("<i8", 1),
    }
    found = {name: (tensor.dtype.str, tensor.ndim) for name, tensor in tensors.items()}
    if found not in (wanted, wanted | {"counts": ("<i8", 1)}):
        raise VectorsError(f"{stream.label} is no file of w2v's int8: its tensors are {str(found)[:300]}.")
    rows, dim = tensors["vectors"].shape
    return Parts(
        shape=(rows, dim),
        rows=iterate_rows(tensors["vectors"]),
        text=tensors["vocabulary.bytes"],
        offsets=tensors["vocabulary.offsets"],
        scales=tensors["scales"],
        counts=tensors.get("counts"),
        metadata=metadata,
    )
