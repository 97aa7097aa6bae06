"""Curves as text: one character marks each, on a grid as wide as the terminal (docs/adr/0022)."""

from collections.abc import Sequence

_MARKS = "*o+x#@%&"
_LEAST_COLUMNS = 8  # of the grid
Points = Sequence[tuple[float, float]]


def mark_of(number: int) -> str:
    """Return the character that marks a curve."""
    return _MARKS[number % len(_MARKS)]


def draw(curves: Sequence[Points], *, columns: int, rows: int = 15) -> list[str]:
    """Return lines that show curves over the same axes; a later curve covers an earlier one. At least one has points.

    >>> for line in draw([[(0, 2.0), (1, 1.0)]], columns=15, rows=3): print(line)
    2.000 |*
    1.500 |
    1.000 |       *
          +--------
           0      1
    """
    everything = [point for curve in curves for point in curve]
    last = max(place for place, _ in everything) or 1.0
    low, high = min(value for _, value in everything), max(value for _, value in everything)
    span = (high - low) or 1.0
    labels = [f"{high - span * row / (rows - 1):.3f}" for row in range(rows)]
    margin = max(map(len, labels))
    width = max(_LEAST_COLUMNS, columns - margin - 2)
    grid = [[" "] * width for _ in range(rows)]
    for number, curve in enumerate(curves):
        for place, value in curve:
            row, column = round((high - value) / span * (rows - 1)), round(place / last * (width - 1))
            grid[row][column] = mark_of(number)
    lines = [f"{label:>{margin}} |{''.join(cells)}".rstrip() for label, cells in zip(labels, grid, strict=True)]
    end = f"{last:g}"
    return [*lines, f"{'':{margin}} +{'-' * width}", f"{'':{margin}}  0{end:>{width - 1}}"]
