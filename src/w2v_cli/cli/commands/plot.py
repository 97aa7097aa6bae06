"""`w2v plot`."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import JsonLinesOption
from w2v_cli.humanize import count

if TYPE_CHECKING:
    from w2v_cli.visual import LossCurve


def plot(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="What `w2v train --log LOG` has written.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help='Draw a picture (png, svg, pdf); needs the extra "plot".'),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that exists.")] = False,
    as_json: JsonLinesOption = False,
) -> None:
    """Show the loss over the epochs of trainings, from their logs; also while they run.

    \b
    Examples:
      w2v plot run.jsonl
      w2v plot cbow.jsonl skipgram.jsonl --output loss.png
      w2v plot run.jsonl | grep held_out
    """
    from w2v_cli.visual import check_plot, read_curve, save_plot  # noqa: PLC0415  NumPy is not needed for --help

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
    """Say what of a log could not be shown."""
    if curve.unread_lines:
        console.note(f"{curve.path}: {curve.unread_lines:,} of its lines were cut or damaged and are left out.")
    if not curve.points:
        console.note(f"{curve.path}: no loss has been written yet.")
    elif not curve.epochs:
        console.note(f"{curve.path}: no epoch is over yet.")


def _write_rows(curves: Sequence["LossCurve"]) -> None:
    """Write log, epoch, measure and value of all that was measured at the ends of epochs, tab-separated."""
    for curve in curves:
        for epoch in curve.epochs:
            held_out = {} if epoch.held_out is None else {"held_out": epoch.held_out}
            for name, value in ({"loss": epoch.loss} | held_out | epoch.scores).items():
                console.write(console.tabbed(curve.path, epoch.epoch, name, f"{value:.4f}"))


def _draw(curves: Sequence["LossCurve"]) -> None:
    """Draw the curves with characters, and below them say what each is and how it ended."""
    from w2v_cli.visual import draw_text, mark_of  # noqa: PLC0415  as above

    if any(curve.points for curve in curves):
        columns = shutil.get_terminal_size().columns
        console.write("\n".join(draw_text([curve.points for curve in curves], columns=columns)))
    for number, curve in enumerate(curves):
        console.write(f"{mark_of(number)} {console.printable(_legend(curve))}")


def _legend(curve: "LossCurve") -> str:
    """Return the last figures of a log."""
    done = f"{curve.path}: {len(curve.epochs)} of {count(curve.total, 'epoch')}"
    ending = {"error": ", ended by an error", "stopped": ", stopped", "": ", not ended"}.get(curve.ending, "")
    if not curve.epochs:
        return f"{done}{ending}"
    last = curve.epochs[-1]
    held_out = "" if last.held_out is None else f", held out {last.held_out:.4f}"
    scores = "".join(f", {name} {value:.3f}" for name, value in last.scores.items())
    return f"{done}, loss {last.loss:.4f}{held_out}{scores}{ending}"
