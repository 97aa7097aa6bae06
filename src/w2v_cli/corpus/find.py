"""The corpus of a config: a named one from the table, the default one, or the user's own texts."""

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

    Attributes:
        sources: its files, in order.
        name: its name in the table of corpora, None for the user's own texts.
        is_default: whether no corpus was named.
        asked: the texts as the user named them.
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
        """The value of corpus.source that finds the same text from any folder; stdin remains stdin."""
        if self.name is not None:
            return self.name
        texts = [text if text == STDIN or urls.is_url(text) else str(Path(text).absolute()) for text in self.asked]
        return texts[0] if len(texts) == 1 else tuple(texts)

    @property
    def provenance(self) -> str | list[str]:
        """The value in a vectors file: names without their folders; for a folder or a pattern, its own name."""
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
    """Return the name and the settings of the corpus in the table that `source` names; None for other texts."""
    name, table = _only(source, data_folder), registry.read_table()
    return (name, table[name].settings) if name in table else None


def find_corpus(source: str | Sequence[str] | None, data_folder: Path) -> CorpusFound:
    """Return the text of the setting `source`.

    Args:
        source: a corpus of the table by its name, or texts. A name of the table wins over a file of the same name;
            ./NAME means the file. None: PTB if it is installed, else `demo`.
        data_folder: the folder of all datasets.

    Raises:
        CorpusError: a text is missing.
        ConfigError: a corpus of the table is named together with other texts.
    """
    name, table = _only(source, data_folder), registry.read_table()
    if name in table:
        path = str(registry.locate(name, data_folder))
        return CorpusFound((Source(path),), name, is_default=source is None, asked=(name,))
    texts = (source,) if isinstance(source, str) else tuple(source or ())
    for text in texts:
        if text in table:
            raise ConfigError(f"{text} is the name of a corpus: train on it alone, or write ./{text} for a file.")
    names = ", ".join(entry.name for entry in table.values() if entry.kind == "corpus")
    sources = find_sources(texts, hint=f" and no corpus ({names})")
    return CorpusFound(sources, None, is_default=False, asked=texts)


def _only(source: str | Sequence[str] | None, data_folder: Path) -> str:
    """Return the one text in `source`, or the default corpus; an empty string if there are several."""
    if source is None:
        return registry.default_corpus(data_folder)
    if isinstance(source, str):
        return source
    return source[0] if len(source) == 1 else ""
