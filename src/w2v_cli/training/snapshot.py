"""The snapshot file: the state of a training and its identity, checksummed; matrices are float32."""

import json
import reprlib
import textwrap
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from w2v_cli import __version__
from w2v_cli.config.schema import Config
from w2v_cli.errors import DivergedError, VectorsError, option
from w2v_cli.system import files
from w2v_cli.training.state import BEST_VECTORS, INPUT_VECTORS, TrainerState
from w2v_cli.training.trainer import NamedArrays, Position
from w2v_cli.vectors import BLOCK_ROWS, MAX_FLOAT16, Tensor, damaged, load_tensors, read_json, save_tensors

SNAPSHOT_VERSION = 1  # of this file's layout: raised when an older w2v could no longer read the file
TRAINING_VERSION = 1  # of what a training computes: raised when the same settings give other vectors than before

_SECOND_MOMENTS = "_second_moments"  # how the names of Adam's end
_LOOP = "loop"  # all but position and arrays as JSON: the header has no room for the reports of 100,000 epochs
_NOT_IN_LOOP = {"position", "arrays"}
_KIND = "snapshot"
_MAX_FLOAT32 = float(np.finfo(np.float32).max)
_LONGEST_CAUSE = 150
_TYPES = {"<i8": "I64", "<f4": "F32", "|u1": "U8"}


@dataclass(frozen=True)
class Plan:
    """An earlier number of epochs, and the position at which it was raised."""

    epochs: int
    until: Position


@dataclass(frozen=True)
class Identity:
    """The identity of a training: everything that decides its vectors.

    Attributes:
        config: all settings, with the algorithm chosen.
        corpus: JSON with `sha256`, of the text, and `vocabulary_sha256`.
        backend: the code that computes.
        is_reproducible: whether all runs so far were reproducible.
        init_from: JSON about the file of the first vectors, None if there is none.
        earlier_plans: earlier numbers of epochs, oldest first.
        training_version: the version of the algorithms.
        package_version: the version of w2v-cli.
    """

    config: Config
    corpus: dict[str, Any]
    backend: str
    is_reproducible: bool
    init_from: dict[str, Any] | None = None
    earlier_plans: tuple[Plan, ...] = ()
    training_version: int = TRAINING_VERSION
    package_version: str = __version__


@dataclass(frozen=True)
class Snapshot:
    """The contents of a snapshot file.

    Attributes:
        identity: of the training.
        state: its state, with the trainer's arrays.
    """

    identity: Identity
    state: TrainerState


@dataclass(frozen=True)
class _Header:
    kind: str
    snapshot_version: int
    identity: Identity
    point: Position


def snapshot_path(output: Path) -> Path:
    """Return the path of the snapshot of a training: beside its output.

    Args:
        output: The vectors file.

    >>> snapshot_path(Path("w2v.safetensors")).name
    'w2v.safetensors.snapshot'
    """
    return output.with_name(f"{output.name}.snapshot")


