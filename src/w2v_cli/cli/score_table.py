"""Scores of vectors files as tables: side by side, below each other where the terminal is too narrow, or as lists."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from w2v_cli.cli import console

if TYPE_CHECKING:
    from w2v_cli.evaluation import Score, ScoreRow

_GAP = "  "
_INDENT = "  "  # of the parts of a set
_HEADINGS = ("score", "95 %", "asked")

_Cells = Sequence[tuple[str, ...]]  # of a file: headings, then a row for each line


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return the files' names, with as many folders before them as tell them apart.

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


def tabbed_lines(lines: Sequence["ScoreRow"], names: Sequence[str]) -> Iterator[str]:
    """Yield a table for programs: a line for each part of a set, five columns for each file, and their headings."""
    columns = ("score", "low", "high", "asked", "skipped")
    headings = [f"{name} {column}" if len(names) > 1 else column for name in names for column in columns]
    yield console.tabbed("set", "section", "measure", *headings)
    for line in lines:
        section = "all" if line.part == "set" else line.name
        cells = [cell for score in line.scores for cell in _plain_cells(score)]
        yield console.tabbed(line.set_name, section, line.method or "spearman", *cells)


def shown_lines(lines: Sequence["ScoreRow"], names: Sequence[str]) -> list[str]:
    """Return a table for people, in the first form that the terminal has room for.

    Files stand side by side with what share was asked, then without intervals; or below each other with the numbers
    of what was asked; or each number has a line.
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
    return next((form for form in forms if max(map(console.width, form)) <= room), forms[-1])


def _label(line: "ScoreRow") -> str:
    if line.part == "set":
        return console.printable(line.name) + (f", {line.method}" if line.method else "")
    return _INDENT + console.printable(line.name)


def _plain_cells(score: "Score") -> tuple[str, str, str, str, str]:
    """Return score, interval and numbers; what there is not is empty."""
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
    """Return a table for each file, one below the other, each under its name where there are several."""
    table = []
    for title, cells in zip(titles, files, strict=True):
        table += [title] if len(titles) > 1 else []
        rows = zip(_left_aligned(["", *labels]), _columns(cells, gap=_GAP), strict=True)
        table += [_GAP.join(row) for row in rows]
    return table


def _lists(labels: Sequence[str], titles: Sequence[str], files: Sequence[_Cells]) -> list[str]:
    """Return a line for each number, for a terminal that has no room for a table."""
    table = []
    for title, (_, *rows) in zip(titles, files, strict=True):
        table += [title] if len(titles) > 1 else []
        for label, cells in zip(labels, rows, strict=True):
            table += [label, *(_INDENT + _INDENT + cell for cell in cells if cell)]
    return table


def _columns(rows: _Cells, gap: str) -> list[str]:
    """Return rows of cells as lines, each column as wide as its widest cell and aligned to the right."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    widths = [max(map(console.width, column)) for column in columns]
    padded = [
        [" " * (width - console.width(cell)) + cell for cell in column]
        for column, width in zip(columns, widths, strict=True)
    ]
    return [gap.join(row) for row in zip(*padded, strict=True)]


def _left_aligned(cells: Sequence[str]) -> list[str]:
    """Return the cells, each as wide as the widest."""
    widest = max(map(console.width, cells))
    return [cell + " " * (widest - console.width(cell)) for cell in cells]
