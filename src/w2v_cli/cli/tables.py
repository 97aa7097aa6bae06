"""Tables of answers and scores: aligned columns on a terminal, tab-separated lines elsewhere."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v_cli.cli import console
from w2v_cli.cli.ask_inputs import OpenFile, answer_questions, is_single
from w2v_cli.errors import UnknownWordError

if TYPE_CHECKING:
    from w2v_cli.evaluation import Score, ScoreRow
    from w2v_cli.queries import Answer, Neighbour, Search, Sum

_ANSWER_GAP = 3  # columns between the answers of two files
_GAP = "  "
_INDENT = "  "  # of the parts of a set
_HEADINGS = ("score", "95 %", "asked")

_Cells = Sequence[tuple[str, ...]]  # of a file: headings, then a row for each line


def show_neighbours(neighbours: Sequence["Neighbour"], *, score_name: str) -> None:
    """Write words and scores: aligned under a heading on a terminal, else tab-separated."""
    if not neighbours:
        console.note("No other word to show.")
        return
    rows = [(neighbour.word, f"{neighbour.score:.4f}") for neighbour in neighbours]
    if not sys.stdout.isatty():
        console.write("\n".join(tabbed(*row) for row in rows))
        return
    longest = max(console.cell_width(console.printable(word)) for word, _ in rows)
    console.note(f"{'word':<{longest}}  {score_name:>10}")
    console.write("\n".join(aligned(rows, score_width=10)))


def tabbed(*cells: object) -> str:
    """Return a line of cells separated by tabs; tabs inside cells are escaped."""
    return "\t".join(console.printable(str(cell)) for cell in cells)


def aligned(rows: Sequence[tuple[str, str]], *, score_width: int = 0) -> list[str]:
    """Return a line for each word and its score, in two columns."""
    words = [console.printable(word) for word, _ in rows]
    longest = max(map(console.cell_width, words), default=0)
    padded = [word + " " * (longest - console.cell_width(word)) for word in words]
    return [f"{word}  {score:>{score_width}}" for word, (_, score) in zip(padded, rows, strict=True)]


@dataclass(frozen=True)
class AnswerDisplay:
    """Answers questions with neighbours and writes them.

    Attributes:
        command: the command, for JSON.
        list_name: what JSON calls the answers.
        score_name: what JSON and headings call their numbers.
        files: the files that answer, side by side.
        as_json: whether to write JSON instead of text.
    """

    command: str
    list_name: str
    score_name: str
    files: Sequence[OpenFile]
    as_json: bool

    def answer(
        self,
        arguments: Sequence[str],
        search: "Search",
        *,
        read: Callable[[str], "Sum"],
        describe: Callable[["Sum"], dict[str, Any]],
    ) -> None:
        """Answer all questions; see answer_questions for failures.

        Args:
            arguments: the questions.
            search: what to look for.
            read: parses a question.
            describe: returns the JSON of a question.
        """
        from w2v_cli.queries import ask_files

        opened, is_only = [file.word_vectors for file in self.files], is_single(arguments)

        def show(question: "Sum", answers: Sequence["Answer"]) -> None:
            if self.as_json:
                console.write_json(self.command, describe(question) | self._content(answers))
            else:
                self._show(question.text, answers, is_only=is_only)

        answer_questions(
            self.command,
            arguments,
            read=read,
            answer=lambda questions: ask_files(opened, questions, search),
            show=show,
            as_json=self.as_json,
        )

    def _show(self, label: str, answers: Sequence["Answer"], *, is_only: bool) -> None:
        """Write the answers of each file to a question; a single question needs no label."""
        for file, answer in zip(self.files, answers, strict=True):
            if isinstance(answer, UnknownWordError):
                console.warn(f"{file.path}: {answer}")
        lists = [[] if isinstance(answer, UnknownWordError) else answer for answer in answers]
        if len(lists) == 1 and is_only:
            show_neighbours(lists[0], score_name=self.score_name)
        elif not any(lists):
            console.note(f"{console.printable(label)}: no other word to show.")
        elif sys.stdout.isatty():
            self._show_columns("" if is_only else label, lists)
        else:
            first = [] if is_only else [label]
            console.write("\n".join(tabbed(*first, *cells) for cells in _rows(lists)))

    @property
    def _paths(self) -> list[Path]:
        return [file.path for file in self.files]

    def _content(self, answers: Sequence["Answer"]) -> dict[str, Any]:
        """Return the JSON of the answers."""
        from w2v_cli.queries import shared_words

        files = [self._of_file(path, answer) for path, answer in zip(self._paths, answers, strict=True)]
        if len(files) == 1:
            return {key: value for key, value in files[0].items() if key != "suggestions"}
        return {"files": files, "shared": shared_words(answers)}

    def _of_file(self, path: Path, answer: "Answer") -> dict[str, Any]:
        """Return the JSON of one file's answer."""
        if isinstance(answer, UnknownWordError):
            return {"vectors": str(path), self.list_name: None, "suggestions": list(answer.suggestions)}
        found = [{"word": neighbour.word, self.score_name: neighbour.score} for neighbour in answer]
        return {"vectors": str(path), self.list_name: found, "suggestions": []}

    def _show_columns(self, label: str, lists: Sequence[list["Neighbour"]]) -> None:
        """Write aligned columns, the files side by side if the terminal is wide enough, else one below the other."""
        indent = "  " if label else ""
        if label:
            console.write(console.printable(label))
        blocks = [aligned([(one.word, f"{one.score:.4f}") for one in answers]) for answers in lists]
        if len(lists) > 1:
            names = [console.printable(path.name) for path in self._paths]
            blocks = [[name, *block] for name, block in zip(names, blocks, strict=True)]
        widths = [max(map(console.cell_width, block), default=0) for block in blocks]
        if len(indent) + sum(widths) + _ANSWER_GAP * (len(widths) - 1) <= shutil.get_terminal_size().columns:
            blocks = [[_joined(cells, widths) for cells in zip_longest(*blocks, fillvalue="")]]
        console.write("\n".join(indent + line for block in blocks for line in block))