def save_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot to `path`, whole or not at all, in place of an older one.

    Raises DivergedError, and keeps the older one, if a value is not finite or too large for the vectors
    file; StorageError if the disk refuses.
    """
    state = snapshot.state
    for name, array in state.arrays.items():
        limit = MAX_FLOAT16 if name in (INPUT_VECTORS, BEST_VECTORS) else _MAX_FLOAT32
        if not _is_within(array, limit):
            raise DivergedError(
                f"in epoch {state.position.epoch + 1} {name.replace('_', ' ')} hold numbers beyond {limit:g}, or NaN: "
                f"training diverged; try a lower {option('learning_rate')}."
            )
    told = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in _NOT_IN_LOOP}
    loop = np.frombuffer(json.dumps(told, default=asdict, allow_nan=False).encode(), np.uint8)
    arrays = sorted({**state.arrays, _LOOP: loop}.items(), key=lambda item: (-item[1].itemsize, item[0]))
    tensors = {name: Tensor(_TYPES[array.dtype.str], array.shape, _blocks(array)) for name, array in arrays}
    header = _Header(_KIND, SNAPSHOT_VERSION, snapshot.identity, state.position)
    save_tensors(path, tensors, TypeAdapter(_Header).dump_python(header, mode="json"), overwrite=True)


def load_snapshot(path: Path) -> Snapshot:
    """Return the snapshot of `path`, checked in full; its arrays are memory-mapped.

    Raises VectorsError for a file that is missing, damaged, crafted, newer than this program or not a snapshot.
    """
    arrays, metadata = load_tensors(path)
    if metadata.get("kind") != _KIND:
        raise VectorsError(f"{path} is not a training snapshot but another w2v file: pass the output of the training.")
    version = metadata.get("snapshot_version")
    if version != SNAPSHOT_VERSION:
        raise VectorsError(
            f"{path} has snapshot version {reprlib.repr(version)}, this w2v reads {SNAPSHOT_VERSION}: upgrade w2v-cli."
        )
    try:
        header = TypeAdapter(_Header).validate_python(metadata)
        loop = read_json(arrays.pop(_LOOP).tobytes())
        state = TypeAdapter(TrainerState).validate_python(dict(loop) | {"position": header.point, "arrays": arrays})
    except (KeyError, TypeError, ValueError, RecursionError) as error:  # ValidationError is a ValueError
        raise damaged(path, f"its description of the training is incomplete ({shortened(error)})") from error
    for name, array in arrays.items():
        if array.dtype.str not in _TYPES or not _is_within(array, _MAX_FLOAT32):
            raise damaged(path, f"its {reprlib.repr(name)} hold values that are not finite")
    return Snapshot(header.identity, state)


def remove_snapshot(output: Path) -> None:
    """Remove the snapshot beside `output`, if there is one.

    Args:
        output: The vectors file.

    Raises:
        StorageError: The disk refuses.
    """
    path = snapshot_path(output)
    with files.disk_errors(path):
        path.unlink(missing_ok=True)
        files.sync_folder(path.parent)


def check_state(path: Path, found: NamedArrays, expected: NamedArrays) -> None:
    """Raise VectorsError unless the arrays of a snapshot are those of a trainer, by name, type and shape.

    BEST_VECTORS may be there besides, in the shape of `input_vectors`. Neither an array of whole numbers nor one of
    second moments, which are means of squares, holds a negative one.
    """
    optional = {BEST_VECTORS} & found.keys()
    wanted = {name: _describe(array) for name, array in expected.items()}
    wanted |= dict.fromkeys(optional, wanted[INPUT_VECTORS])
    there = {name: _describe(array) for name, array in found.items()}
    if there != wanted:
        raise damaged(path, f"it holds {reprlib.repr(there)}, this training needs {reprlib.repr(wanted)}")
    if any(array.dtype.kind == "i" and array.min() < 0 for array in found.values()):
        raise damaged(path, "it counts steps below zero")
    if any(array.min() < 0 for name, array in found.items() if name.endswith(_SECOND_MOMENTS)):
        raise damaged(path, "its squared gradients are below zero")


def _describe(array: NDArray[Any]) -> tuple[str, tuple[int, ...]]:
    return array.dtype.str, array.shape


def shortened(error: Exception) -> str:
    """Return the fault of the contents on one line."""
    if isinstance(error, ValidationError):
        wrong = error.errors(include_url=False)[0]
        return textwrap.shorten(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", _LONGEST_CAUSE, placeholder="…")
    return textwrap.shorten(str(error), _LONGEST_CAUSE, placeholder="…")


def _is_within(array: NDArray[Any], limit: float) -> bool:
    """Return whether every number is within ±limit and none is NaN; true of whole numbers."""
    if array.dtype.kind != "f":
        return True
    return all(bool(block.min() >= -limit and block.max() <= limit) for block in _blocks(array))  # False for NaN


def _blocks(array: NDArray[Any]) -> list[NDArray[Any]]:
    """Return views of some thousand rows each."""
    return [array[first : first + BLOCK_ROWS] for first in range(0, len(array), BLOCK_ROWS)]
