"""The picture of the loss: its formats, and what is found before training."""

import importlib.util
import math
import os

import pytest

from w2v_cli.errors import ConfigError, MissingDependencyError, StorageError
from w2v_cli.training.progress import Progress
from w2v_cli.visual.loss_log import curve_of
from w2v_cli.visual.loss_plot import check_plot, save_plot

needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed: no picture was drawn"
)


def report(progress, *, ends_epoch=False):
    return Progress(
        epoch=math.ceil(2 * progress),
        epochs=2,
        progress=progress,
        words_per_second=1e6,
        seconds_left=1.0,
        learning_rate=0.05,
        mean_loss=4 - progress,
        epoch_mean_loss=4 - progress if ends_epoch else None,
    )


REPORTS = [report(0.25), report(0.5, ends_epoch=True), report(0.75), report(1.0, ends_epoch=True)]


def draw(path):
    save_plot([curve_of(path, REPORTS)], path, overwrite=True)


@needs_matplotlib
@pytest.mark.parametrize(
    ("name", "magic"),
    [("x.png", b"\x89PNG\r\n\x1a\n"), ("x.svg", b"<?xml"), ("x.pdf", b"%PDF-"), ("x.PNG", b"\x89PNG")],
)
def test_picture_has_the_format_of_its_ending(tmp_path, name, magic):
    """PNG, SVG and PDF are what their first bytes say; nothing else is left in the folder."""
    path = tmp_path / name
    check_plot(path, overwrite=True)
    draw(path)

    assert path.read_bytes().startswith(magic)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@needs_matplotlib
def test_picture_shows_reports_and_epochs(tmp_path, monkeypatch):
    """A curve through the reports over the epochs done, and a dot at the end of each epoch."""
    from matplotlib.axes import Axes  # noqa: PLC0415  an extra

    drawn, real = [], Axes.plot

    def record(axes, *args, **options):
        drawn.append(args[:2])
        return real(axes, *args, **options)

    monkeypatch.setattr(Axes, "plot", record)
    draw(tmp_path / "x.svg")

    assert drawn == [([0.5, 1.0, 1.5, 2.0], [3.75, 3.5, 3.25, 3.0]), ([1, 2], [3.5, 3.0])]


@needs_matplotlib
def test_axes_are_named_with_their_units(tmp_path):
    """Whoever sees the picture alone knows what it shows."""
    from matplotlib import rc_context  # noqa: PLC0415  an extra

    with rc_context({"svg.fonttype": "none"}):
        draw(tmp_path / "x.svg")

    picture = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "mean loss (nats per positive pair)" in picture
    assert all(f">{label}<" in picture for label in ("epoch", "loss", "mean of the epoch"))


@needs_matplotlib
def test_an_existing_picture_is_replaced_where_that_is_wanted(tmp_path):
    """A second training draws over the first one's picture where it is told to, and is refused otherwise."""
    path = tmp_path / "x.png"
    path.write_bytes(b"old")
    with pytest.raises(ConfigError, match="already exists"):
        check_plot(path, overwrite=False)
    check_plot(path, overwrite=True)
    draw(path)

    assert path.read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """Where the disk fails in the middle, the old picture stays and the error is StorageError."""
    path = tmp_path / "x.png"
    path.write_bytes(b"old")

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(StorageError, match="No space left on device"):
        draw(path)

    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.png"]


@needs_matplotlib
@pytest.mark.parametrize("name", ["x.txt", "x", "x.jpeg", "png"])
def test_another_ending_is_refused(tmp_path, name):
    """Exit 2, and the three endings that there are."""
    with pytest.raises(ConfigError, match=r"plot writes \.png, \.svg, \.pdf, but .* has another ending") as refusal:
        check_plot(tmp_path / name, overwrite=True)

    assert refusal.value.exit_code == 2


@needs_matplotlib
def test_a_missing_folder_is_found_before_training(tmp_path):
    """Exit 6, and nothing is created."""
    with pytest.raises(StorageError, match="No such file or directory"):
        check_plot(tmp_path / "none" / "x.png", overwrite=True)

    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    """Exit 9, found before training."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(MissingDependencyError, match=r'pip install "w2v-cli\[plot\]"') as refusal:
        check_plot(tmp_path / "x.png", overwrite=True)

    assert refusal.value.exit_code == 9
