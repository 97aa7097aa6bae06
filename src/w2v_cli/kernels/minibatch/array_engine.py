"""The engine of the minibatch equations over whole arrays: NumPy, the reference, and CuPy on a GPU."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.gpu import import_cupy
from w2v_cli.kernels.minibatch.adam import Moments, adam_rate, adam_step, arrays_by_name
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.minibatch.reference import Gradients, RowGradients, negative_sampling_gradients
from w2v_cli.kernels.objectives import Objective

_CACHE_FLOATS = 1 << 14  # 64 KiB a float32 array: Adam's seven fit the second-level cache of any recent core


class ArrayEngine:
    """The minibatch engine on NumPy; `CuPyArrayEngine` changes the four operations in which CuPy differs.

    Args:
        start: is changed in place.
    """

    def __init__(self, objective: Objective, optimizer: str, start: Embeddings, *, xp: Any = np) -> None:
        self._xp = xp
        self._objective = objective
        self._embeddings = Embeddings(self._to_device(start.input_vectors), self._to_device(start.output_vectors))
        self._matrices = (self._embeddings.input_vectors, self._embeddings.output_vectors)
        self._moments: tuple[Moments, Moments] | None = None
        self._sums: list[Any] = []  # Adam's gradients, (V, D), zero between steps
        if optimizer == "adam":
            self._moments = (self._zero_moments(self._matrices[0]), self._zero_moments(self._matrices[1]))
            self._sums += [xp.zeros_like(matrix) for matrix in self._matrices]
        self._steps = 0  # of Adam

    def step(self, batch: Batch, learning_rate: float) -> Any:
        """Take one step of SGD or Adam; every row of Adam's moments moves at once."""
        gradients = self._gradients(batch)
        parts = (gradients.inputs, gradients.outputs)
        if self._moments is None:
            for matrix, part in zip(self._matrices, parts, strict=True):
                self._add_rows(matrix, part, -learning_rate)
            return gradients.loss_sum
        self._steps += 1
        rate = adam_rate(learning_rate, self._steps)
        for matrix, moments, total, part in zip(self._matrices, self._moments, self._sums, parts, strict=True):
            self._add_rows(total, part, 1 / batch.centres)
            self._move(matrix, moments, total, rate)
            total[part.rows.ravel()] = 0
        return gradients.loss_sum

    def loss(self, batch: Batch) -> Any:
        """Return the summed loss of a batch in nats; nothing is changed."""
        return self._gradients(batch).loss_sum

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        vectors: NDArray[np.float32] = self._to_host(self._embeddings.input_vectors)
        return vectors

    def read_state(self) -> Mapping[str, NDArray[Any]]:
        """Return both matrices, Adam's moments and the number of its steps."""
        arrays = {name: self._to_host(array) for name, array in arrays_by_name(self._embeddings, self._moments).items()}
        return arrays | {"steps": np.array([self._steps], np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `read_state` returned."""
        for name, array in arrays_by_name(self._embeddings, self._moments).items():
            array[...] = self._to_device(state[name])
        self._steps = int(state["steps"][0])

    def _gradients(self, batch: Batch) -> Gradients:
        on_device = Batch(
            self._to_device(batch.inputs),
            self._to_device(batch.targets),
            self._to_device(batch.negatives),
            centres=batch.centres,
            progress=batch.progress,
        )
        return negative_sampling_gradients(self._xp, *self._matrices, on_device, is_classic=self._objective.is_classic)

    def _add_rows(self, matrix: Any, gradients: RowGradients, scale: float) -> None:
        """Add scale · gradients to the rows of `matrix` in place."""
        coefficients = gradients.coefficients * matrix.dtype.type(scale)
        updates = coefficients[:, :, None] * gradients.vectors[:, None, :]  # (B, M, D)
        self._scatter_add(matrix, gradients.rows.ravel(), updates.reshape(-1, matrix.shape[1]))

    def _move(self, matrix: Any, moments: Moments, gradient: Any, rate: float) -> None:
        """Take a dense Adam step, some rows at a time."""
        height = self._rows_at_once(matrix)
        for start in range(0, matrix.shape[0], height):
            rows = slice(start, start + height)
            adam_step(self._xp, matrix[rows], moments.first[rows], moments.second[rows], gradient[rows], rate)

    def _zero_moments(self, matrix: Any) -> Moments:
        return Moments(self._xp.zeros_like(matrix), self._xp.zeros_like(matrix))

    def _to_device(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def _to_host(self, array: Any) -> Any:
        """Return the array itself."""
        return array

    def _scatter_add(self, matrix: Any, rows: Any, updates: Any) -> None:
        """Add updates (R, D) to the rows (R,) of `matrix` in place; a repeated row receives the sum.

        Sorts by row, sums each run and adds once: several times faster than np.add.at, and always in the same order.
        """
        order = np.argsort(rows, kind="stable")
        sorted_rows = rows[order]
        starts = np.flatnonzero(np.concatenate(([True], sorted_rows[1:] != sorted_rows[:-1])))
        matrix[sorted_rows[starts]] += np.add.reduceat(updates[order], starts, axis=0)

    def _rows_at_once(self, matrix: Any) -> int:
        """Return how many rows an elementwise pass takes at a time, so that it stays inside the cache."""
        return max(1, _CACHE_FLOATS // int(matrix.shape[1]))


class CuPyArrayEngine(ArrayEngine):
    """The minibatch engine on the current CUDA device; `gpu.resolve_backend` checked the device."""

    def __init__(self, objective: Objective, optimizer: str, start: Embeddings) -> None:
        super().__init__(objective, optimizer, start, xp=import_cupy())

    def _to_device(self, array: Any) -> Any:
        """Return a copy on the device."""
        return self._xp.asarray(array)

    def _to_host(self, array: Any) -> Any:
        """Return a copy in the host's memory; waits for the device."""
        return self._xp.asnumpy(array)

    def _scatter_add(self, matrix: Any, rows: Any, updates: Any) -> None:
        """Add by atomics: the order of a sum, and so its last bits, differ from run to run."""
        self._xp.add.at(matrix, rows, updates)

    def _rows_at_once(self, matrix: Any) -> int:
        """Return all rows: a launch costs more than the cache gives."""
        return int(matrix.shape[0])