def _rows(lists: Sequence[list["Neighbour"]]) -> list[list[str]]:
    """Return rows of word and number for each file, empty once a file has no more answers."""
    cells = [[[one.word, f"{one.score:.4f}"] for one in answers] for answers in lists]
    return [[cell for pair in pairs for cell in pair] for pairs in zip_longest(*cells, fillvalue=["", ""])]


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a line with each cell padded to the width of its column."""
    padded = [cell + " " * (width - console.cell_width(cell)) for cell, width in zip(cells, widths, strict=True)]
    return (" " * _ANSWER_GAP).join(padded).rstrip()


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return the files' names, with as many parent folders as needed to tell them apart.

    >>> distinct_names([Path("a/x"), Path("b/x"), Path("b/y")])
    ['a/x', 'b/x', 'y']
    """
    sizes = [1] * len(paths)
    while True:
        names = [str(Path(*path.parts[-size:])) for path, size in zip(paths, sizes, strict=True)]
        longer = [
            place
            for place, name in enumerate(names)
            if names.count(name) > 1 and sizes[place] < len(paths[place].parts)
        ]
        if not longer:
            return names
        for place in longer:
            sizes[place] += 1


def tabbed_scores(lines: Sequence["ScoreRow"], names: Sequence[str]) -> Iterator[str]:
    """Yield a tab-separated table: headings, then a line for each part of a set, with five columns for each file."""
    columns = ("score", "low", "high", "asked", "skipped")
    headings = [f"{name} {column}" if len(names) > 1 else column for name in names for column in columns]
    yield tabbed("set", "section", "measure", *headings)
    for line in lines:
        section = "all" if line.part == "set" else line.name
        cells = [cell for score in line.scores for cell in _plain_cells(score)]
        yield tabbed(line.set_name, section, line.method or "spearman", *cells)


