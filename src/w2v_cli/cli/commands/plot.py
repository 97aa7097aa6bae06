"""`w2v plot`."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.options import JsonLinesOption
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.visual import LossCurve


def plot(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG", help="Logs written by `w2v train --log LOG`.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help='Save a picture (png, svg, pdf); needs the extra "plot".'),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture if it exists.")] = False,
    as_json: JsonLinesOption = False,
) -> None:
    """Plot the loss of trainings from their logs.

    \b
    Examples:
      w2v plot run.jsonl
      w2v plot cbow.jsonl skipgram.jsonl --output loss.png
      w2v plot run.jsonl | grep held_out

    Draws on the terminal, or writes tab-separated numbers if stdout is a pipe. A training may still be running.
    """
    from w2v_cli.visual import check_plot, read_curve, save_plot

    if output is not None:
        check_plot(output, overwrite=overwrite, parameter="output")
    curves = [read_curve(log) for log in logs]
    for curve in curves:
        _warn_of(curve)
    if output is not None:
        save_plot(curves, output, overwrite=overwrite)
    if as_json:
        for curve in curves:
            console.write_json("plot", curve.as_json())
    elif output is None and sys.stdout.isatty():
        _draw(curves)
    elif output is None:
        _write_rows(curves)


def _warn_of(curve: "LossCurve") -> None:
    """Warn of missing data in a log."""
    if curve.unread_lines:
        console.note(f"{curve.path}: skipped {count(curve.unread_lines, 'incomplete or damaged line')}.")
    if not curve.points:
        console.note(f"{curve.path}: no loss logged yet.")
    elif not curve.epochs:
        console.note(f"{curve.path}: no epoch complete yet.")


def _write_rows(curves: Sequence["LossCurve"]) -> None:
    """Write log, epoch, measure and value of each measurement, tab-separated."""
    for curve in curves:
        for epoch in curve.epochs:
            held_out = {} if epoch.held_out is None else {"held_out": epoch.held_out}
            for name, value in ({"loss": epoch.loss} | held_out | epoch.scores).items():
                console.write(tables.tabbed(curve.path, epoch.epoch, name, f"{value:.4f}"))


def _draw(curves: Sequence["LossCurve"]) -> None:
    """Draw the curves with characters, and a legend below them."""
    from w2v_cli.visual import draw_text, mark_of

    if any(curve.points for curve in curves):
        columns = shutil.get_terminal_size().columns
        console.write("\n".join(draw_text([curve.points for curve in curves], columns=columns)))
    for number, curve in enumerate(curves):
        console.write(f"{mark_of(number)} {console.printable(_legend(curve))}")


def _legend(curve: "LossCurve") -> str:
    """Return the state and last figures of a log."""
    done = f"{curve.path}: {len(curve.epochs)} of {count(curve.total, 'epoch')}"
    ending = {"error": ", failed", "stopped": ", stopped", "": ", unfinished"}.get(curve.ending, "")
    if not curve.epochs:
        return f"{done}{ending}"
    last = curve.epochs[-1]
    held_out = "" if last.held_out is None else f", held out {last.held_out:.4f}"
    scores = "".join(f", {name} {value:.3f}" for name, value in last.scores.items())
    return f"{done}, loss {last.loss:.4f}{held_out}{scores}{ending}"
