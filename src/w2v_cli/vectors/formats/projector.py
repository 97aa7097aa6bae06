"""TensorFlow's embedding projector: a folder with the numbers, the words, and a file that leads TensorBoard to both.

`vectors.tsv` has a line of numbers for each word. `metadata.tsv` has a line for each word: the word alone without a
heading, or word and count under the heading `word count`. https://projector.tensorflow.org takes the two files,
`tensorboard --logdir FOLDER` the folder.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.system.files import atomic_write, disk_errors
from w2v_cli.vectors.formats.builder import VectorsBuilder
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream, open_stream
from w2v_cli.vectors.formats.text import iterate_lines, parse_lines
from w2v_cli.vectors.keyed_vectors import BLOCK_ROWS, KeyedVectors

VECTORS, METADATA, CONFIG = "vectors.tsv", "metadata.tsv", "projector_config.pbtxt"
_CONFIG = f"""\
embeddings {{
  tensor_name: "vectors"
  tensor_path: "{VECTORS}"
  metadata_path: "{METADATA}"
}}
"""


def files(folder: Path) -> list[Path]:
    """Return the files of an export to `folder`."""
    return [folder / VECTORS, folder / METADATA, folder / CONFIG]


def write(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write the three files into the folder `path`, each completely or not at all."""
    with disk_errors(path):
        path.mkdir(exist_ok=True)
    vectors, metadata, config = files(path)
    no_words = [""] * len(word_vectors)
    with atomic_write(vectors, overwrite=options.overwrite) as file:
        for block in iterate_lines(no_words, word_vectors.vectors, options.dtype, options.on_done):
            file.write(block.replace(b"\n ", b"\n")[block[:1] == b" " :].replace(b" ", b"\t"))
    with atomic_write(metadata, overwrite=options.overwrite) as file:
        lines = _iterate_metadata(word_vectors)
        while some := list(islice(lines, BLOCK_ROWS)):
            file.write("".join(some).encode("utf-8"))
    with atomic_write(config, overwrite=options.overwrite) as file:
        file.write(_CONFIG.encode("ascii"))


def _iterate_metadata(word_vectors: KeyedVectors) -> Iterator[str]:
    """Yield the lines of metadata.tsv."""
    if word_vectors.counts is None:
        yield from (f"{word}\n" for word in word_vectors.words)
        return
    yield "word\tcount\n"
    yield from (f"{word}\t{count}\n" for word, count in zip(word_vectors.words, word_vectors.counts, strict=True))


def read(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a folder; `stream` is that of its vectors.tsv."""
    folder = stream.file_path().parent
    dim = stream.peek_line().count(b"\t") + 1
    builder = VectorsBuilder(str(folder), dim, options, lambda row: f"word {row + 1:,}")
    with open_stream(str(folder / METADATA)) as metadata:
        words = _Words(folder, metadata)
        for block in stream.iterate_lines():
            lines = b"_ " + block[:-1].replace(b"\t", b" ").replace(b"\n", b"\n_ ") + b"\n"
            _, rows = parse_lines(lines, dim, builder)
            builder.add(words.take(len(rows)), rows)
        words.finish()
    return builder.finish({}, words.counts)


class _Words:
    """The words of metadata.tsv, in order, and their counts."""

    def __init__(self, folder: Path, stream: ByteStream) -> None:
        self._folder = folder
        self._lines = (line for block in stream.iterate_lines() for line in block[:-1].split(b"\n"))
        heading = stream.peek_line().rstrip(b"\r\n").split(b"\t")
        self._columns = len(heading)
        self._word, self._count = 0, None
        self._counts: list[int] = []
        self._rows = 0
        if self._columns > 1:  # only then is there a heading
            next(self._lines)
            self._word = heading.index(b"word") if b"word" in heading else 0
            self._count = heading.index(b"count") if b"count" in heading else None

    @property
    def counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
        """The counts so far (V,); None if the file has none."""
        return None if self._count is None else np.array(self._counts, np.int64)

    def take(self, size: int) -> list[bytes]:
        """Return the next words; raise VectorsError if fewer are left."""
        lines = list(islice(self._lines, size))
        if len(lines) < size:
            raise self._error(len(lines), f"{METADATA} ends before {VECTORS}")
        words = []
        for row, line in enumerate(lines):
            fields = line.split(b"\t")
            if len(fields) != self._columns:
                cause = f"its line in {METADATA} has {count(len(fields), 'column')}, expected {self._columns:,}"
                raise self._error(row, cause)
            words.append(fields[self._word])
            if self._count is not None:
                self._counts.append(self._read_count(row, fields[self._count]))
        self._rows += size
        return words

    def finish(self) -> None:
        """Raise VectorsError if more words are left."""
        if next(self._lines, None) is not None:
            raise self._error(0, f"{VECTORS} ends before {METADATA}")

    def _read_count(self, row: int, field: bytes) -> int:
        """Return a count; raise VectorsError if it is not a whole number."""
        if not field.isdigit() or len(field) > 18:  # noqa: PLR2004  the digits that always fit into int64
            raise self._error(row, "its count is not a whole number")
        return int(field)

    def _error(self, row: int, cause: str) -> VectorsError:
        """Return the error for a word of the block that is being read."""
        return VectorsError(f"{self._folder}, word {self._rows + row + 1:,}: {cause}.")


FORMAT = Format(
    name="projector",
    title="TensorFlow's projector",
    suffixes=(),
    dtypes=("float32", "float16"),
    write=write,
    read=read,
    separators="\t\n\r",
    files=files,
)