def aligned_scores(lines: Sequence["ScoreRow"], names: Sequence[str]) -> list[str]:
    """Return an aligned table, in the first form that fits the terminal.

    The forms: files side by side with the share that was asked; the same without intervals; files one below the other
    with the numbers that were asked; a line for each number.
    """
    labels, titles = [_label(line) for line in lines], [console.printable(name) for name in names]
    by_file = list(zip(*(line.scores for line in lines), strict=True))
    numbers = [[_HEADINGS, *((_value(one), _interval(one), _numbers(one)) for one in scores)] for scores in by_file]
    forms = [_below(labels, titles, numbers), _lists(labels, titles, numbers)]
    if len(names) > 1:
        shares = [[_HEADINGS, *((_value(one), _interval(one), _share(one)) for one in scores)] for scores in by_file]
        short = [[(value, share) for value, _, share in cells] for cells in shares]
        forms = [_beside(labels, titles, shares), _beside(labels, titles, short), *forms]
    room = shutil.get_terminal_size().columns
    return next((form for form in forms if max(map(console.cell_width, form)) <= room), forms[-1])


def _label(line: "ScoreRow") -> str:
    if line.part == "set":
        return console.printable(line.name) + (f", {line.method}" if line.method else "")
    return _INDENT + console.printable(line.name)


def _plain_cells(score: "Score") -> tuple[str, str, str, str, str]:
    """Return score, interval and numbers; empty if there is none."""
    low, high = score.interval or (None, None)
    numbers = ["" if number is None else f"{number:.4f}" for number in (score.value, low, high)]
    return numbers[0], numbers[1], numbers[2], str(score.asked), str(score.skipped)


def _value(score: "Score") -> str:
    return "-" if score.value is None else f"{score.value:.3f}"


def _interval(score: "Score") -> str:
    return "" if score.interval is None else "{:.3f}–{:.3f}".format(*score.interval)


def _numbers(score: "Score") -> str:
    return f"{score.asked:,} of {score.asked + score.skipped:,}"


def _share(score: "Score") -> str:
    return "" if score.coverage is None else f"{100 * score.coverage:.0f} %"


def _beside(labels: Sequence[str], titles: Sequence[str], files: Sequence[_Cells]) -> list[str]:
    """Return a table with a group of columns for each file."""
    groups = [_left_aligned(["", "", *labels])]
    groups += [_left_aligned([title, *_columns(cells, gap=" ")]) for title, cells in zip(titles, files, strict=True)]
    return [_GAP.join(row).rstrip() for row in zip(*groups, strict=True)]


def _below(labels: Sequence[str], titles: Sequence[str], files: Sequence[_Cells]) -> list[str]:
    """Return a table for each file, one below the other, each under its name if there are several."""
    table = []
    for title, cells in zip(titles, files, strict=True):
        table += [title] if len(titles) > 1 else []
        rows = zip(_left_aligned(["", *labels]), _columns(cells, gap=_GAP), strict=True)
        table += [_GAP.join(row) for row in rows]
    return table


def _lists(labels: Sequence[str], titles: Sequence[str], files: Sequence[_Cells]) -> list[str]:
    """Return a line for each number, for a terminal too narrow for a table."""
    table = []
    for title, (_, *rows) in zip(titles, files, strict=True):
        table += [title] if len(titles) > 1 else []
        for label, cells in zip(labels, rows, strict=True):
            table += [label, *(_INDENT + _INDENT + cell for cell in cells if cell)]
    return table


def _columns(rows: _Cells, gap: str) -> list[str]:
    """Return rows of cells as lines, each column as wide as its widest cell and aligned to the right."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    widths = [max(map(console.cell_width, column)) for column in columns]
    padded = [
        [" " * (width - console.cell_width(cell)) + cell for cell in column]
        for column, width in zip(columns, widths, strict=True)
    ]
    return [gap.join(row) for row in zip(*padded, strict=True)]


def _left_aligned(cells: Sequence[str]) -> list[str]:
    """Return the cells, each as wide as the widest."""
    widest = max(map(console.cell_width, cells))
    return [cell + " " * (widest - console.cell_width(cell)) for cell in cells]
