"""The book's checkpoint, a pickle of word_vecs, word_to_id and id_to_word, read without calling anything it names."""

import io
import pickle
import pickletools
import reprlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli.errors import VectorsError, option
from w2v_cli.system.files import atomic_write
from w2v_cli.vectors.formats.arrays import Parts, iterate_rows, read_parts
from w2v_cli.vectors.formats.format import ExportOptions, Format, Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, Matrix, check_finite
from w2v_cli.vectors.packed_words import encode_words
from w2v_cli.vectors.safetensors import map_file

MAX_BYTES = 256 << 20  # the book's own file has 2.2 MB
KEYS = {"word_vecs", "word_to_id", "id_to_word"}
NUMPY_TYPES: dict[str, np.dtype[Any]] = {"f2": np.dtype("<f2"), "f4": np.dtype("<f4")}
NESTING_OPCODES = frozenset({"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "REDUCE", "BUILD"})
OPCODES = NESTING_OPCODES | {  # all that the layout needs at protocols 3 to 5
    *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "SHORT_BINUNICODE", "BINUNICODE"),
    *("SHORT_BINBYTES", "BINBYTES", "BYTEARRAY8", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_TUPLE"),
    *("GLOBAL", "STACK_GLOBAL"),
}
FRAME_HEADER_BYTES = 9  # the opcode and its length
MAX_NESTING = 32  # the layout has a dozen; hashing a million nested tuples would overflow the stack
# what pickle and pickletools raise for a damaged pickle
MALFORMED = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError, OverflowError),
    DeprecationWarning,
)


class _Recorded:
    """A stand-in for an object that a pickle asks for: records the arguments and the state, and builds nothing."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Ndarray(_Recorded):
    """Stands in for numpy.ndarray, an argument of `_reconstruct`."""


class _Dtype(_Recorded):
    """Stands in for numpy.dtype: arguments (name, align, copy), state (version, byte order, …)."""


class _Reconstruct(_Recorded):
    """Stands in for an array of protocols 3 and 4: state (version, shape, dtype, is Fortran, bytes)."""


class _FromBuffer(_Recorded):
    """Stands in for an array of protocol 5: arguments (bytes, dtype, shape, order)."""


STAND_INS: dict[str, type[_Recorded]] = {
    "numpy.ndarray": _Ndarray,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _Reconstruct,
    "numpy._core.multiarray._reconstruct": _Reconstruct,
    "numpy.core.numeric._frombuffer": _FromBuffer,
    "numpy._core.numeric._frombuffer": _FromBuffer,
}


class _Unpickler(pickle.Unpickler):
    """Builds dicts, tuples, strings and numbers; returns stand-ins for NumPy's names; refuses every other name."""

    def find_class(self, module: str, name: str) -> type[_Recorded]:
        """Return the stand-in for `module.name`."""
        full_name = f"{module}.{name}"
        if full_name not in STAND_INS:
            raise VectorsError(f"it holds {full_name[:80]!r}, which is not part of the book's layout")
        return STAND_INS[full_name]


def load(path: Path) -> KeyedVectors:
    """Return the vectors of a pickle in the book's layout: float16 or float32 rows, no counts.

    The file cannot run code: only the layout's opcodes are accepted, and NumPy is called by this module alone, after
    the shape has been compared with the number of bytes. Raises VectorsError, naming what else the file holds.
    """
    mapped = map_file(path)
    if len(mapped) > MAX_BYTES:
        raise _refused(path, f"it has {len(mapped):,} bytes, more than {MAX_BYTES:,}")
    content = mapped[:]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # for a backslash in a name, which the layout does not have
            _check_opcodes(content)
        word_vectors = _decode(_Unpickler(io.BytesIO(content)).load())
    except VectorsError as error:
        raise _refused(path, str(error)) from error
    except MALFORMED as error:
        raise _refused(path, f"it is damaged ({' '.join(str(error).split())[:200]})") from error
    check_finite(path, word_vectors)
    return word_vectors


def write(path: Path, word_vectors: KeyedVectors, options: ExportOptions) -> None:
    """Write a pickle in the book's layout; raise VectorsError if it would be too large to be read again."""
    text_bytes = sum(len(word.encode("utf-8")) for word in word_vectors.words)
    number_bytes = 2 if options.dtype == "float16" else 4
    size = word_vectors.vectors.size * number_bytes + text_bytes + 20 * len(word_vectors)
    if size > MAX_BYTES:
        raise VectorsError(
            f"the book's pickle would have {size:,} bytes, and w2v reads pickles of at most {MAX_BYTES:,}; use "
            f"{option('format', 'npz')} or safetensors, which have no such limit."
        )
    words = list(word_vectors.words)
    checkpoint = {
        "word_vecs": np.ascontiguousarray(word_vectors.vectors, options.dtype),
        "word_to_id": {word: word_id for word_id, word in enumerate(words)},
        "id_to_word": dict(enumerate(words)),
    }
    with atomic_write(path, overwrite=options.overwrite) as file:
        pickle.dump(checkpoint, file, protocol=4)


