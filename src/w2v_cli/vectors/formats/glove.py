"""GloVe's text: a line for each word, and nothing before."""

from pathlib import Path

from w2v_cli.system.packing import packed_write
from w2v_cli.vectors.formats.text import iterate_lines, read_without_header
from w2v_cli.vectors.keyed_vectors import KeyedVectors, OnDone

read = read_without_header


def write(path: Path, word_vectors: KeyedVectors, *, dtype: str, overwrite: bool, on_done: OnDone) -> None:
    """Write `word_vectors`, whole or not at all, each number as the shortest text that gives it back in `dtype`."""
    with packed_write(path, overwrite=overwrite) as file:
        file.writelines(iterate_lines(word_vectors.words, word_vectors.vectors, dtype, on_done))
