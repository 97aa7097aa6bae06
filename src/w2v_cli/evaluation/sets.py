"""Evaluation sets: files of analogy questions, or of pairs of words with human similarity ratings."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError, CorpusError

AnalogyQuestion = tuple[str, str, str, str]  # a is to b as c is to d
WordPair = tuple[str, str, float]  # two words and their rating

_MOST_BYTES = 64 << 20  # questions-words.txt has 0.6 MB
_LONGEST_SHOWN = 60  # characters of a wrong line in a message


@dataclass(frozen=True)
class AnalogySection:
    """A named section of analogy questions."""

    name: str
    questions: tuple[AnalogyQuestion, ...]


@dataclass(frozen=True)
class EvaluationSet:
    """A set of analogy sections or of pairs.

    Attributes:
        name: the name of the set, or of its file.
        sections: its analogy sections; empty for pairs.
        pairs: two words and their rating each; empty for analogies.
    """

    name: str
    sections: tuple[AnalogySection, ...] = ()
    pairs: tuple[WordPair, ...] = ()

    @property
    def words(self) -> list[str]:
        """Every word of the set as written, with repetitions."""
        questions = [word for section in self.sections for question in section.questions for word in question]
        return questions + [word for first, second, _ in self.pairs for word in (first, second)]


def named_sets(data_folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the sets that are downloaded, and of those that are not.

    Args:
        data_folder: The folder of downloaded sets.

    Returns:
        Their names, in the order of the table.
    """
    there: tuple[list[str], list[str]] = ([], [])
    for name, entry in _table().items():
        there[registry.installed_path(entry, data_folder) is None].append(name)
    return there


def changed_files(name: str, data_folder: Path) -> list[Path]:
    """Return the files of a named set whose bytes differ from the published ones; none for a set without a name.

    Args:
        name: The name of a set, or of a file.
        data_folder: The folder of downloaded sets.
    """
    entry = _table().get(name)
    return [] if entry is None else registry.changed_files(entry, data_folder)


def read_sets(sources: Iterable[str], data_folder: Path) -> tuple[EvaluationSet, ...]:
    """Read evaluation sets; the content says of which kind each is.

    Args:
        sources: Names of downloaded sets, or files.
        data_folder: The folder of downloaded sets.

    Returns:
        The sets in the order given.

    Raises:
        ConfigError: A name is that of a corpus, or two sets have the same name.
        CorpusError: A file is missing or not an evaluation set; the message names the line.
    """
    sets = tuple(_read_set(source, data_folder) for source in sources)
    names = [one.name for one in sets]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two evaluation sets are called {name!r}; give each set once, under its own name.")
    return sets


def _table() -> dict[str, registry.Dataset]:
    """Return the registered sets by name."""
    return {name: entry for name, entry in registry.read_table().items() if entry.kind == "evaluation"}


def _read_set(source: str, data_folder: Path) -> EvaluationSet:
    """Return the set of a name or a file."""
    path = _locate(source, data_folder)
    name = path.name if path == Path(source) else source
    number, line = next(_iterate_lines(path), (0, ""))
    fields = line.split()
    if line.startswith(":") or len(fields) == 4:  # noqa: PLR2004 - a, b, c, d
        return EvaluationSet(name, sections=tuple(read_analogy_questions(path)))
    if len(fields) == 3:  # noqa: PLR2004 - two words and a number
        return EvaluationSet(name, pairs=tuple(read_word_pairs(path)))
    if not fields:
        raise CorpusError(f"{path} holds nothing; name a file like questions-words.txt or wordsim353.tsv.")
    raise CorpusError(
        f"{path}:{number}: expected a section of analogy questions (': name') or two words and a number, found "
        f"{_abridged(line)}; name a file like questions-words.txt or wordsim353.tsv."
    )


def _locate(source: str, data_folder: Path) -> Path:
    """Return the file of a set; a registered name takes precedence over a file, which ./NAME means."""
    table = _table()
    if source == "-":
        raise ConfigError("an evaluation set cannot be read from stdin (-); name a file, ./- if that is its name.")
    if source in table:
        path = registry.installed_path(table[source], data_folder)
        if path is None:
            raise CorpusError(f"{source} is not downloaded; run `w2v download {source}`.")
        return path
    if source in registry.read_table():
        raise ConfigError(f"{source} is a corpus, not an evaluation set; choose one of {', '.join(table)}.")
    if not Path(source).exists():
        near = get_close_matches(source, table, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check the name."
        raise CorpusError(f"the evaluation set {source!r} is neither a file nor one of {', '.join(table)}; {hint}")
    return Path(source)


def read_analogy_questions(path: Path) -> list[AnalogySection]:
    """Return the sections of a file like word2vec's questions-words.txt: `: name`, then lines of four words.

    Args:
        path: The file, UTF-8.

    Raises:
        CorpusError: The file is not of this kind; the message names the line.
    """
    sections: list[tuple[str, list[AnalogyQuestion]]] = []
    for number, line in _iterate_lines(path):
        fields = line.split()
        if fields[0].startswith(":"):
            sections.append((line[1:].strip(), []))
        elif not sections:
            raise CorpusError(f"{path}:{number}: a question before the first section; put a line ': name' above it.")
        elif len(fields) != 4:  # noqa: PLR2004 - a, b, c, d
            raise CorpusError(f"{path}:{number}: a question has 4 words, found {len(fields)}: {_abridged(line)}.")
        else:
            a, b, c, d = fields
            sections[-1][1].append((a, b, c, d))
    if not any(questions for _, questions in sections):
        raise CorpusError(f"{path} holds no analogy questions; name a file like questions-words.txt.")
    return [AnalogySection(name, tuple(questions)) for name, questions in sections]


def read_word_pairs(path: Path) -> list[WordPair]:
    """Return the pairs of a file like wordsim353.tsv: lines of two words and a number; `#` begins a comment.

    Args:
        path: The file, UTF-8.

    Raises:
        CorpusError: The file is not of this kind; the message names the line.
    """
    pairs = []
    for number, line in _iterate_lines(path):
        fields = line.split()
        rating = _read_number(fields[2]) if len(fields) == 3 else None  # noqa: PLR2004 - two words and a number
        if rating is None:
            raise CorpusError(f"{path}:{number}: expected two words and a finite number, found {_abridged(line)}.")
        pairs.append((fields[0], fields[1], rating))
    if not pairs:
        raise CorpusError(f"{path} holds no word pairs; name a file like wordsim353.tsv.")
    return pairs


def _iterate_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is neither empty nor a `#` comment; raise CorpusError if unreadable."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CorpusError(f"cannot read the evaluation set {path}: {error.strerror}; check the name.") from error
    if len(content) > _MOST_BYTES:
        raise CorpusError(f"{path} is longer than {_MOST_BYTES:,} bytes; name an evaluation set.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = content.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}:{place} is not UTF-8 text ({error.reason}); name an evaluation set.") from error
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _abridged(line: str) -> str:
    """Return a line for a message, and of a long line the beginning."""
    return repr(line) if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]!r}..."


def _read_number(text: str) -> float | None:
    """Return the finite number that `text` holds; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
