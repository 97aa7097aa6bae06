"""The schedule of snapshots, and the thread that writes them during training."""

import contextlib
import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from w2v_cli.config.types import Interval
from w2v_cli.errors import W2vError
from w2v_cli.training.snapshot import Identity, Snapshot, save_snapshot
from w2v_cli.training.state import TrainerState
from w2v_cli.training.trainer import NamedArrays, Position

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHARE = 0.02  # of the time that snapshots may take unless the user asks for more
_DISPLACED = 2  # threads of training that a second of the writer's costs a second each: those of a round wait for it


@dataclass
class SnapshotSchedule:
    """Decides when a snapshot is due: at the interval, and at an epoch's end if that costs little time.

    Attributes:
        every: as the user set it.
        cost_seconds: the training time that the last one cost.
        is_eager: it is due as soon as it can be taken, because workers train meanwhile.
    """

    every: Interval
    seconds: float = 0.0
    words: float = 0.0
    cost_seconds: float = 0.0
    is_eager: bool = False

    def is_due(self, seconds: float, words: float, *, ends_epoch: bool) -> bool:
        """Return whether a snapshot is due after this time, in seconds and corpus words of the whole training.

        >>> SnapshotSchedule(Interval(seconds=60), cost_seconds=1).is_due(49, 0, ends_epoch=True)
        False
        >>> SnapshotSchedule(Interval(seconds=60), cost_seconds=1).is_due(51, 0, ends_epoch=True)
        True
        """
        since, words_since = seconds - self.seconds, words - self.words
        if self.is_eager or since >= self.every.seconds or words_since >= self.every.words:
            return True
        return ends_epoch and since * _SHARE >= self.cost_seconds

    def begin(self, seconds: float, words: float) -> None:
        """Start counting the interval from here."""
        self.seconds, self.words = seconds, words


class SnapshotWriter:
    """Copies the state of a training and writes the copy in a thread of its own, one at a time.

    Every copy goes into the same memory, as large as the state. When the block is left, the last snapshot is on disk.

    Args:
        kept: the position of the latest snapshot on disk, None if there is none.
    """

    def __init__(
        self,
        path: Path,
        identity: Identity,
        every: Interval,
        *,
        kept: Position | None = None,
        is_eager: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.path = path
        self.kept = kept
        self._identity = identity
        self._schedule = SnapshotSchedule(every, is_eager=is_eager)
        self._clock = clock
        self._copies: dict[str, NDArray[Any]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="w2v-snapshot")
        self._writing: Future[tuple[Position, float]] | None = None
        self._copy_seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.shutdown()
        with contextlib.suppress(W2vError) if error else contextlib.nullcontext():  # the first error wins
            self._end_writing()

    def begin(self, arrays: NamedArrays, words: float) -> None:
        """Allocate the copies of the trainer's arrays, and start counting the interval.

        Args:
            arrays: The trainer's arrays, for their shapes and types.
            words: Corpus words trained so far, in all epochs.
        """
        self._copies = {name: np.empty(array.shape, array.dtype) for name, array in arrays.items()}
        self._schedule.begin(self._clock(), words)

    def is_due(self, words: float, *, ends_epoch: bool) -> bool:
        """Return whether a snapshot is due; never while one is being written.

        Args:
            words: Corpus words trained so far, in all epochs.
            ends_epoch: Whether the step ends an epoch.

        Raises:
            StorageError: The last snapshot could not be written.
            DivergedError: A value of the last snapshot was not finite.
        """
        if self._writing is not None:
            if not self._writing.done():
                return False
            self._end_writing()
        return self._schedule.is_due(self._clock(), words, ends_epoch=ends_epoch)

    def take(self, state: TrainerState, words: float, *, is_last: bool = False) -> None:
        """Start writing a copy of the state, after the previous snapshot is written.

        Args:
            state: The state, with all arrays.
            words: Corpus words trained so far, in all epochs.
            is_last: Whether the state no longer changes, so that no copy is needed.

        Raises:
            StorageError: The previous snapshot could not be written.
            DivergedError: A value of the previous snapshot was not finite.
        """
        self._end_writing()
        began = self._clock()
        kept = state if is_last else self._copied(state)
        self._writing = self._writer.submit(self._write, Snapshot(self._identity, kept))
        self._copy_seconds = self._clock() - began
        self._schedule.begin(self._clock(), words)

    def _copied(self, state: TrainerState) -> TrainerState:
        for name, array in state.arrays.items():
            if name not in self._copies:  # BEST_VECTORS, which are not there in the beginning
                self._copies[name] = np.empty(array.shape, array.dtype)
            np.copyto(self._copies[name], array)
        return dataclasses.replace(state, arrays={name: self._copies[name] for name in state.arrays})

    def _write(self, kept: Snapshot) -> tuple[Position, float]:
        """Write a snapshot; return its position and the CPU seconds that it took."""
        began = time.thread_time()
        save_snapshot(self.path, kept)
        return kept.state.position, time.thread_time() - began

    def _end_writing(self) -> None:
        """Wait until nothing is being written; note its cost, or raise its error."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            self.kept, seconds = writing.result()
            self._schedule.cost_seconds = self._copy_seconds + _DISPLACED * seconds
