"""The book's checkpoint as a format: `book.py` reads and writes it, and knows nothing of the others."""

from pathlib import Path

from w2v_cli.errors import VectorsError
from w2v_cli.vectors.formats import book_pickle
from w2v_cli.vectors.formats.arrays import collect_whole
from w2v_cli.vectors.formats.builder import Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, OnDone


def write(
    path: Path,
    word_vectors: KeyedVectors,
    *,
    dtype: str,
    overwrite: bool,
    on_done: OnDone,  # noqa: ARG001  it is written at once, and small
) -> None:
    """Write `word_vectors`, whole or not at all; raise VectorsError where the file would be too large to be read."""
    text_bytes = sum(len(word.encode("utf-8")) for word in word_vectors.words)
    size = word_vectors.vectors.size * (2 if dtype == "float16" else 4) + text_bytes + 20 * len(word_vectors)
    if size > book_pickle.MAX_BYTES:
        raise VectorsError(
            f"the book's pickle would have {size:,} bytes, and w2v reads no pickle of more than "
            f"{book_pickle.MAX_BYTES:,}: --format npz or safetensors has no such limit."
        )
    book_pickle.save(path, word_vectors, dtype=dtype, overwrite=overwrite)


def read(stream: ByteStream, wanted: ImportOptions) -> Imported:
    """Return the vectors of a checkpoint, never running what it holds."""
    imported = collect_whole(stream.label, book_pickle.load(stream.file_path()), wanted)
    stream.drain()
    return imported
