"""Calls made by threads ahead of the one who wants their results."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def run_ahead(calls: Iterator[Callable[[], _T]], *, threads: int, ahead: int) -> Generator[_T]:
    """Yield the results of the calls in their order, up to `ahead` of them begun or done before they are asked for.

    A call's exception is raised when its turn comes. Close the generator to stop the threads: calls that have not
    begun are dropped, the others awaited.

    >>> list(run_ahead(iter([lambda: 1, lambda: 2]), threads=1, ahead=2))
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
