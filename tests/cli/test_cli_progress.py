"""What the display of a training says to the events that no short run produces."""

import pytest

from w2v_cli.cli import progress
from w2v_cli.cli.training_display import TrainingDisplay
from w2v_cli.kernels.protocols import Backend
from w2v_cli.pipeline.events import CorpusRead
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.progress import Progress

HALF_WAY = Progress(
    epoch=2,
    epochs=3,
    progress=0.5,
    words_per_second=123456.7,
    seconds_left=75.2,
    learning_rate=0.01,
    mean_loss=2.5,
    epoch_mean_loss=None,
)


@pytest.fixture
def display():
    """Return a display that is not quiet; under pytest stderr is no terminal."""
    with TrainingDisplay(is_quiet=False) as entered:
        yield entered


def test_compilation_is_announced(display, capsys):
    """Where kernels have to be compiled, the user learns why nothing seems to happen."""
    display.show(EngineLoaded("block", Backend.NUMBA, threads=1, is_compiled=False))

    assert capsys.readouterr().err == (
        "Training: block algorithm on numba, 1 thread\nCompiling for this machine (first run only, about 30 s)\n"
    )


def test_a_result_that_varies_is_announced(display, capsys):
    """Where another run gives other vectors, the user learns it beforehand, and the cure where there is one."""
    display.show(EngineLoaded("minibatch", Backend.CUPY, threads=1, is_reproducible=False))
    display.show(EngineLoaded("block", Backend.NUMBA, threads=2, is_reproducible=False))
    display.show(EngineLoaded("block", Backend.CUPY, threads=2, is_reproducible=False, blocks_in_flight=39))

    assert capsys.readouterr().err == (
        "Training: minibatch algorithm on cupy. Results vary slightly between runs\n"
        "Training: block algorithm on numba, 2 threads. Results vary slightly between runs; --deterministic makes them "
        "identical\n"
        "Training: block algorithm on cupy, 39 blocks in flight. Results vary slightly between runs\n"
    )


def test_lines_keep_their_distance(display, capsys, monkeypatch):
    """Off a terminal a line of progress comes every few seconds, whatever the number of reports."""
    clock = iter([0.0, 4.9, 5.1, 5.1, 9.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    display._last_line = progress.time.monotonic()

    for _ in range(3):
        display.show(HALF_WAY)

    assert capsys.readouterr().err == "50 %: epoch 2 of 3, loss 2.5000, 123,457 words/s, 1:15 min left\n"


def test_reading_is_told_where_it_takes_long(display, capsys, monkeypatch):
    """Every few seconds, with the whole where it is known; a text from a pipe has none."""
    clock = iter([0.0, 4.9, 5.1, 5.1, 10.2, 10.2])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    display._last_line = progress.time.monotonic()

    display.show(CorpusRead(500_000_000, 5_000_000_000))
    display.show(CorpusRead(520_000_000, 5_000_000_000))
    display.show(CorpusRead(1_040_000_000, None))

    assert capsys.readouterr().err == "Reading: 520.0 MB of 5.0 GB\nReading: 1.0 GB\n"
