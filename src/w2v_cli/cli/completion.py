"""What the shell proposes at the Tab key: corpora, configs, settings, evaluation sets, words of the vectors file.

Where none of our names fits, nothing is proposed, and the shell proposes files.
"""

from collections.abc import Iterable
from pathlib import Path

import typer

from w2v_cli.cli.candidates import datasets_of, is_plain, settings_of, words_of
from w2v_cli.config.shipped import shipped_configs


def complete_corpus(incomplete: str) -> list[str]:
    """Return the corpora that begin so, and the files beside them."""
    return _names_and_files(datasets_of("corpus"), incomplete)


def complete_config(incomplete: str) -> list[str]:
    """Return the shipped configs that begin so, and the files beside them."""
    return _names_and_files(shipped_configs(), incomplete)


def complete_setting(incomplete: str) -> list[str]:
    """Return the settings that begin so, for --set, each with the sign that its value follows."""
    return [f"{key}=" for key in _beginning(settings_of(shipped_configs()["default"]), incomplete)]


def complete_set(incomplete: str) -> list[str]:
    """Return the evaluation sets that begin so, and the files beside them."""
    return _names_and_files(datasets_of("evaluation"), incomplete)


def complete_dataset(incomplete: str) -> list[str]:
    """Return all that `w2v download` knows and that begins so."""
    return _beginning(datasets_of("corpus") + datasets_of("evaluation"), incomplete)


def complete_word(context: typer.Context, incomplete: str) -> list[str]:
    """Return words that begin so, the most frequent first, of the file that --vectors names or of w2v.safetensors."""
    named = context.params.get("vectors") or "w2v.safetensors"
    first = named[0] if isinstance(named, list | tuple) else named
    return words_of(Path(first).expanduser(), incomplete)


def _names_and_files(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin so, and behind them the files of this folder that do; nothing without a name."""
    found = _beginning(names, incomplete)
    if not found:
        return []
    files = sorted(path.name + "/" * path.is_dir() for path in Path.cwd().iterdir() if is_plain(path.name))
    return found + _beginning(files, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
