"""TensorFlow's embedding projector: a folder with the numbers, the words, and the file by which TensorBoard finds both.

`vectors.tsv` has a line of numbers for each word. `metadata.tsv` has a line for each word: the word alone and no
heading, or, where there are counts, both under the heading `word count`. https://projector.tensorflow.org takes the two
as they are, `tensorboard --logdir FOLDER` the folder.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from w2v_cli.errors import VectorsError
from w2v_cli.humanize import count
from w2v_cli.system.files import atomic_write, disk_errors
from w2v_cli.vectors.formats.builder import Imported, ImportOptions, VectorsBuilder
from w2v_cli.vectors.formats.reader import ByteStream, open_stream
from w2v_cli.vectors.formats.text import iterate_lines, parse_lines
from w2v_cli.vectors.keyed_vectors import KeyedVectors, OnDone

SEPARATORS = "\t\n\r"  # that a word may not contain
VECTORS, METADATA, CONFIG = "vectors.tsv", "metadata.tsv", "projector_config.pbtxt"
_AT_ONCE = 4096  # words
_CONFIG = f"""\
embeddings {{
  tensor_name: "vectors"
  tensor_path: "{VECTORS}"
  metadata_path: "{METADATA}"
}}
"""


def files(folder: Path) -> list[Path]:
    """Return the paths of the files of an export to `folder`."""
    return [folder / VECTORS, folder / METADATA, folder / CONFIG]


def write(path: Path, word_vectors: KeyedVectors, *, dtype: str, overwrite: bool, on_done: OnDone) -> None:
    """Write `word_vectors` into the folder `path`, each file whole or not at all."""
    with disk_errors(path):
        path.mkdir(exist_ok=True)
    vectors, metadata, config = files(path)
    no_words = [""] * len(word_vectors)
    with atomic_write(vectors, overwrite=overwrite) as file:
        for block in iterate_lines(no_words, word_vectors.vectors, dtype, on_done):
            file.write(block.replace(b"\n ", b"\n")[block[:1] == b" " :].replace(b" ", b"\t"))
    with atomic_write(metadata, overwrite=overwrite) as file:
        lines = _iterate_metadata(word_vectors)
        while together := list(islice(lines, _AT_ONCE)):
            file.write("".join(together).encode("utf-8"))
    with atomic_write(config, overwrite=overwrite) as file:
        file.write(_CONFIG.encode("ascii"))


def _iterate_metadata(word_vectors: KeyedVectors) -> Iterator[str]:
    if word_vectors.counts is None:
        yield from (f"{word}\n" for word in word_vectors.words)
        return
    yield "word\tcount\n"
    yield from (f"{word}\t{count}\n" for word, count in zip(word_vectors.words, word_vectors.counts, strict=True))


def read(stream: ByteStream, wanted: ImportOptions) -> Imported:
    """Return the vectors of a folder, of whose `vectors.tsv` this is the stream."""
    folder = stream.file_path().parent
    dim = stream.peek_line().count(b"\t") + 1
    collector = VectorsBuilder(str(folder), dim, wanted, lambda row: f"word {row + 1:,}")
    with open_stream(str(folder / METADATA)) as metadata:
        words = _Words(folder, metadata)
        for block in stream.iterate_lines():
            lines = b"_ " + block[:-1].replace(b"\t", b" ").replace(b"\n", b"\n_ ") + b"\n"
            _, rows = parse_lines(lines, dim, collector)
            collector.add(words.take(len(rows)), rows)
        words.finish()
    return collector.finish({}, words.counts)


class _Words:
    """The words of `metadata.tsv`, in order."""

    def __init__(self, folder: Path, stream: ByteStream) -> None:
        self._folder = folder
        self._lines = (line for block in stream.iterate_lines() for line in block[:-1].split(b"\n"))
        heading = stream.peek_line().rstrip(b"\r\n").split(b"\t")
        self._columns = len(heading)
        self._word, self._count = 0, None
        self._counts: list[int] = []
        self._rows = 0
        if self._columns > 1:  # only then there is a heading
            next(self._lines)
            self._word = heading.index(b"word") if b"word" in heading else 0
            self._count = heading.index(b"count") if b"count" in heading else None

    @property
    def counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
        """The counts, None where there are none."""
        return None if self._count is None else np.array(self._counts, np.int64)

    def take(self, size: int) -> list[bytes]:
        """Return the next words; raise VectorsError where there are fewer."""
        lines = list(islice(self._lines, size))
        if len(lines) < size:
            raise self._error(len(lines), f"{METADATA} ends, and {VECTORS} does not")
        words = []
        for row, line in enumerate(lines):
            fields = line.split(b"\t")
            if len(fields) != self._columns:
                raise self._error(
                    row, f"its line of {METADATA} has {count(len(fields), 'column')}, not {self._columns:,}"
                )
            words.append(fields[self._word])
            if self._count is not None:
                self._counts.append(self._read_count(row, fields[self._count]))
        self._rows += size
        return words

    def finish(self) -> None:
        """Raise VectorsError where there are more words."""
        if next(self._lines, None) is not None:
            raise self._error(0, f"{VECTORS} ends, and {METADATA} does not")

    def _read_count(self, row: int, field: bytes) -> int:
        if not field.isdigit() or len(field) > 18:  # noqa: PLR2004  what int64 holds
            raise self._error(row, "its count is no whole number")
        return int(field)

    def _error(self, row: int, cause: str) -> VectorsError:
        return VectorsError(f"{self._folder}, word {self._rows + row + 1:,}: {cause}.")
