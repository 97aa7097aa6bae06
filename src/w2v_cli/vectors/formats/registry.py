"""The table of formats that vectors are exported to and imported from.

A new format is a module with a `Format`, and an entry in FORMATS.
"""

from pathlib import Path

from w2v_cli.errors import ConfigError, VectorsError, option
from w2v_cli.system.compression import has_compressed_name
from w2v_cli.vectors.formats import book_pickle, finalfusion, npz, own, projector, text, word2vec_binary
from w2v_cli.vectors.formats.format import Format
from w2v_cli.vectors.formats.reader import ByteStream

FORMATS = {
    form.name: form
    for form in (
        text.WORD2VEC,
        word2vec_binary.FORMAT,
        text.FASTTEXT,
        text.GLOVE,
        npz.FORMAT,
        own.FORMAT,
        book_pickle.FORMAT,
        projector.FORMAT,
        finalfusion.FORMAT,
    )
}
_HEAD_BYTES = 1 << 16


def find_format(name: str) -> Format:
    """Return the format named `name`; raise ConfigError for an unknown name."""
    if name not in FORMATS:
        raise ConfigError(f"{option('format', name)} is unknown; choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def format_of_name(path: Path) -> Format:
    """Return the format selected by the end of a file name; raise ConfigError if no format has that suffix.

    >>> format_of_name(Path("novels.vec")).name, format_of_name(Path("novels.bin.gz")).name
    ('fasttext', 'word2vec-binary')
    """
    name = (path.stem if has_compressed_name(path) else path.name).lower()
    for form in FORMATS.values():
        if name.endswith(form.suffixes):
            return form
    raise ConfigError(
        f"the name {path} does not say its format; add {option('format')} with one of {', '.join(FORMATS)}."
    )


def check_compression(path: Path, form: Format) -> None:
    """Raise ConfigError if the name asks for compression, and the format cannot be read compressed."""
    if has_compressed_name(path) and not form.may_be_compressed:
        raise ConfigError(f"{path}: {form.title} cannot be compressed: its parts are looked up; drop {path.suffix}.")


def detect(stream: ByteStream) -> Format:
    """Return the format of a stream, judged by its first bytes; raise VectorsError if no format recognises them."""
    head = stream.peek(_HEAD_BYTES)
    # Formats that cannot be compressed begin with a magic number; only without one is a file read as text.
    for form in sorted(FORMATS.values(), key=lambda form: form.may_be_compressed):
        if form.recognises(head):
            return form
    raise VectorsError(
        f"{stream.name} looks like none of the formats that w2v imports ({', '.join(FORMATS)}); if it is one of them, "
        f"name it with {option('format')}."
    )
