"""The loss over training as a picture (extra `plot`), as the book's Trainer draws it."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from w2v_cli import storage
from w2v_cli.errors import ConfigError, MissingDependencyError
from w2v_cli.training import Progress

_FORMATS = (".png", ".svg", ".pdf")


def check_plot(path: Path, *, overwrite: bool) -> None:
    """Raise where `path` could not be drawn: found before training, not after.

    MissingDependencyError without matplotlib, ConfigError for a format that is none of png, svg, pdf, and, without
    `overwrite`, for a file that exists, StorageError for a folder that cannot be written.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError('--plot needs matplotlib. Install it with: pip install "w2v-cli[plot]"')
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(f"--plot writes {', '.join(_FORMATS)}, and {path} is none of them: change its ending.")
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists already and is kept: choose another --plot, or give --overwrite.")
    storage.check_writable(path)


def save_plot(reports: Sequence[Progress], path: Path) -> None:
    """Draw the mean loss of each report, and of each epoch, over the epochs; what `check_plot` let pass is replaced."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra; Figure alone needs no display

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([r.progress * r.epochs for r in reports], [r.mean_loss for r in reports], linewidth=0.8, label="loss")
    epochs = [(r.epoch, r.epoch_mean_loss) for r in reports if r.epoch_mean_loss is not None]
    axes.plot([epoch for epoch, _ in epochs], [loss for _, loss in epochs], "o", label="mean of the epoch")
    held_out = [(r.epoch, r.validation_loss) for r in reports if r.validation_loss is not None]
    if held_out:
        axes.plot([epoch for epoch, _ in held_out], [loss for _, loss in held_out], "s-", label="held-out sentences")
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean loss (nats per positive pair)")
    axes.legend()
    with storage.atomic_write(path, overwrite=True) as file:
        figure.savefig(file, format=path.suffix.lower().removeprefix("."))
