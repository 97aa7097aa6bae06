"""The resumable state of a training in one checksummed file: matrices as float32, the loop, and whose it is."""

import json
import reprlib
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from w2v_cli import __version__
from w2v_cli.config.schema import Config
from w2v_cli.errors import DivergedError, VectorsError, option
from w2v_cli.training.loop_state import LoopState
from w2v_cli.training.trainer import NamedArrays, Position
from w2v_cli.vectors.keyed_vectors import MAX_FLOAT16
from w2v_cli.vectors.safetensors import Tensor, damaged, load_tensors, read_json, save_tensors

SNAPSHOT_VERSION = 1  # of this file's layout: raised when a new w2v could not be read by an old one
TRAINING_VERSION = 1  # of what a training computes: raised when the same settings give other vectors than before
INPUT_VECTORS = "input_vectors"  # what every trainer calls them
BEST_VECTORS = "best_vectors"  # (V, D), of the epoch with the lowest held-out loss, where that is not the last one

_SECOND_MOMENTS = "_second_moments"  # how the names of Adam's end
_LOOP = "loop"  # JSON as bytes: the header is too small for the reports of a hundred thousand epochs
_KIND = "snapshot"
_MAX_FLOAT32 = float(np.finfo(np.float32).max)
_BLOCK_ROWS = 4096
_LONGEST_CAUSE = 150
_TYPES = {"<i8": "I64", "<f4": "F32", "|u1": "U8"}


@dataclass(frozen=True)
class Plan:
    """The number of epochs that a training was first meant to have, and where it had come when they became more."""

    epochs: int
    until: Position


@dataclass(frozen=True)
class Identity:
    """Whose training it is: all that decides the vectors, and the corpus that they are learned from.

    config: with its algorithm chosen; corpus: JSON, `sha256` of the text and `vocabulary_sha256` of what was made of it
    among it; backend: the one that runs; is_reproducible: so far; init_from: JSON, where the first vectors come from;
    earlier_plans: oldest first.
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
    """A training at one point: its identity, where it goes on, its loop, and the trainer's state with BEST_VECTORS."""

    identity: Identity
    point: Position
    loop: LoopState
    arrays: NamedArrays


@dataclass(frozen=True)
class _Header:
    kind: str
    snapshot_version: int
    identity: Identity
    point: Position


def snapshot_path(output: Path) -> Path:
    """Return where the snapshot of a training lies: beside its output.

    >>> snapshot_path(Path("w2v.safetensors")).name
    'w2v.safetensors.snapshot'
    """
    return output.with_name(f"{output.name}.snapshot")


def save(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot to `path`, whole or not at all, in place of an older one.

    Raises DivergedError, and keeps the older one, where a value is not finite or too large for the vectors that are to
    be made of it; StorageError where the disk refuses.
    """
    for name, array in snapshot.arrays.items():
        limit = MAX_FLOAT16 if name in (INPUT_VECTORS, BEST_VECTORS) else _MAX_FLOAT32
        if not _is_within(array, limit):
            raise DivergedError(
                f"in epoch {snapshot.point.epoch + 1} {name.replace('_', ' ')} hold numbers beyond {limit:g}, or NaN: "
                f"training diverged; try a lower {option('learning_rate')}."
            )
    loop = np.frombuffer(json.dumps(asdict(snapshot.loop), allow_nan=False).encode(), np.uint8)
    arrays = sorted({**snapshot.arrays, _LOOP: loop}.items(), key=lambda item: (-item[1].itemsize, item[0]))
    tensors = {name: Tensor(_TYPES[array.dtype.str], array.shape, _blocks(array)) for name, array in arrays}
    header = _Header(_KIND, SNAPSHOT_VERSION, snapshot.identity, snapshot.point)
    save_tensors(path, tensors, TypeAdapter(_Header).dump_python(header, mode="json"), overwrite=True)


def load(path: Path) -> Snapshot:
    """Return the snapshot of `path`, its arrays memory-mapped, after every check there is.

    Raises VectorsError for a file that is missing, damaged, crafted, newer than this program or no snapshot.
    """
    arrays, metadata = load_tensors(path)
    if metadata.get("kind") != _KIND:
        raise VectorsError(f"{path} is no snapshot of a training but another file of w2v: name the training's output.")
    version = metadata.get("snapshot_version")
    if version != SNAPSHOT_VERSION:
        raise VectorsError(
            f"{path} has snapshot version {reprlib.repr(version)}, this w2v reads {SNAPSHOT_VERSION}: upgrade w2v-cli."
        )
    try:
        header = TypeAdapter(_Header).validate_python(metadata)
        loop = TypeAdapter(LoopState).validate_python(read_json(arrays.pop(_LOOP).tobytes()))
    except (KeyError, ValueError, RecursionError) as error:  # ValidationError is a ValueError
        raise damaged(path, f"it says too little of its training ({shortened(error)})") from error
    for name, array in arrays.items():
        if array.dtype.str not in _TYPES or not _is_within(array, _MAX_FLOAT32):
            raise damaged(path, f"its {reprlib.repr(name)} hold values that are no finite numbers")
    return Snapshot(header.identity, header.point, loop, arrays)


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
    """Return what is wrong with the contents, on one line."""
    if isinstance(error, ValidationError):
        wrong = error.errors(include_url=False)[0]
        return textwrap.shorten(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", _LONGEST_CAUSE, placeholder="…")
    return textwrap.shorten(str(error), _LONGEST_CAUSE, placeholder="…")


def _is_within(array: NDArray[Any], limit: float) -> bool:
    """Return whether no number is beyond ±limit or NaN; whole numbers always are."""
    if array.dtype.kind != "f":
        return True
    return all(bool(block.min() >= -limit and block.max() <= limit) for block in _blocks(array))  # False for NaN


def _blocks(array: NDArray[Any]) -> list[NDArray[Any]]:
    """Return views of the rows, some at a time."""
    return [array[first : first + _BLOCK_ROWS] for first in range(0, len(array), _BLOCK_ROWS)]
