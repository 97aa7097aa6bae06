"""Export and import: choose the format, check what it can hold, then write or read."""

import reprlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli import __version__
from w2v_cli.errors import ConfigError, VectorsError, option
from w2v_cli.system.files import check_output, check_writable, refuse_existing, refuse_input
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.formats import projector
from w2v_cli.vectors.formats.builder import escape
from w2v_cli.vectors.formats.format import ExportOptions, Format, ImportOptions, NumberType
from w2v_cli.vectors.formats.reader import STDIN, ByteStream, open_stream
from w2v_cli.vectors.formats.registry import check_compression, detect, find_format, format_of_name
from w2v_cli.vectors.keyed_vectors import MAX_FLOAT16, KeyedVectors, NumberFormat, iterate_blocks
from w2v_cli.vectors.packed_words import PackedWords

_LONGEST_SHOWN = 80  # characters of a word in a message

OnStep = Callable[[str, int, int | None], object]  # a description of the step, the amount done, the total if known


def _ignore_step(_step: str, _done: int, _total: int | None) -> None:
    """Ignore the progress of a step."""


@dataclass(frozen=True)
class Exported:
    """The result of an export: the format, the type of the numbers, and how many words were changed by escaping."""

    form: Format
    dtype: NumberType
    escaped_words: int


@dataclass(frozen=True)
class ImportedFile:
    """The result of an import: the format and SHA-256 of the file, its vectors, the largest change by rounding."""

    form: Format
    sha256: str
    word_vectors: KeyedVectors
    largest_rounding_error: float


def export_vectors(
    source: str,
    word_vectors: KeyedVectors,
    path: Path,
    *,
    format_name: str | None = None,
    dtype: str | None = None,
    escaped: bool = False,
    overwrite: bool = False,
    on_step: OnStep = _ignore_step,
) -> Exported:
    """Write vectors as a file of another tool, compressed if the path ends in .gz, .bz2, .xz or .zst.

    Args:
        source: The file of the vectors, as messages call it.
        word_vectors: What to write.
        path: The file to write, or the folder for the projector.
        format_name: The name of a format; None means that the end of the path says it.
        dtype: The type of the numbers; None means the format's default.
        escaped: Whether to escape characters that no word of the format can contain.
        overwrite: Whether to replace an existing file.
        on_step: Called with a description of the step, the rows written and the number of all.

    Returns:
        The format, the type of the numbers and the number of escaped words.

    Raises:
        ConfigError: The format is unknown or lacks the type, or the file exists.
        VectorsError: The format cannot hold a word or a number.
        StorageError: The disk refuses.
    """
    form = find_format(format_name) if format_name else format_of_name(path)
    check_compression(path, form)
    number_type = _choose_type(form, dtype)
    for file in form.files(path):
        refuse_existing(file, overwrite=overwrite)
        refuse_input(file, [source])
    check_writable(form.files(path)[0] if path.is_dir() else path)
    if number_type == "float16":
        _check_range(source, word_vectors)
    held, escaped_words = _holdable(source, word_vectors, form, escaped=escaped)
    form.write(path, held, ExportOptions(number_type, overwrite, partial(on_step, f"writing {path.name}")))
    return Exported(form, number_type, escaped_words)


