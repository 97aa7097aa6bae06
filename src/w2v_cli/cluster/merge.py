"""The merge of the changes that several shards make to a matrix, always in the order of the shards."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels import ROWS_AT_ONCE

Rule = Literal["adasum", "weighted", "mean"]


class RowChanges(NamedTuple):
    """Changes to n rows of a matrix.

    Attributes:
        rows: (n,) int32, rising.
        values: (n, D) float32, to be added to those rows.
        updates: (n,) float32, the weight of each row: occurrences of its word in the shard.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.float32]
    updates: NDArray[np.float32]


class Combiner:
    """Merges the changes of one shard after the other by a rule.

    adasum: neighbours are merged in pairs, then those pairs, and so on (Maleki et al. 2020): no more than log2 of the
    number of shards are held. weighted, mean: sums, divided at the end by the sum of the weights, or by the number of
    shards that changed the row.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._levels: list[RowChanges | None] = []

    def add(self, changes: RowChanges) -> None:
        """Add the changes of the next shard."""
        if self._rule == "mean":
            changes = changes._replace(updates=np.ones(len(changes.rows), np.float32))
        if self._rule != "adasum":
            changes = changes._replace(values=changes.values * changes.updates[:, None])
        for level, waiting in enumerate(self._levels):
            if waiting is None:
                self._levels[level] = changes
                return
            changes, self._levels[level] = self._join(waiting, changes), None
        self._levels.append(changes)

    def result(self) -> RowChanges | None:
        """Return the merged changes, None if no shard changed anything."""
        joined: RowChanges | None = None
        for waiting in self._levels:  # the later shards lie lower
            if waiting is not None:
                joined = waiting if joined is None else self._join(waiting, joined)
        if joined is None or self._rule == "adasum":
            return joined
        return joined._replace(values=joined.values / joined.updates[:, None])

    def _join(self, earlier: RowChanges, later: RowChanges) -> RowChanges:
        return join(earlier, later, adasum if self._rule == "adasum" else np.add)


def join(
    earlier: RowChanges,
    later: RowChanges,
    rule: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]],
) -> RowChanges:
    """Merge two changes: rows that both have by the rule, the others as they are."""
    rows = np.union1d(earlier.rows, later.rows)
    values = np.zeros((len(rows), earlier.values.shape[1]), np.float32)
    updates = np.zeros(len(rows), np.float32)
    of_earlier, of_later = np.searchsorted(rows, earlier.rows), np.searchsorted(rows, later.rows)
    values[of_earlier], updates[of_earlier] = earlier.values, earlier.updates
    for first in range(0, len(of_later), ROWS_AT_ONCE):  # keeps the temporaries of a rule small
        some = of_later[first : first + ROWS_AT_ONCE]
        values[some] = rule(values[some], later.values[first : first + ROWS_AT_ONCE])
    updates[of_later] += later.updates
    return RowChanges(rows, values, updates)


def adasum(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Merge two changes row by row, (n, D): their sum if they are orthogonal, their mean if they are equal.

    (1 - a·b / 2a·a) a + (1 - a·b / 2b·b) b         Maleki et al. 2020, arXiv 2006.02924, eq. 3

    >>> a, b = np.array([[1, 0], [1, 0]], np.float32), np.array([[1, 0], [0, 1]], np.float32)
    >>> adasum(a, b).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):  # the loss reports a training that diverges
        products = np.einsum("nd,nd->n", first, second)
        return _scaled(first, products) + _scaled(second, products)


def _scaled(values: NDArray[np.float32], products: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = np.einsum("nd,nd->n", values, values)
    share = np.divide(products, 2 * squares, out=np.zeros_like(products), where=squares > 0)
    scaled: NDArray[np.float32] = values * (1 - share)[:, None]
    return scaled
