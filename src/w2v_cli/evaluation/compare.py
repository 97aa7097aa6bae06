"""The scores of several vectors files on several evaluation sets, as lines: a set or a part of it, a score a file."""

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
from w2v_cli.queries.search import AnalogyMethod, Search
from w2v_cli.vectors.keyed_vectors import KeyedVectors

Part = Literal["set", "group", "section"]
OnShare = Callable[[int, str, float], object]  # the number of a file, a set and its method, the share that is done


@dataclass(frozen=True)
class EvaluationOptions:
    """How files are scored: by which methods, among which words, on how many threads.

    ignore_case: capitals make no difference; only_shared: only what all files know is asked.
    """

    methods: tuple[AnalogyMethod, ...] = ("add",)
    restrict: int | None = None
    min_count: int | None = None
    ignore_case: bool = False
    only_shared: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        """Raise ConfigError for what has no meaning."""
        for method in self.methods:
            Search(method=method, restrict=self.restrict, min_count=self.min_count)

    @property
    def content(self) -> dict[str, Any]:
        """What a reader of the scores needs to know, JSON-able."""
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
    """A score of one file: None where it has no meaning; the interval is that of CONFIDENCE.

    asked: questions or pairs whose words are known; skipped: the others; correct: of analogies, those answered so.
    """

    value: float | None
    interval: Interval | None
    asked: int
    skipped: int
    correct: int | None = None

    @property
    def coverage(self) -> float | None:
        """The share that was asked; None of nothing."""
        total = self.asked + self.skipped
        return self.asked / total if total else None

    @property
    def content(self) -> dict[str, Any]:
        """The score, JSON-able."""
        low, high = self.interval or (None, None)
        numbers = {"asked": self.asked, "skipped": self.skipped, "coverage": self.coverage}
        answered = {} if self.correct is None else {"correct": self.correct}
        return {"score": self.value, "low": low, "high": high, **answered, **numbers}


@dataclass(frozen=True)
class ScoreRow:
    """What each file scores on a set, on a group of its sections or on a section.

    method: how analogies were answered, None for pairs, whose score is Spearman's rank correlation.
    """

    set_name: str
    part: Part
    name: str
    method: AnalogyMethod | None
    scores: tuple[Score, ...]


def score_files(
    files: Sequence[KeyedVectors],
    sets: Sequence[EvaluationSet],
    terms: EvaluationOptions,
    on_share: OnShare = lambda _file, _what, _share: None,
) -> Iterator[ScoreRow]:
    """Yield the lines of each set as soon as all files are scored on it: the whole, its groups, its sections.

    Takes memory for the words of the sets and some thousand rows. Raises ConfigError where `terms` do not fit a file.
    """
    known = _find_all(files, sets, terms)
    for one in sets:
        if one.pairs:
            scores = [_of_pairs(score_pairs(words, one.pairs)) for words in known]
            yield ScoreRow(one.name, "set", one.name, None, tuple(scores))
        for method in terms.methods if one.sections else ():
            columns = []
            for number, words in enumerate(known):
                tell = partial(on_share, number, f"{one.name}, {method}")
                found = score_analogies(words, one.sections, method=method, threads=terms.threads, on_share=tell)
                columns.append(_parts(one.name, found))
            for row in zip(*columns, strict=True):
                part, of_first = row[0]
                yield ScoreRow(one.name, part, of_first.name, method, tuple(_of_analogies(score) for _, score in row))


def _find_all(
    files: Sequence[KeyedVectors], sets: Sequence[EvaluationSet], terms: EvaluationOptions
) -> list[KnownWords]:
    """Return the rows that each file has for the words of the sets."""
    words = list(dict.fromkeys(chain.from_iterable(one.words for one in sets)))
    known = [
        find_among(words, one, restrict=terms.restrict, min_count=terms.min_count, ignore_case=terms.ignore_case)
        for one in files
    ]
    if not terms.only_shared:
        return known
    shared = set[str].intersection(*(set(one.ids) for one in known))
    return [replace(one, ids={word: one.ids[word] for word in shared}) for one in known]


def _parts(set_name: str, found: AnalogyScore) -> list[tuple[Part, AnalogySectionScore]]:
    """Return the scores of the set, its groups and its sections."""
    whole = replace(found.total, name=set_name)
    groups: list[tuple[Part, AnalogySectionScore]] = [("group", group) for group in found.groups]
    return [("set", whole), *groups, *(("section", section) for section in found.sections)]


def _of_analogies(found: AnalogySectionScore) -> Score:
    return Score(found.accuracy, found.interval, found.asked, found.skipped, found.correct)


def _of_pairs(found: CorrelationScore) -> Score:
    return Score(found.correlation, found.interval, found.asked, found.skipped)
