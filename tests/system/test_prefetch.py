"""Items that a thread makes before they are asked for."""

import threading

import pytest

from w2v_cli.system import prefetch
from w2v_cli.system.prefetch import prefetch_items


def test_items_come_in_order_and_then_the_exception():
    """What was made before a failure is given out first."""

    def items():
        yield from range(50)
        raise ValueError("bad")

    reader = prefetch_items(items(), ahead=3)

    assert [next(reader) for _ in range(50)] == list(range(50))
    with pytest.raises(ValueError, match="bad"):
        next(reader)


def test_a_few_are_made_ahead_and_no_more():
    """The thread waits where nobody takes what it has made."""
    made, third = [], threading.Event()

    def items():
        for number in range(100):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    reader = prefetch_items(items(), ahead=2)

    assert next(reader) == 0
    assert third.wait(10)
    reader.close()
    assert len(made) <= 5


def test_closing_ends_what_makes_the_items():
    """The generator behind is closed in its own thread, which ends."""
    closed = threading.Event()

    def items():
        try:
            while True:
                yield b""
        finally:
            closed.set()

    reader = prefetch_items(items(), ahead=1)
    next(reader)
    reader.close()

    assert closed.is_set()
    assert not any(thread.name == "w2v-reader" for thread in threading.enumerate())


def test_what_waits_for_ever_is_left_behind(monkeypatch):
    """A read that does not come back, as from a pipe that nobody writes to, keeps nobody from ending."""
    monkeypatch.setattr(prefetch, "_PATIENCE_SECONDS", 0.01)
    release = threading.Event()

    def items():
        yield 1
        release.wait()
        yield 2

    reader = prefetch_items(items(), ahead=1)
    next(reader)
    reader.close()
    release.set()
