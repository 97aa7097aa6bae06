"""The scores of several vectors files on evaluation sets: a row for each set and part, a score for each file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Literal

from w2v_cli import __version__
from w2v_cli.evaluation.intervals import CONFIDENCE, Interval
from w2v_cli.evaluation.lookup import KnownWords, find_among
from w2v_cli.evaluation.metrics import AnalogyScore, AnalogySectionScore, CorrelationScore, score_analogies, score_pairs
from w2v_cli.evaluation.sets import EvaluationSet
from w2v_cli.queries import AnalogyMethod, Search
from w2v_cli.vectors import KeyedVectors

Part = Literal["set", "group", "section"]
OnShare = Callable[[int, str, float], object]  # the number of a file, the set and the method, the share done


@dataclass(frozen=True)
class EvaluationOptions:
    """Options of an evaluation.

    Args:
        methods: How analogies are answered.
        restrict: Only this many of the most frequent words are asked and can be answers.
        min_count: Only words that occur at least this often are asked and can be answers.
        ignore_case: Whether words that differ in case alone are the same.
        only_shared: Whether to ask only what every file knows.
        threads: The number of threads.

    Raises:
        ConfigError: A number is below 1, or a method is unknown.
    """

    methods: tuple[AnalogyMethod, ...] = ("add",)
    restrict: int | None = None
    min_count: int | None = None
    ignore_case: bool = False
    only_shared: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        """Raise ConfigError for an invalid option."""
        for method in self.methods:
            Search(method=method, restrict=self.restrict, min_count=self.min_count)

    @property
    def content(self) -> dict[str, Any]:
        """The options that a reader of the scores needs, as JSON."""
        return {
            "evaluator": f"w2v {__version__}",
            "confidence": CONFIDENCE,
            "restrict": self.restrict,
            "min_count": self.min_count,
            "ignore_case": self.ignore_case,
            "only_shared": self.only_shared,
        }


@dataclass(frozen=True)
class Score:
    """The score of one file.

    Attributes:
        value: the accuracy or the rank correlation, None if not defined.
        interval: its confidence interval, of CONFIDENCE.
        asked: questions or pairs whose words are all known.
        skipped: questions or pairs with an unknown word.
        correct: analogies answered as expected; None for pairs.
    """

    value: float | None
    interval: Interval | None
    asked: int
    skipped: int
    correct: int | None = None

    @property
    def coverage(self) -> float | None:
        """The share of questions or pairs that were asked; None if the set has none."""
        total = self.asked + self.skipped
        return self.asked / total if total else None

    @property
    def content(self) -> dict[str, Any]:
        """The score as JSON."""
        low, high = self.interval or (None, None)
        numbers = {"asked": self.asked, "skipped": self.skipped, "coverage": self.coverage}
        answered = {} if self.correct is None else {"correct": self.correct}
        return {"score": self.value, "low": low, "high": high, **answered, **numbers}


@dataclass(frozen=True)
class ScoreRow:
    """The scores of all files on a set, on a group of its sections or on a section.

    Attributes:
        set_name: the name of the set.
        part: whether the row is of the set, a group or a section.
        name: the name of that part.
        method: how analogies were answered; None for pairs, whose score is Spearman's rank correlation.
        scores: the score of each file.
    """

    set_name: str
    part: Part
    name: str
    method: AnalogyMethod | None
    scores: tuple[Score, ...]


def score_files(
    files: Sequence[KeyedVectors],
    sets: Sequence[EvaluationSet],
    options: EvaluationOptions,
    on_share: OnShare = lambda _file, _what, _share: None,
) -> Iterator[ScoreRow]:
    """Score files on sets, in memory for the words of the sets and a few thousand rows.

    Args:
        files: The vectors of each file.
        sets: The evaluation sets.
        options: Methods, words and threads.
        on_share: Called with the number of a file, the set and the method, and the share of the work done.

    Yields:
        The rows of a set as soon as all files are scored on it: the whole, its groups, its sections.

    Raises:
        ConfigError: `options.min_count` is set, and a file has no counts.
    """
    known = _find_all(files, sets, options)
    for one in sets:
        if one.pairs:
            scores = [_of_pairs(score_pairs(words, one.pairs)) for words in known]
            yield ScoreRow(one.name, "set", one.name, None, tuple(scores))
        for method in options.methods if one.sections else ():
            columns = []
            for number, words in enumerate(known):
                report = partial(on_share, number, f"{one.name}, {method}")
                found = score_analogies(words, one.sections, method=method, threads=options.threads, on_share=report)
                columns.append(_parts(one.name, found))
            for row in zip(*columns, strict=True):
                part, of_first = row[0]
                yield ScoreRow(one.name, part, of_first.name, method, tuple(_of_analogies(score) for _, score in row))


def _find_all(
    files: Sequence[KeyedVectors], sets: Sequence[EvaluationSet], options: EvaluationOptions
) -> list[KnownWords]:
    """Return for each file the rows of the words of the sets."""
    words = list(dict.fromkeys(chain.from_iterable(one.words for one in sets)))
    known = [
        find_among(words, one, restrict=options.restrict, min_count=options.min_count, ignore_case=options.ignore_case)
        for one in files
    ]
    if not options.only_shared:
        return known
    shared = set[str].intersection(*(set(one.ids) for one in known))
    return [replace(one, ids={word: one.ids[word] for word in shared}) for one in known]


def _parts(set_name: str, found: AnalogyScore) -> list[tuple[Part, AnalogySectionScore]]:
    """Return the scores of a set, its groups and its sections."""
    whole = replace(found.total, name=set_name)
    groups: list[tuple[Part, AnalogySectionScore]] = [("group", group) for group in found.groups]
    return [("set", whole), *groups, *(("section", section) for section in found.sections)]


def _of_analogies(found: AnalogySectionScore) -> Score:
    """Return the score of analogies."""
    return Score(found.accuracy, found.interval, found.asked, found.skipped, found.correct)


def _of_pairs(found: CorrelationScore) -> Score:
    """Return the score of pairs."""
    return Score(found.correlation, found.interval, found.asked, found.skipped)
