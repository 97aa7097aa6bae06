"""The loss over the epochs, from the log of a training (docs/reference/log.md) or from its reports."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.training import Progress

_LONGEST_LINE = 10_000_000  # bytes; a line of a log has a few thousand


@dataclass(frozen=True)
class EpochMeasured:
    """A complete epoch: its mean loss, the loss on held-out sentences or None, and scores by the names of sets."""

    epoch: int
    loss: float
    held_out: float | None
    scores: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Return all fields as JSON, with the names of docs/reference/json.md."""
        return {"epoch": self.epoch, "loss": self.loss, "held_out": self.held_out, "scores": self.scores}


@dataclass
class LossCurve:
    """The loss of a training, its resumed runs taken together.

    Attributes:
        points: epochs done, and the mean loss since the previous point in nats per positive pair.
        total: the number of epochs of the whole training.
        ending: the last event if it ended the run, else "" (the run continues, or was killed).
        unread_lines: the number of lines of the log that were cut or damaged.
    """

    path: Path
    points: list[tuple[float, float]] = field(default_factory=list)
    epochs: list[EpochMeasured] = field(default_factory=list)
    total: int = 0
    ending: str = ""
    unread_lines: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return all fields as JSON, with the names of docs/reference/json.md."""
        return {
            "log": str(self.path),
            "total": self.total,
            "ending": self.ending or None,
            "points": [list(point) for point in self.points],
            "epochs": [epoch.as_json() for epoch in self.epochs],
        }

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; what a resumed run repeats replaces what was there."""
        name = event.get("event")
        self.ending = str(name) if name in {"saved", "error", "stopped"} else ""
        if name == "start" and not event.get("is_resumed"):
            self.points, self.epochs = [], []
        elif name == "resumed":
            done = float(event["epoch"])
            self.points = [point for point in self.points if point[0] <= event["progress"] * event["epochs"]]
            self.epochs = [epoch for epoch in self.epochs if epoch.epoch <= done]
        elif name in {"progress", "epoch"}:
            self.total = int(event["epochs"])
            self._add_point(float(event["progress"]) * self.total, float(event["mean_loss"]))
            if name == "epoch":
                self._add_epoch(event)

    def _add_point(self, place: float, loss: float) -> None:
        """Add a finite loss."""
        if math.isfinite(loss):
            self.points.append((place, loss))

    def _add_epoch(self, event: dict[str, Any]) -> None:
        """Add the end of an epoch if its loss is finite."""
        loss, held_out = float(event["epoch_mean_loss"]), _finite(event.get("validation_loss"))
        if math.isfinite(loss):
            scores = {str(name): _score(values) for name, values in (event.get("scores") or {}).items()}
            known = {name: score for name, score in scores.items() if score is not None}
            self.epochs.append(EpochMeasured(int(event["epoch"]), loss, held_out, known))


def _score(values: dict[str, Any]) -> float | None:
    """Return the accuracy or the correlation on a set."""
    found = [values[name] for name in ("accuracy", "correlation") if values.get(name) is not None]
    return _finite(found[0]) if found else None


def _finite(value: Any) -> float | None:
    """Return a finite number; None for any other value."""
    return float(value) if value is not None and math.isfinite(value) else None


def curve_of(path: Path, reports: Sequence["Progress"]) -> LossCurve:
    """Return the curve of the reports of a training.

    Args:
        path: The name of the curve.
        reports: The reports of a training.
    """
    points = [(report.progress * report.epochs, report.mean_loss) for report in reports]
    epochs = [
        EpochMeasured(
            report.epoch,
            report.epoch_mean_loss,
            report.validation_loss,
            {one.name: one.score for one in report.scores if one.score is not None},
        )
        for report in reports
        if report.epoch_mean_loss is not None
    ]
    return LossCurve(path, points, epochs, total=reports[-1].epochs)


def read_curve(path: Path) -> LossCurve:
    """Return the curve of a log; a line that is cut off, as the last may be, is skipped and counted.

    Args:
        path: A log of `w2v train --log`.

    Raises:
        ConfigError: The file cannot be read, is empty, or is not a log of `w2v train`.
    """
    curve, is_empty = LossCurve(path), True
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_iterate_lines(file)):
                is_empty = False
                try:
                    event = json.loads(line)
                    if number == 0 and event["event"] != "start":
                        raise ValueError(line)  # noqa: TRY301  one place reports what is not a log
                    curve.add(event)
                except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                    if number == 0:
                        raise ConfigError(
                            f"{path} is not a training log; give a file written by `w2v train --log FILE`."
                        ) from error
                    curve.unread_lines += 1
    except OSError as error:
        raise ConfigError(f"cannot read the log {path}: {error.strerror}; check its name and permissions.") from error
    if is_empty:
        raise ConfigError(f"{path} is empty; no training has written to it yet.")
    return curve


def _iterate_lines(file: Any) -> Iterator[bytes]:
    """Yield the lines of a file; a line that is too long is yielded in parts, which are not JSON."""
    while line := file.readline(_LONGEST_LINE):
        yield line
