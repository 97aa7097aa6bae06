"""Import and export of other tools' files, one module a format."""

from pathlib import Path

from w2v_cli.errors import VectorsError
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.formats import book_pickle
from w2v_cli.vectors.safetensors import damaged, map_file

HEAD_BYTES = 64
KINDS = (  # what a file begins with, and what it then is
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"PK\x03\x04", "a ZIP archive (NumPy's .npz and PyTorch's checkpoints are such)"),
    (b"\x93NUMPY", "NumPy's .npy"),
    (b"\x89HDF", "HDF5"),
)


def open_vectors(path: Path) -> keyed_vectors.KeyedVectors:
    """Return the vectors of a file of any kind that can be read: w2v's own, or the book's pickle.

    The content decides, not the name. Raises VectorsError naming what the file looks like where it is neither.
    """
    head = map_file(path)[:HEAD_BYTES]
    if is_safetensors(head):
        return keyed_vectors.load(path)
    if head[:1] == b"\x80":
        return book_pickle.load(path)
    if path.suffix == ".safetensors":
        raise damaged(path, "its first bytes are not those of a safetensors file")
    kind = _describe(head)
    raise VectorsError(
        f"{path} is {kind}: w2v reads its own .safetensors and the checkpoint of the book; if it holds vectors, "
        f"`w2v import {path}` makes one of it."
    )


def is_safetensors(head: bytes) -> bool:
    """Return whether `head` is a length below 4 GB and a brace; a pickle has its first opcodes there."""
    return head[4:9] == b"\0\0\0\0{"


def _describe(head: bytes) -> str:
    r"""Return what a file beginning with `head` looks like.

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
