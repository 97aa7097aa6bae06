"""The loss over training as a picture (extra `plot`), as the book's Trainer draws it."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from w2v_cli.errors import ConfigError, MissingDependencyError, option
from w2v_cli.system import files
from w2v_cli.visual.loss_log import LossCurve

_FORMATS = (".png", ".svg", ".pdf")


def check_plot(path: Path, *, overwrite: bool, parameter: str = "plot") -> None:
    """Raise where `path` could not be drawn: found before training, not after.

    MissingDependencyError without matplotlib, ConfigError for a format that is none of png, svg, pdf, and, without
    `overwrite`, for a file that exists, StorageError for a folder that cannot be written.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError(
            f'{option(parameter)} needs matplotlib. Install it with: pip install "w2v-cli[plot]"'
        )
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(
            f"{option(parameter)} writes {', '.join(_FORMATS)}, and {path} is none of them: change its ending."
        )
    files.refuse_existing(path, overwrite=overwrite, what=option(parameter))
    files.check_writable(path)


def save_curves(curves: Sequence[LossCurve], path: Path, *, overwrite: bool) -> None:
    """Draw curves over the epochs, held-out losses dashed, and below them scores where there are any.

    Of several each is named by its log. Raises ConfigError for an existing `path` without `overwrite`, StorageError
    where the disk refuses.
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
    """Draw the losses of a curve, all in one colour."""
    [line] = axes.plot(*_columns(curve.points), linewidth=0.8, label=f"{name}loss")
    means = [(epoch.epoch, epoch.loss) for epoch in curve.epochs]
    axes.plot(*_columns(means), "o", color=line.get_color(), label=f"{name}mean of the epoch")
    held_out = [(epoch.epoch, epoch.held_out) for epoch in curve.epochs if epoch.held_out is not None]
    if held_out:
        axes.plot(*_columns(held_out), "s--", color=line.get_color(), label=f"{name}held-out sentences")


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [place for place, _ in points], [value for _, value in points]
