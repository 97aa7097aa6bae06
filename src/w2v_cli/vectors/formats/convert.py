"""Export and import: what is asked for → which format, which type of number, which words; then writing or reading."""

import reprlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli import __version__
from w2v_cli.errors import ConfigError, VectorsError
from w2v_cli.system.files import check_output, check_writable, refuse_existing, refuse_input
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.formats import projector
from w2v_cli.vectors.formats.builder import ImportOptions
from w2v_cli.vectors.formats.escaping import escape
from w2v_cli.vectors.formats.reader import STDIN, ByteStream, open_stream
from w2v_cli.vectors.formats.registry import FORMATS, Format, check_packing, detect, find_format, format_of_name
from w2v_cli.vectors.keyed_vectors import MAX_FLOAT16, KeyedVectors, NumberFormat, iterate_blocks
from w2v_cli.vectors.packed_words import PackedWords

_LONGEST_SHOWN = 80  # characters of a word

OnStep = Callable[[str, int, int | None], object]  # what is done; so much of it, of so much: see vectors.OnDone


def _ignore_step(_doing: str, _done: int, _total: int | None) -> None:
    pass


@dataclass(frozen=True)
class Exported:
    """What was written: its format, the type of its numbers, and how many words had to be escaped."""

    form: Format
    dtype: str
    escaped_words: int


@dataclass(frozen=True)
class ImportedFile:
    """What was read and written: where from, and by how much rounding has changed a number at the most."""

    form: Format
    sha256: str
    word_vectors: KeyedVectors
    largest_rounding_error: float


def export_vectors(
    source: str,
    word_vectors: KeyedVectors,
    path: Path,
    *,
    name: str | None,
    dtype: str | None,
    escaped: bool,
    overwrite: bool,
    on_step: OnStep = _ignore_step,
) -> Exported:
    """Write `word_vectors`, of the file `source`, to `path` in the format of that name, or of the path's name.

    Compressed where the path ends in .gz, .bz2, .xz or .zst.
    Raises ConfigError for a format or a type that is none, VectorsError for a word that the format cannot hold, unless
    words are to be escaped; StorageError where the disk refuses.
    """
    form = find_format(name) if name else format_of_name(path)
    check_packing(path, form)
    wanted = _choose_type(form, dtype)
    for file in form.files(path):
        refuse_existing(file, overwrite=overwrite)
        refuse_input(file, [source])
    check_writable(form.files(path)[0] if path.is_dir() else path)
    if wanted == "float16":
        _check_range(source, word_vectors)
    held, escaped_words = _holdable(source, word_vectors, form, escaped=escaped)
    form.write(path, held, dtype=wanted, overwrite=overwrite, on_done=partial(on_step, f"writing {path.name}"))
    return Exported(form, wanted, escaped_words)


def import_vectors(
    place: str,
    path: Path,
    *,
    name: str | None,
    dtype: NumberFormat,
    unescape: bool,
    overwrite: bool,
    on_step: OnStep = _ignore_step,
) -> ImportedFile:
    """Read vectors of another tool from a file, or from stdin for `-`, and write them to `path` as w2v's own.

    Raises VectorsError, with the place, for what is damaged, hostile or no vectors; ConfigError for a format that is
    none or an existing `path`; StorageError where the disk refuses.
    """
    given = find_format(name) if name else None
    if Path(place).is_dir():
        given, place = FORMATS["projector"], str(Path(place, projector.VECTORS))
    check_output(path, inputs=[place], overwrite=overwrite)
    reading = partial(on_step, f"reading {'stdin' if place == STDIN else Path(place).name}")
    with open_stream(place, reading) as stream:
        form = given or detect(stream)
        imported = form.read(stream, ImportOptions(path, dtype, unescape, reading))
        word_vectors = _with_provenance(imported.word_vectors, form, stream)
    writing = partial(on_step, f"writing {path.name}")
    keyed_vectors.save(path, word_vectors, overwrite=overwrite, dtype=dtype, on_done=writing)
    return ImportedFile(form, stream.sha256, word_vectors, imported.largest_rounding_error)


def _choose_type(form: Format, dtype: str | None) -> str:
    if dtype is not None and dtype not in form.dtypes:
        raise ConfigError(f"--dtype {dtype}: {form.title} is written with {' or '.join(form.dtypes)}.")
    return dtype or form.dtypes[0]


def _check_range(source: str, word_vectors: KeyedVectors) -> None:
    """Raise VectorsError for a number that would become infinite as float16."""
    for first, block in iterate_blocks(word_vectors.vectors):
        fits = (np.abs(block) <= MAX_FLOAT16).all(axis=1)
        if not fits.all():
            word_id = first + int(np.argmin(fits))
            raise VectorsError(
                f"{source}: the vector of {reprlib.repr(word_vectors.words[word_id])} (row {word_id:,}) has a number "
                f"beyond {MAX_FLOAT16:.0f}, where float16 ends: leave out --dtype float16."
            )


def _holdable(source: str, word_vectors: KeyedVectors, form: Format, *, escaped: bool) -> tuple[KeyedVectors, int]:
    """Return vectors whose words the format can hold, and how many words differ from what they were."""
    if escaped:
        words = [escape(word, form.separators) for word in word_vectors.words]
        changed = sum(new != old for new, old in zip(words, word_vectors.words, strict=True))
        return replace(word_vectors, words=words), changed
    for word_id, found in _iterate_unholdable(word_vectors.words, form.separators):
        word = word_vectors.words[word_id]
        raise VectorsError(
            f"{source}: the word {reprlib.repr(word)} (row {word_id:,}) contains {found!r}, which no word of "
            f"{form.title} can: --escape writes it as {_shortened(escape(word, form.separators))}; npz and "
            f"safetensors hold every word."
        )
    return word_vectors, 0


def _shortened(word: str) -> str:
    """Return a word as it is, or the beginning of a long one."""
    return word if len(word) <= _LONGEST_SHOWN else f"{word[:_LONGEST_SHOWN]}…"


def _iterate_unholdable(words: Sequence[str], separators: str) -> Iterator[tuple[int, str]]:
    """Yield the id of each word that contains a separator, and the separator."""
    if isinstance(words, PackedWords):  # mostly there is none in the whole text
        text = words.packed[0].tobytes()
        if not any(separator.encode("ascii") in text for separator in separators):
            return
    for word_id, word in enumerate(words):
        for separator in separators:
            if separator in word:
                yield word_id, separator


def _with_provenance(word_vectors: KeyedVectors, form: Format, stream: ByteStream) -> KeyedVectors:
    """Return vectors whose metadata say what they were made of; what the file itself says stays."""
    origin: dict[str, Any] = {"format": form.name, "sha256": stream.sha256}
    metadata = {"package_version": __version__} | dict(word_vectors.metadata) | {"imported": origin}
    return replace(word_vectors, metadata=metadata)
