"""When snapshots are taken, and what becomes of them while training goes on."""

import dataclasses
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from snapshots import IDENTITY, STATE
from w2v_cli.config.types import Interval, parse_interval
from w2v_cli.errors import DivergedError, StorageError
from w2v_cli.training import snapshot, snapshot_writer
from w2v_cli.training.snapshot_writer import SnapshotSchedule, SnapshotWriter
from w2v_cli.training.trainer import Position

ROWS = np.ones((3, 2), np.float32)


class Clock:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self):
        """Return the time that was set."""
        return self.seconds


class Valve:
    """Takes the place of snapshot.save: each call waits for `let`, then raises `error` or is noted in `written`."""

    def __init__(self):
        self.written, self.error = [], None
        self.let = threading.Event()

    def __call__(self, path, taken):
        """Write nothing."""
        self.let.wait()
        if self.error:
            raise self.error
        self.written.append(
            (path, taken.state.position, {name: array.copy() for name, array in taken.state.arrays.items()})
        )


@pytest.fixture
def valve(monkeypatch):
    """Return a Valve through which all writing goes."""
    valve = Valve()
    monkeypatch.setattr(snapshot_writer, "save_snapshot", valve)
    return valve


@pytest.fixture
def clock():
    """Return a Clock."""
    return Clock()


def keeper_of(clock, every="60s"):
    keeper = SnapshotWriter("x", IDENTITY, parse_interval(every), clock=clock)
    keeper.begin({"input_vectors": ROWS}, words=0)
    return keeper


def take(keeper, point=1, rows=ROWS, words=0.0, **arrays):
    state = dataclasses.replace(STATE, position=Position(point), arrays={"input_vectors": rows, **arrays})
    keeper.take(state, words)


@pytest.mark.parametrize(
    ("every", "seconds", "words", "ends_epoch", "is_due"),
    [
        ("60s", 59.9, 1e9, False, False),
        ("60s", 60, 0, False, True),
        ("1000w", 1e9, 999, False, False),
        ("1000w", 0, 1000, False, True),
        ("60s", 0.1, 0, True, False),  # an epoch's end so soon that the last one's 0.01 s were 10 %
        ("60s", 0.6, 0, True, True),
        ("1000w", 0.6, 1, True, True),
    ],
)
def test_when_a_snapshot_is_due(every, seconds, words, ends_epoch, is_due):
    """After the time or the words that were asked for; at an epoch's end where it costs at most 2 % of the time."""
    rhythm = SnapshotSchedule(parse_interval(every), seconds=100.0, words=5000.0, cost_seconds=0.01)

    assert rhythm.is_due(100 + seconds, 5000 + words, ends_epoch=ends_epoch) is is_due


def test_the_first_end_of_an_epoch_is_kept():
    """As long as nobody knows what a snapshot costs."""
    assert SnapshotSchedule(Interval(seconds=600)).is_due(0.001, 10, ends_epoch=True)


def test_what_is_written_is_what_was_copied(valve, clock):
    """Training changes its arrays while the copy waits to be written; another state is copied into the same memory."""
    rows = ROWS.copy()
    with keeper_of(clock) as keeper:
        take(keeper, rows=rows)
        rows[:] = 7
        first = keeper._copies["input_vectors"]
        valve.let.set()
        take(keeper, point=2, rows=rows, best_vectors=rows)
        second = keeper._copies["input_vectors"]

    assert [point for _, point, _ in valve.written] == [Position(1), Position(2)]
    assert_array_equal(valve.written[0][2]["input_vectors"], 1)
    assert_array_equal(valve.written[1][2]["best_vectors"], 7)
    assert first is second


def test_the_last_one_is_not_copied(valve, clock):
    """Nothing changes it any more, so that a short training takes no memory for a copy."""
    valve.let.set()
    with keeper_of(clock) as keeper:
        copy = keeper._copies["input_vectors"]
        copy[:] = 0
        keeper.take(dataclasses.replace(STATE, arrays={"input_vectors": ROWS}), 0.0, is_last=True)

    assert_array_equal(valve.written[0][2]["input_vectors"], ROWS)
    assert_array_equal(copy, 0)


def test_none_is_due_while_one_is_written(valve, clock):
    """It waits its turn, and is due when the writing is over."""
    with keeper_of(clock) as keeper:
        take(keeper)
        clock.seconds = 61.0
        was_due = keeper.is_due(0, ends_epoch=True)
        valve.let.set()
        keeper._writing.result()

        assert not was_due
        assert keeper.is_due(0, ends_epoch=False)
        assert keeper.kept == Position(1)


def test_arrays_that_come_and_go_are_written_when_they_are_there(valve, clock):
    """Vectors kept for patience are no longer written when the last epoch has become the best."""
    valve.let.set()
    with keeper_of(clock) as keeper:
        take(keeper, best_vectors=ROWS)
        take(keeper)

    assert ["best_vectors" in arrays for _, _, arrays in valve.written] == [True, False]


@pytest.mark.parametrize("error", [StorageError("full"), DivergedError("nan")])
def test_what_went_wrong_is_told_once_and_early(valve, clock, error):
    """The next question after a failed write raises its error; the block then ends without another."""
    keeper = keeper_of(clock)
    valve.error = error
    valve.let.set()
    take(keeper)
    keeper._writing.exception()

    with pytest.raises(type(error), match=str(error)), keeper:
        keeper.is_due(0, ends_epoch=False)

    assert keeper.kept is None


def test_a_failed_last_write_is_told_on_leaving(valve, clock):
    """No snapshot is lost in silence."""
    valve.error = StorageError("full")
    valve.let.set()

    with pytest.raises(StorageError, match="full"), keeper_of(clock) as keeper:
        take(keeper)


def test_the_error_that_ends_a_training_is_the_one_that_is_told(valve, clock):
    """A write that fails at the same time does not hide it; one that succeeds is kept."""
    valve.error = StorageError("full")
    valve.let.set()

    keeper = keeper_of(clock)
    take(keeper)

    with pytest.raises(KeyError), keeper:
        raise KeyError


def test_costs_are_learnt(tmp_path):
    """After a snapshot the keeper knows what copying and writing took, and counts time and words anew."""
    keeper = SnapshotWriter(tmp_path / "x", IDENTITY, Interval(words=100))
    keeper.begin({"input_vectors": ROWS}, words=40)
    with keeper:
        assert not keeper.is_due(139, ends_epoch=False)
        assert keeper.is_due(140, ends_epoch=False)
        take(keeper, words=140)
        keeper._writing.result()

        assert not keeper.is_due(239, ends_epoch=False)
        assert keeper._schedule.cost_seconds > 0
    assert snapshot.load_snapshot(tmp_path / "x").identity == IDENTITY
