"""Vectors from a file of either kind that can be queried: w2v's own, or the book's pickle."""

from pathlib import Path

from w2v_cli.errors import VectorsError
from w2v_cli.system import file_types
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.safetensors import damaged, is_safetensors, map_file

HEAD_BYTES = 64
KINDS = (  # the first bytes of a file, and what messages call it
    (file_types.GZIP, "gzip"),
    (file_types.XZ, "xz"),
    (file_types.BZIP2, "bzip2"),
    (file_types.ZSTD, "zstandard"),
    (file_types.ZIP, "a ZIP archive, such as NumPy's .npz or a PyTorch checkpoint"),
    (file_types.NUMPY, "NumPy's .npy"),
    (file_types.HDF5, "HDF5"),
)


def open_vectors(path: Path) -> keyed_vectors.KeyedVectors:
    """Return the vectors of a file, memory-mapped; its content decides how it is read, not its name.

    Args:
        path: A vectors file of w2v, or the book's pickle.

    Returns:
        The vectors, after every check that exists.

    Raises:
        VectorsError: The file is missing or damaged, or of another kind, which the message names.
    """
    head = map_file(path)[:HEAD_BYTES]
    if is_safetensors(head):
        return keyed_vectors.load(path)
    if head[:1] == b"\x80":
        from w2v_cli.vectors.formats import book_pickle  # noqa: PLC0415  what reads other formats takes time to load

        return book_pickle.load(path)
    if path.suffix == ".safetensors":
        raise damaged(path, "its first bytes are not those of a safetensors file")
    raise VectorsError(
        f"{path} is {_describe(head)}; w2v queries its own .safetensors and the book's checkpoint. Convert it first: "
        f"`w2v import {path} -o {path.with_suffix('.safetensors').name}`."
    )


def _describe(head: bytes) -> str:
    r"""Return the kind of a file that begins with `head`.

    >>> _describe(b"10000 100\nthe 0.1 ")
    "word2vec's format, text or binary"
    """
    for magic, kind in KINDS:
        if head.startswith(magic):
            return kind
    numbers = head.split(b"\n")[0].split()
    if len(numbers) == 2 and all(number.isdigit() for number in numbers):  # noqa: PLR2004 - V and D
        return "word2vec's format, text or binary"
    if head.isascii() and b"\0" not in head:
        return "text"
    return "of no known kind"
