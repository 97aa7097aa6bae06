"""What a config asks to be trained on → the files to read: a corpus by name, the default one, or the user's texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2v_cli.corpus import urls
from w2v_cli.corpus.sources import STDIN, Source, find_sources
from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError

_MOST_NAMES = 100  # in the vectors file


@dataclass(frozen=True)
class CorpusFound:
    """The text that training will read.

    sources: its files, in order; name: of the table of corpora, None for the user's own; is_default: none was asked
    for; asked: what was asked for, as it was.
    """

    sources: tuple[Source, ...]
    name: str | None
    is_default: bool
    asked: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the event for JSON."""
        return {"event": "corpus_found", "source": self.source, "name": self.name}

    @property
    def source(self) -> str | tuple[str, ...]:
        """What finds the same text again, from any folder; stdin remains stdin."""
        if self.name is not None:
            return self.name
        texts = [text if text == STDIN or urls.is_url(text) else str(Path(text).absolute()) for text in self.asked]
        return texts[0] if len(texts) == 1 else tuple(texts)

    @property
    def provenance(self) -> str | list[str]:
        """What a vectors file says of it: names alone, of a folder or a pattern its own."""
        if self.name is not None:
            return self.name
        names = [_name_of(text) for text in self.asked]
        if len(names) > _MOST_NAMES:
            names = [*names[:_MOST_NAMES], f"and {len(names) - _MOST_NAMES} more"]
        return names[0] if len(names) == 1 else names


def _name_of(text: str) -> str:
    """Return the last part of a path or a URL."""
    if text == STDIN:
        return "stdin"
    place = urls.redact_url(text).rstrip("/").rpartition("/")[2] if urls.is_url(text) else Path(text).name
    return place or Path(text).resolve().name


def corpus_settings_for(
    source: str | Sequence[str] | None, data_folder: Path
) -> tuple[str, Mapping[str, object]] | None:
    """Return the name of the corpus that `source` means and the settings its table asks for; None for other texts."""
    name, table = _only(source, data_folder), registry.read_table()
    return (name, table[name].settings) if name in table else None


def find_corpus(source: str | Sequence[str] | None, data_folder: Path) -> CorpusFound:
    """Return the text that `source` means: a corpus name, else texts; None is PTB where it is there, else `demo`.

    A name of the table wins over a file of the same name; ./NAME means the file. Raises CorpusError where something is
    missing, ConfigError where a name is not alone.
    """
    name, table = _only(source, data_folder), registry.read_table()
    if name in table:
        path = str(registry.locate(name, data_folder))
        return CorpusFound((Source(path),), name, is_default=source is None, asked=(name,))
    texts = (source,) if isinstance(source, str) else tuple(source or ())
    for text in texts:
        if text in table:
            raise ConfigError(f"{text} is a corpus of its own: train on it alone, or write ./{text} for a file.")
    names = ", ".join(entry.name for entry in table.values() if entry.kind == "corpus")
    sources = find_sources(texts, hint=f" nor a corpus name ({names})")
    return CorpusFound(sources, None, is_default=False, asked=texts)


def _only(source: str | Sequence[str] | None, data_folder: Path) -> str:
    """Return the one text that is asked for, or the default corpus; nothing where there are several."""
    if source is None:
        return registry.default_corpus(data_folder)
    if isinstance(source, str):
        return source
    return source[0] if len(source) == 1 else ""