def read(stream: ByteStream, options: ImportOptions) -> Imported:
    """Return the vectors of a pickle in the book's layout; raise VectorsError as `load` does."""
    whole = load(stream.file_path())
    text, offsets = encode_words(whole.words)
    rows, dim = whole.vectors.shape
    parts = Parts((rows, dim), iterate_rows(whole.vectors), text, offsets, None, whole.counts, whole.metadata)
    imported = read_parts(stream.name, parts, options)
    stream.drain()
    return imported


def _refused(path: Path, cause: str) -> VectorsError:
    """Return the error for a pickle in another layout than the book's."""
    return VectorsError(
        f"{path} is a pickle, and the only pickle that w2v reads is the book's checkpoint: {cause}. For a gensim "
        "model, in Python: KeyedVectors.load(…).save_word2vec_format('g.vec'); then `w2v import g.vec`."
    )


def _check_opcodes(content: bytes) -> None:
    """Raise VectorsError for opcodes outside the layout, ValueError for content cut short.

    Walking the opcodes builds nothing, and proves that the bytes promised by a length exist before the unpickler
    allocates memory for them. The number of an object in the memo is such a promise too, so it may not run ahead. If a
    frame ended within an opcode, the unpickler would skip bytes and see other opcodes than these.
    """
    nesting = frame_end = last_place = 0
    for count, (opcode, argument, place) in enumerate(pickletools.genops(content)):
        if opcode.name not in OPCODES:
            raise VectorsError(f"it holds the opcode {opcode.name}, which is not part of the book's layout")
        is_within = (place or 0) < frame_end
        if last_place < frame_end < (place or 0) or (is_within and opcode.name == "FRAME"):
            raise VectorsError(f"its frame ends at byte {frame_end:,}, within an opcode")
        last_place = place or 0
        if opcode.name == "FRAME":
            frame_end = last_place + FRAME_HEADER_BYTES + (argument or 0)
        if opcode.name in ("BINPUT", "LONG_BINPUT") and (argument or 0) > count:
            raise VectorsError(f"it gives an object the number {argument:,} after {count:,} opcodes")
        nesting += opcode.name in NESTING_OPCODES
        if nesting > MAX_NESTING:
            raise VectorsError(f"it holds more than {MAX_NESTING} tuples and objects")


def _decode(checkpoint: object) -> KeyedVectors:
    """Return the vectors of an unpickled `checkpoint`; raise VectorsError if its parts are not the book's."""
    if not isinstance(checkpoint, dict) or set(checkpoint) != KEYS:
        raise VectorsError(f"it holds a {type(checkpoint).__name__}, expected a dict of {', '.join(sorted(KEYS))}")
    words = _decode_words(checkpoint["word_to_id"], checkpoint["id_to_word"])
    return KeyedVectors(_decode_array(checkpoint["word_vecs"]), words, metadata={"format": "the book's pickle"})


def _decode_words(word_to_id: object, id_to_word: object) -> tuple[str, ...]:
    """Return the words in the order of their ids; raise VectorsError unless the dicts are inverse to each other."""
    if not isinstance(word_to_id, dict) or not isinstance(id_to_word, dict):
        raise VectorsError("its word_to_id and id_to_word are not both dicts")
    if {type(word_id) for word_id in id_to_word} != {int} or {type(word) for word in id_to_word.values()} != {str}:
        raise VectorsError("its id_to_word does not map numbers to strings")
    if sorted(id_to_word) != list(range(len(id_to_word))):
        raise VectorsError(f"its ids are not 0 to {len(id_to_word) - 1:,}")
    if word_to_id != {word: word_id for word_id, word in id_to_word.items()}:
        raise VectorsError("its word_to_id and id_to_word contradict each other")
    words = tuple(id_to_word[word_id] for word_id in range(len(id_to_word)))
    "".join(words).encode("utf-8")  # raises UnicodeEncodeError for half a surrogate pair, which a pickle may hold
    return words


def _decode_array(array: object) -> Matrix:
    """Return the matrix that the file describes; raise VectorsError if type, shape and bytes disagree."""
    match array:
        case _Reconstruct(state=(1, (int(rows), int(columns)), dtype, False, bytes(data))):
            pass
        case _FromBuffer(arguments=(bytes() | bytearray() as data, dtype, (int(rows), int(columns)), "C")):
            pass
        case _:
            raise VectorsError("its word_vecs are not a NumPy matrix in row order")
    match dtype:
        case _Dtype(arguments=("f2" | "f4" as name, *_), state=(_, "<", *_)):
            numpy_type = NUMPY_TYPES[name]
        case _:
            found = reprlib.repr(getattr(dtype, "arguments", None))  # may be very long or deeply nested
            raise VectorsError(f"its word_vecs have the type {found}, expected float16")
    if rows < 1 or columns < 1 or rows * columns * numpy_type.itemsize != len(data):
        raise VectorsError(f"its word_vecs claim {rows:,} x {columns:,} values in {len(data):,} bytes")
    matrix: Matrix = np.frombuffer(data, numpy_type).reshape(rows, columns)
    return matrix


FORMAT = Format(
    name="book",
    title="the book's pickle",
    suffixes=(".pkl", ".pickle"),
    dtypes=("float16", "float32"),
    write=write,
    read=read,
    recognises=lambda head: head[:1] == b"\x80",
)