def import_vectors(
    place: str,
    path: Path,
    *,
    format_name: str | None = None,
    dtype: NumberFormat = "float16",
    unescape: bool = False,
    overwrite: bool = False,
    on_step: OnStep = _ignore_step,
) -> ImportedFile:
    """Read vectors of another tool and write them as a vectors file.

    Args:
        place: The file to read, the folder of a projector, or `-` for stdin.
        path: The vectors file to write.
        format_name: The name of a format; None means that the content decides.
        dtype: The type of the numbers to keep.
        unescape: Whether to resolve the escapes of an export.
        overwrite: Whether to replace an existing file.
        on_step: Called with a description of the step, the amount done and the total if known.

    Returns:
        What was read; its vectors are mapped from temporary files.

    Raises:
        VectorsError: The file is damaged or hostile, with the place, or holds no vectors.
        ConfigError: The format is unknown, or `path` exists.
        StorageError: The disk refuses.
    """
    given = find_format(format_name) if format_name else None
    if Path(place).is_dir():
        given, place = projector.FORMAT, str(Path(place, projector.VECTORS))
    check_output(path, inputs=[place], overwrite=overwrite)
    on_read = partial(on_step, f"reading {'stdin' if place == STDIN else Path(place).name}")
    with open_stream(place, on_read) as stream:
        form = given or detect(stream)
        imported = form.read(stream, ImportOptions(path, dtype, unescape, on_read))
        word_vectors = _with_provenance(imported.word_vectors, form, stream)
    on_write = partial(on_step, f"writing {path.name}")
    keyed_vectors.save(path, word_vectors, overwrite=overwrite, dtype=dtype, on_done=on_write)
    return ImportedFile(form, stream.sha256, word_vectors, imported.largest_rounding_error)


def _choose_type(form: Format, dtype: str | None) -> NumberType:
    """Return the type of the numbers to write; raise ConfigError if the format does not have it."""
    if dtype is not None and dtype not in form.dtypes:
        raise ConfigError(
            f"{option('dtype', dtype)}: {form.title} can be written with {' or '.join(form.dtypes)} only."
        )
    return dtype or form.dtypes[0]


def _check_range(source: str, word_vectors: KeyedVectors) -> None:
    """Raise VectorsError for a number that float16 cannot hold."""
    for first, block in iterate_blocks(word_vectors.vectors):
        fits = (np.abs(block) <= MAX_FLOAT16).all(axis=1)
        if not fits.all():
            word_id = first + int(np.argmin(fits))
            raise VectorsError(
                f"{source}: the vector of {reprlib.repr(word_vectors.words[word_id])} (row {word_id:,}) has a number "
                f"beyond the range of float16 ({MAX_FLOAT16:.0f}); drop {option('dtype', 'float16')}."
            )


def _holdable(source: str, word_vectors: KeyedVectors, form: Format, *, escaped: bool) -> tuple[KeyedVectors, int]:
    """Return vectors whose words the format can hold, and the number of words changed by escaping."""
    if escaped:
        words = [escape(word, form.separators) for word in word_vectors.words]
        changed = sum(new != old for new, old in zip(words, word_vectors.words, strict=True))
        return replace(word_vectors, words=words), changed
    for word_id, found in _iterate_unholdable(word_vectors.words, form.separators):
        word = word_vectors.words[word_id]
        raise VectorsError(
            f"{source}: {form.title} cannot hold the word {reprlib.repr(word)} (row {word_id:,}), which contains "
            f"{found!r}; add {option('escape')} to write it as {_abridged(escape(word, form.separators))}, or use npz "
            "or safetensors."
        )
    return word_vectors, 0


def _abridged(word: str) -> str:
    """Return a word, and of a long one the beginning."""
    return word if len(word) <= _LONGEST_SHOWN else f"{word[:_LONGEST_SHOWN]}…"


def _iterate_unholdable(words: Sequence[str], separators: str) -> Iterator[tuple[int, str]]:
    """Yield each pair of a word id and a separator that the word contains."""
    if isinstance(words, PackedWords):  # usually the whole text contains none
        text = words.packed[0].tobytes()
        if not any(separator.encode("ascii") in text for separator in separators):
            return
    for word_id, word in enumerate(words):
        for separator in separators:
            if separator in word:
                yield word_id, separator


def _with_provenance(word_vectors: KeyedVectors, form: Format, stream: ByteStream) -> KeyedVectors:
    """Return vectors whose metadata name the file that they were imported from, beside what the file itself says."""
    origin: dict[str, Any] = {"format": form.name, "sha256": stream.sha256}
    metadata = {"package_version": __version__} | dict(word_vectors.metadata) | {"imported": origin}
    return replace(word_vectors, metadata=metadata)
