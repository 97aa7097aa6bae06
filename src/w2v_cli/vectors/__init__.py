"""The vectors file: words, counts and vectors in one safetensors file, and its exchange with other formats.

Takes vectors and gives files, or the reverse. Begin with `keyed_vectors`, the content of a file, which is imported as a
module to save and load one: `keyed_vectors.save`. `load` opens a file to query, `formats` exports and imports.
"""

from w2v_cli.vectors.keyed_vectors import BLOCK_ROWS, MAX_FLOAT16, KeyedVectors, Matrix, OnDone, ignore_done
from w2v_cli.vectors.load import open_vectors
from w2v_cli.vectors.packed_words import PackedWords, encode_words
from w2v_cli.vectors.safetensors import Tensor, damaged, load_tensors, read_json, save_tensors

__all__ = [
    "BLOCK_ROWS",
    "MAX_FLOAT16",
    "KeyedVectors",
    "Matrix",
    "OnDone",
    "PackedWords",
    "Tensor",
    "damaged",
    "encode_words",
    "ignore_done",
    "load_tensors",
    "open_vectors",
    "read_json",
    "save_tensors",
]
