"""Threads that make calls and read items before their results are asked for."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def prefetch_calls(calls: Iterator[Callable[[], _T]], *, threads: int, ahead: int) -> Generator[_T]:
    """Yield the results of calls in their order, up to `ahead` of them begun or done before they are asked for.

    The exception of a call is raised when its turn comes. Close the generator to stop the threads: calls that have not
    begun are dropped, the others are waited for.

    >>> list(prefetch_calls(iter([lambda: 1, lambda: 2]), threads=1, ahead=2))
    [1, 2]
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="w2v") as pool:
        begun = deque(pool.submit(call) for call in islice(calls, ahead))
        try:
            while begun:
                result = begun.popleft().result()
                begun.extend(pool.submit(call) for call in islice(calls, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


_PATIENCE_SECONDS = 1.0


def prefetch_items(items: Generator[_T], *, ahead: int) -> Generator[_T]:
    """Yield the items in their order, up to `ahead` of them made by a thread before they are asked for.

    An exception of `items` is raised when its turn comes. Close the generator to close `items`; if they are still
    waiting after a second, for example for the next line of a pipe, their thread is abandoned.

    >>> list(prefetch_items((number for number in (1, 2)), ahead=1))
    [1, 2]
    """
    line: queue.Queue[tuple[_T | None, BaseException | None]] = queue.Queue(ahead)
    is_closed = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, line, is_closed), name="w2v-reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error = line.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        is_closed.set()
        while thread.is_alive() and not line.empty():  # the thread waits for room
            line.get_nowait()
        thread.join(_PATIENCE_SECONDS)


def _fill(
    items: Generator[_T], line: "queue.Queue[tuple[_T | None, BaseException | None]]", is_closed: threading.Event
) -> None:
    """Put the items into the queue, then None or the exception that ended them."""
    try:
        for item in items:
            line.put((item, None))
            if is_closed.is_set():
                items.close()
                return
    except BaseException as error:  # noqa: BLE001  raised again where the items are read
        line.put((None, error))
    else:
        line.put((None, None))
