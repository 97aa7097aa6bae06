"""Files that word vectors are measured by: analogy questions, and pairs of words with people's ratings."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError, CorpusError

AnalogyQuestion = tuple[str, str, str, str]  # a is to b as c is to d
WordPair = tuple[str, str, float]  # two words and how similar people find them

_MOST_BYTES = 64 << 20  # questions-words.txt has 0.6 MB
_LONGEST_SHOWN = 60  # characters of a wrong line in a message


@dataclass(frozen=True)
class AnalogySection:
    """Analogy questions of one kind."""

    name: str
    questions: tuple[AnalogyQuestion, ...]


@dataclass(frozen=True)
class EvaluationSet:
    """A file of one of the two kinds; the other kind's content is empty. name: for people, without folders."""

    name: str
    sections: tuple[AnalogySection, ...] = ()
    pairs: tuple[WordPair, ...] = ()

    @property
    def words(self) -> list[str]:
        """Every word of the set, as it is written there, as often as it comes."""
        questions = [word for section in self.sections for question in section.questions for word in question]
        return questions + [word for first, second, _ in self.pairs for word in (first, second)]


def named_sets(data_folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the sets that are downloaded, and of those that are not."""
    there: tuple[list[str], list[str]] = ([], [])
    for name, entry in _table().items():
        there[registry.installed_path(entry, data_folder) is None].append(name)
    return there


def changed_files(name: str, data_folder: Path) -> list[Path]:
    """Return the files of a named set that have other bytes than the published ones; none for another source."""
    entry = _table().get(name)
    return [] if entry is None else registry.changed_files(entry, data_folder)


def read_sets(sources: Iterable[str], data_folder: Path) -> tuple[EvaluationSet, ...]:
    """Return the sets that `sources` mean: names of downloaded sets, else files; the content says of which kind.

    Raises ConfigError for a name of something else and for two sets of one name, CorpusError for a file that is
    missing or no evaluation set, naming the line.
    """
    sets = tuple(_read_set(source, data_folder) for source in sources)
    names = [one.name for one in sets]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two evaluation sets are called {name!r}: give each a name of its own, and once.")
    return sets


def _table() -> dict[str, registry.Dataset]:
    """Return the sets that have names."""
    return {name: entry for name, entry in registry.read_table().items() if entry.kind == "evaluation"}


def _read_set(source: str, data_folder: Path) -> EvaluationSet:
    """Return one set."""
    path = _locate(source, data_folder)
    name = path.name if path == Path(source) else source
    number, line = next(_iterate_lines(path), (0, ""))
    fields = line.split()
    if line.startswith(":") or len(fields) == 4:  # noqa: PLR2004 - a, b, c, d
        return EvaluationSet(name, sections=tuple(read_analogy_questions(path)))
    if len(fields) == 3:  # noqa: PLR2004 - two words and a number
        return EvaluationSet(name, pairs=tuple(read_word_pairs(path)))
    if not fields:
        raise CorpusError(f"{path} holds nothing: name a file like questions-words.txt or wordsim353.tsv.")
    raise CorpusError(
        f"{path}:{number}: neither a section of analogy questions (': name') nor two words and a number, but "
        f"{_shown(line)}: name a file like questions-words.txt or wordsim353.tsv."
    )


def _locate(source: str, data_folder: Path) -> Path:
    """Return the file of a set: a name of the table wins over a file of the same name; ./NAME means the file."""
    table = _table()
    if source == "-":
        raise ConfigError("an evaluation set is not read from stdin (-): name a file; ./- is one of that name.")
    if source in table:
        path = registry.installed_path(table[source], data_folder)
        if path is None:
            raise CorpusError(f"{source} is not complete in {data_folder}: run `w2v download {source}` first.")
        return path
    if source in registry.read_table():
        raise ConfigError(f"{source} is a corpus, not an evaluation set; there are: {', '.join(table)}.")
    if not Path(source).exists():
        near = get_close_matches(source, table, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check the name."
        raise CorpusError(f"the evaluation set {source!r} is neither a file nor one of {', '.join(table)}: {hint}")
    return Path(source)


def read_analogy_questions(path: Path) -> list[AnalogySection]:
    """Return the sections of a file like word2vec's questions-words.txt: `: name` lines, then four words a line.

    Raises CorpusError naming file and line.
    """
    sections: list[tuple[str, list[AnalogyQuestion]]] = []
    for number, line in _iterate_lines(path):
        fields = line.split()
        if fields[0].startswith(":"):
            sections.append((line[1:].strip(), []))
        elif not sections:
            raise CorpusError(f"{path}:{number}: a question before the first section: put a line ': name' above it.")
        elif len(fields) != 4:  # noqa: PLR2004 - a, b, c, d
            raise CorpusError(f"{path}:{number}: a question has 4 words, this line has {len(fields)}: {_shown(line)}.")
        else:
            a, b, c, d = fields
            sections[-1][1].append((a, b, c, d))
    if not any(questions for _, questions in sections):
        raise CorpusError(f"{path} holds no analogy questions: name a file like questions-words.txt.")
    return [AnalogySection(name, tuple(questions)) for name, questions in sections]


def read_word_pairs(path: Path) -> list[WordPair]:
    """Return the pairs of a file like wordsim353.tsv: two words and a number a line, `#` begins a comment line.

    Raises CorpusError naming file and line.
    """
    pairs = []
    for number, line in _iterate_lines(path):
        fields = line.split()
        rating = _read_number(fields[2]) if len(fields) == 3 else None  # noqa: PLR2004 - two words and a number
        if rating is None:
            raise CorpusError(f"{path}:{number}: a pair is two words and a finite number, this line is {_shown(line)}.")
        pairs.append((fields[0], fields[1], rating))
    if not pairs:
        raise CorpusError(f"{path} holds no word pairs: name a file like wordsim353.tsv.")
    return pairs


def _iterate_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is neither empty nor a `#` comment; raise CorpusError for a bad file."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CorpusError(f"cannot read the evaluation set {path}: {error.strerror}; check the name.") from error
    if len(content) > _MOST_BYTES:
        raise CorpusError(f"{path} is longer than {_MOST_BYTES:,} bytes: name an evaluation set.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = content.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}:{place} is not UTF-8 text ({error.reason}): name an evaluation set.") from error
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _shown(line: str) -> str:
    """Return a line for a message, and of a long one the beginning."""
    return repr(line) if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]!r}..."


def _read_number(text: str) -> float | None:
    """Return the finite number that `text` writes, None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
