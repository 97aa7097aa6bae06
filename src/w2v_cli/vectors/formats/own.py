"""w2v's own safetensors file as a format: float16 (as `train` writes it), float32, or int8 with scales."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from w2v_cli.errors import VectorsError
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.formats.arrays import Parts, iterate_parts, iterate_rows, read_parts
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.vectors.safetensors import NUMPY_TYPES, Tensor, is_safetensors, open_tensors, save_tensors

_NAMES = {numpy_type: name for name, numpy_type in NUMPY_TYPES.items()}
_ORDER = ("counts", "vocabulary.offsets", "scales", "vectors", "vocabulary.bytes")
_INT8_TENSORS = {  # type and number of axes
    "vectors": ("|i1", 2),
    "scales": ("<f4", 1),
    "vocabulary.bytes": ("|u1", 1),
    "vocabulary.offsets": ("<i8", 1),
}


def write(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write a vectors file; one of int8 answers no queries, but can be imported."""
    if options.dtype != "int8":
        keyed_vectors.save(
            path, word_vectors, overwrite=options.overwrite, dtype=options.dtype, on_done=options.on_done
        )
        return
    parts = dict(iterate_parts(word_vectors, options))
    tensors = {
        name: Tensor(_NAMES[parts[name].dtype], parts[name].shape, parts[name].blocks)
        for name in _ORDER
        if name in parts
    }
    save_tensors(path, tensors, word_vectors.metadata, overwrite=options.overwrite)


def read(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a file of w2v; raise VectorsError for another file and for a damaged one."""
    path = stream.file_path()
    with open_tensors(path) as (tensors, metadata):
        if "scales" in tensors:
            _check_int8(stream.name, tensors)
        else:
            keyed_vectors.check_tensors(path, tensors, metadata)
        imported = read_parts(stream.name, _parts(tensors, metadata), options)
    stream.drain()
    return imported


def _check_int8(name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raise VectorsError unless the tensors are those of an int8 file."""
    found = {tensor_name: (tensor.dtype.str, tensor.ndim) for tensor_name, tensor in tensors.items()}
    if found not in (_INT8_TENSORS, _INT8_TENSORS | {"counts": ("<i8", 1)}):
        raise VectorsError(f"{name} is not an int8 vectors file of w2v; its tensors are {str(found)[:300]}.")


def _parts(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> Parts:
    """Return the tensors as the arrays that every container of this layout holds."""
    rows, dim = tensors["vectors"].shape
    return Parts(
        shape=(rows, dim),
        rows=iterate_rows(tensors["vectors"]),
        text=tensors["vocabulary.bytes"],
        offsets=tensors["vocabulary.offsets"],
        scales=tensors.get("scales"),
        counts=tensors.get("counts"),
        metadata=metadata,
    )


FORMAT = Format(
    name="safetensors",
    title="safetensors",
    suffixes=(".safetensors",),
    dtypes=("float16", "float32", "int8"),
    write=write,
    read=read,
    recognises=is_safetensors,
)
