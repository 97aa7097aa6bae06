"""Plots of the loss over the epochs: a picture (extra `plot`), or text as wide as the terminal (docs/adr/0022)."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from w2v_cli.errors import ConfigError, MissingDependencyError, option
from w2v_cli.system import files
from w2v_cli.visual.loss_log import LossCurve

_FORMATS = (".png", ".svg", ".pdf")
_MARKS = "*o+x#@%&"
_LEAST_COLUMNS = 8  # of the text plot, without the labels

Points = Sequence[tuple[float, float]]  # epochs done, loss


def check_plot(path: Path, *, overwrite: bool, parameter: str = "plot") -> None:
    """Check that a picture can be written to `path`, so that a fault is found before training, not after.

    Args:
        path: The picture to write.
        overwrite: Whether to replace an existing file.
        parameter: The option that names the picture, for messages.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ConfigError: The ending is not png, svg or pdf, or `path` exists and `overwrite` is false.
        StorageError: The folder cannot be written.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError(
            f'{option(parameter)} needs matplotlib. Install it with: pip install "w2v-cli[plot]"'
        )
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(f"{option(parameter)} writes {', '.join(_FORMATS)}, but {path} has another ending.")
    files.refuse_existing(path, overwrite=overwrite, what=option(parameter))
    files.check_writable(path)


def save_plot(curves: Sequence[LossCurve], path: Path, *, overwrite: bool) -> None:
    """Draw curves over the epochs as a picture: losses, held-out losses dashed, and scores below if there are any.

    Args:
        curves: What to draw; with several, each is labelled with its log.
        path: The picture to write; its ending says the format.
        overwrite: Whether to replace an existing file.

    Raises:
        ConfigError: `path` exists, and `overwrite` is false.
        StorageError: The disk refuses.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra; Figure alone needs no display

    has_scores = any(epoch.scores for curve in curves for epoch in curve.epochs)
    figure = Figure(figsize=(7, 6.5 if has_scores else 4), layout="constrained")
    panels = figure.subplots(2 if has_scores else 1, sharex=True, squeeze=False)[:, 0]
    for curve in curves:
        name = "" if len(curves) == 1 else f"{curve.path}, "
        _draw_losses(panels[0], curve, name)
        for one in sorted({one for epoch in curve.epochs for one in epoch.scores}):
            scores = [(epoch.epoch, epoch.scores[one]) for epoch in curve.epochs if one in epoch.scores]
            panels[1].plot(*_columns(scores), "o-", label=f"{name}{one}")
    panels[-1].set_xlabel("epoch")
    panels[0].set_ylabel("mean loss (nats per positive pair)")
    if has_scores:
        panels[1].set_ylabel("score")
    for panel in panels:
        panel.legend()
    with files.atomic_write(path, overwrite=overwrite) as file:
        figure.savefig(file, format=path.suffix.lower().removeprefix("."))


def _draw_losses(axes: Any, curve: LossCurve, name: str) -> None:
    """Draw the losses of a curve in one colour."""
    [line] = axes.plot(*_columns(curve.points), linewidth=0.8, label=f"{name}loss")
    means = [(epoch.epoch, epoch.loss) for epoch in curve.epochs]
    axes.plot(*_columns(means), "o", color=line.get_color(), label=f"{name}mean of the epoch")
    held_out = [(epoch.epoch, epoch.held_out) for epoch in curve.epochs if epoch.held_out is not None]
    if held_out:
        axes.plot(*_columns(held_out), "s--", color=line.get_color(), label=f"{name}held-out sentences")


def _columns(points: Points) -> tuple[list[float], list[float]]:
    """Return the x and the y of points."""
    return [place for place, _ in points], [value for _, value in points]


def mark_of(number: int) -> str:
    """Return the character that marks a curve.

    Args:
        number: From 0.
    """
    return _MARKS[number % len(_MARKS)]


def draw_text(curves: Sequence[Points], *, columns: int, rows: int = 15) -> list[str]:
    """Return lines that show curves on the same axes, each with its mark; later curves cover earlier ones.

    Args:
        curves: Points (x, y) of each curve; at least one curve has points.
        columns: The width of the axes in characters.
        rows: Their height in lines.

    >>> for line in draw_text([[(0, 2.0), (1, 1.0)]], columns=15, rows=3): print(line)
    2.000 |*
    1.500 |
    1.000 |       *
          +--------
           0      1
    """
    points = [point for curve in curves for point in curve]
    last = max(place for place, _ in points) or 1.0
    low, high = min(value for _, value in points), max(value for _, value in points)
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
