"""The formats that vectors are exported to and imported from, what each can hold, and how they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from w2v_cli.errors import ConfigError, VectorsError
from w2v_cli.system.packing import is_packed
from w2v_cli.vectors.formats import checkpoint, finalfusion, glove, npz, own, projector, word2vec_binary, word2vec_text
from w2v_cli.vectors.formats import text as text_module
from w2v_cli.vectors.formats.builder import Imported, ImportOptions
from w2v_cli.vectors.formats.reader import ByteStream
from w2v_cli.vectors.keyed_vectors import KeyedVectors, OnDone
from w2v_cli.vectors.load import is_safetensors

NumberType = Literal["float32", "float16", "int8"]
_HEAD_BYTES = 1 << 16
_ZIP = b"PK\x03\x04"


class Writer(Protocol):
    """Writes vectors in a format, whole or not at all."""

    def __call__(self, path: Path, word_vectors: KeyedVectors, *, dtype: str, overwrite: bool, on_done: OnDone) -> None:
        """Write them to `path`; on_done hears of the rows."""


@dataclass(frozen=True)
class Format:
    """A format: its name and title, the ends of names that say it, the types of number that it is written with.

    The first type is the default. separators: characters (ASCII) that no word of it may contain. files: those that are
    written where a path is named. may_be_packed: whether it is read compressed, and so written.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    dtypes: tuple[NumberType, ...]
    separators: str
    write: Writer
    read: Callable[[ByteStream, ImportOptions], Imported]
    files: Callable[[Path], list[Path]] = lambda path: [path]
    may_be_packed: bool = False


FORMATS = {
    form.name: form
    for form in (
        Format(
            "word2vec",
            "word2vec's text",
            (".w2v.txt", ".word2vec.txt", ".word2vec"),
            ("float32", "float16"),
            text_module.SEPARATORS,
            word2vec_text.write,
            word2vec_text.read,
            may_be_packed=True,
        ),
        Format(
            "word2vec-binary",
            "word2vec's binary file",
            (".bin",),
            ("float32",),
            word2vec_binary.SEPARATORS,
            word2vec_binary.write,
            word2vec_binary.read,
            may_be_packed=True,
        ),
        Format(
            "fasttext",
            "fastText's .vec",
            (".vec",),
            ("float32", "float16"),
            text_module.SEPARATORS,
            word2vec_text.write,
            word2vec_text.read,
            may_be_packed=True,
        ),
        Format(
            "glove",
            "GloVe's text",
            (".glove.txt", ".glove"),
            ("float32", "float16"),
            text_module.SEPARATORS,
            glove.write,
            glove.read,
            may_be_packed=True,
        ),
        Format(
            "npz",
            "NumPy's .npz",
            (".npz",),
            ("float16", "float32", "int8"),
            "",
            npz.write,
            npz.read,
        ),
        Format(
            "safetensors",
            "safetensors",
            (".safetensors",),
            ("float16", "float32", "int8"),
            "",
            own.write,
            own.read,
        ),
        Format(
            "book",
            "the book's pickle",
            (".pkl", ".pickle"),
            ("float16", "float32"),
            "",
            checkpoint.write,
            checkpoint.read,
        ),
        Format(
            "projector",
            "TensorFlow's projector",
            (),
            ("float32", "float16"),
            projector.SEPARATORS,
            projector.write,
            projector.read,
            projector.files,
        ),
        Format(
            "finalfusion",
            "finalfusion's file",
            (".fifu", ".finalfusion"),
            ("float32",),
            "",
            finalfusion.write,
            finalfusion.read,
        ),
    )
}


def find_format(name: str) -> Format:
    """Return the format of that name; raise ConfigError where there is none."""
    if name not in FORMATS:
        raise ConfigError(f"--format {name!r} is none: there are {', '.join(FORMATS)}.")
    return FORMATS[name]


def format_of_name(path: Path) -> Format:
    """Return the format that the end of a file's name says; raise ConfigError where it says none.

    >>> format_of_name(Path("novels.vec")).name, format_of_name(Path("novels.bin.gz")).name
    ('fasttext', 'word2vec-binary')
    """
    name = (path.stem if is_packed(path) else path.name).lower()
    for form in FORMATS.values():
        if name.endswith(form.suffixes):
            return form
    raise ConfigError(f"the name {path} does not say its format: give --format, one of {', '.join(FORMATS)}.")


def check_packing(path: Path, form: Format) -> None:
    """Raise ConfigError where a file's name says that it is compressed, and its format is not read so."""
    if is_packed(path) and not form.may_be_packed:
        raise ConfigError(f"{path}: {form.title} is not read compressed, and not written so: leave out {path.suffix}.")


def detect(stream: ByteStream) -> Format:
    """Return the format of what is to be imported, by its first bytes; raise VectorsError where it is none."""
    head = stream.peek(_HEAD_BYTES)
    if head.startswith(_ZIP):
        return FORMATS["npz"]
    if head.startswith(finalfusion.MAGIC):
        return FORMATS["finalfusion"]
    if is_safetensors(head):
        return FORMATS["safetensors"]
    if head[:1] == b"\x80":
        return FORMATS["book"]
    first, _, rest = head.partition(b"\n")
    if is_header(first):
        return FORMATS["word2vec" if _is_line_of_numbers(rest) else "word2vec-binary"]
    if _is_line_of_numbers(head):
        return FORMATS["glove"]
    raise VectorsError(
        f"{stream.label} begins like no format that w2v imports ({', '.join(FORMATS)}); where it is one, name it by "
        f"--format."
    )


def is_header(line: bytes) -> bool:
    r"""Return whether a line is the number of words and that of dimensions.

    >>> is_header(b"400000 100\r")
    True
    """
    numbers = line.removeprefix(b"\xef\xbb\xbf").split()
    return len(numbers) == 2 and all(number.isdigit() for number in numbers)  # noqa: PLR2004


def _is_line_of_numbers(text: bytes) -> bool:
    """Return whether `text` begins with a line (or the beginning of one) whose second half are numbers."""
    line, end, _ = text.partition(b"\n")
    fields = line.split() if end else line.split()[:-1]
    numbers = fields[max(1, len(fields) // 2) :]
    return bool(numbers) and all(text_module.is_number(field) for field in numbers)
