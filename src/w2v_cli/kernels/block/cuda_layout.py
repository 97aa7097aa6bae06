"""The interface of block.cu: its constants, memory and arguments, computed without CuPy and without a GPU."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from w2v_cli.config.schema import ModelSettings, SamplingSettings
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, SPAN_WORDS, shared_negatives
from w2v_cli.kernels.block.reference import MAX_SCORE
from w2v_cli.kernels.objectives import Objective, objective_of

SOURCE = Path(__file__).with_name("block.cu")
DRAW_KERNEL, TRAIN_KERNEL = "draw_spans", "train_blocks"
DRAW_THREADS, TRAIN_THREADS = 1024, 256
DRAW_SHARED_BYTES = 4 * 33  # a count for each warp of 32 threads, and their sum
LAUNCH_WORDS = 64 * SPAN_WORDS  # about a million corpus words
MAX_DIM = 512
_QUAD = 4  # floats of a float4
_WORDS_PER_WINDOW = 8  # a window in flight for each eight words of the vocabulary: more made neighbours worse


@dataclass(frozen=True)
class Layout:
    """The constants that block.cu is compiled with, which decide the layout of its shared memory.

    Attributes:
        objective: the model.
        dim: D, padded.
        window: words on each side of a centre.
        shared_negatives: N.
        slices: parts in which rows are staged in shared memory.
    """

    objective: Objective
    dim: int
    window: int
    shared_negatives: int
    slices: int

    @property
    def shared_bytes(self) -> int:
        """Return the size of the struct Shared of block.cu."""
        contexts, outputs = self._contexts, BLOCK_CENTRES + self.shared_negatives
        slice_dim = _up_to(-(-self.dim // self.slices), _QUAD)
        more_rows, errors = self.objective.shared_room(contexts, self.shared_negatives)
        rows = contexts + outputs + more_rows
        masks = 3 * contexts + outputs + self.shared_negatives
        return 4 * (rows * slice_dim + errors + 5 * BLOCK_CENTRES + masks)

    @property
    def bytes_per_centre(self) -> float:
        """Return the bytes of rows that a full block reads from and adds to device memory, per centre.

        >>> from w2v_cli.kernels.objectives import SkipGram
        >>> Layout(SkipGram(), dim=100, window=5, shared_negatives=16, slices=1).bytes_per_centre
        2250.0
        """
        rows = BLOCK_CENTRES + 2 * self.window + BLOCK_CENTRES + self.shared_negatives
        passes = 2 if self.slices == 1 else 3  # read and add; rows staged in slices are read twice
        return passes * 4 * self.dim * rows / BLOCK_CENTRES

    def options(self) -> tuple[str, ...]:
        """Return the compiler's options without the architecture."""
        constants = {
            "BLOCK_CENTRES": BLOCK_CENTRES,
            "MAX_SCORE": f"{MAX_SCORE}f",
            "DIM": self.dim,
            "SLICES": self.slices,
            "WINDOW": self.window,
            "SHARED_NEGATIVES": self.shared_negatives,
            "TRAIN_THREADS": TRAIN_THREADS,
            "SHARED_BYTES": self.shared_bytes,
            **self.objective.cuda_constants,
        }
        return ("--std=c++17", *(f"-D{name}={value}" for name, value in constants.items()))

    @property
    def _contexts(self) -> int:
        return _up_to(BLOCK_CENTRES + 2 * self.window, _QUAD)


@dataclass(frozen=True)
class Text:
    """A corpus and its distributions on the device, as EncodedText, keep_probabilities and NegativeTable have them.

    Attributes:
        word_ids: (N,) int32.
        sentence_offsets: (S + 1,) int64.
        keep_probability: (V,) float32.
        own_share: (V,) float32.
        alias: (V,) int32.
    """

    word_ids: Any
    sentence_offsets: Any
    keep_probability: Any
    own_share: Any
    alias: Any


@dataclass(frozen=True)
class KeptWords:
    """Room on the device for the kept words of a launch: (spans, room) int32 each.

    Attributes:
        span_bounds: (spans, 3) int32.
    """

    word_ids: Any
    offsets: Any
    sentences: Any
    span_bounds: Any


@dataclass(frozen=True)
class Matrices:
    """Both matrices on the device, (V, dim) float32, and the totals, (2,) float64: loss in nats, positive pairs."""

    input_vectors: Any
    output_vectors: Any
    totals: Any


@dataclass(frozen=True)
class Launch:
    """The corpus positions start … stop of an epoch, in spans of span_words, and the learning rates at both."""

    epoch: int
    start: int
    stop: int
    first_rate: float
    last_rate: float
    span_words: int = SPAN_WORDS

    @property
    def spans(self) -> int:
        """The number of spans; the last one may be shorter."""
        return -(-(self.stop - self.start) // self.span_words)


def choose_layout(model: ModelSettings, negatives: int, shared_limit: int) -> Layout | None:
    """Return the layout of the fewest slices that fits into a block's shared memory, None if there is none.

    negatives: K. shared_limit: bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin.
    """
    count = shared_negatives(negatives)
    dim = padded_dim(model.dim)
    for slices in range(1, dim // _QUAD + 1):
        layout = Layout(objective_of(model), dim, model.window, count, slices)
        if layout.shared_bytes <= shared_limit:
            return layout
    return None


def padded_dim(dim: int) -> int:
    """Return the length of a row that is whole float4.

    >>> padded_dim(50)
    52
    """
    return _up_to(dim, _QUAD)


def kept_room(window: int, span_words: int = SPAN_WORDS) -> int:
    """Return the capacity for the kept words of a span and around it."""
    return span_words + 2 * (window + DRAW_THREADS)


def blocks_in_flight(vocabulary_size: int, resident: int) -> int:
    """Return the default number of blocks in flight, at least 1.

    resident: how many blocks of threads the device holds at a time. With more windows in flight than an eighth of the
    vocabulary the neighbours of a word were worse, in a model on the CPU; not measured on a GPU.
    """
    return max(1, min(resident, vocabulary_size // (_WORDS_PER_WINDOW * BLOCK_CENTRES)))


def draw_arguments(text: Text, kept: KeptWords, seed: int, launch: Launch) -> tuple[Any, ...]:
    """Return the arguments of draw_spans in their order, numbers as NumPy scalars of the kernel's types."""
    return (
        text.word_ids,
        text.sentence_offsets,
        np.int32(len(text.sentence_offsets) - 1),
        text.keep_probability,
        np.uint64(seed),
        np.uint32(launch.epoch),
        np.int64(launch.start),
        np.int64(launch.stop),
        np.int32(launch.span_words),
        np.int32(kept.word_ids.shape[1]),
        kept.word_ids,
        kept.offsets,
        kept.sentences,
        kept.span_bounds,
    )


def train_arguments(
    matrices: Matrices, text: Text, kept: KeptWords, model: ModelSettings, sampling: SamplingSettings, launch: Launch
) -> tuple[Any, ...]:
    """Return the arguments of train_blocks in their order, numbers as NumPy scalars of the kernel's types."""
    negatives = sampling.negatives
    return (
        matrices.input_vectors,
        matrices.output_vectors,
        kept.word_ids,
        kept.offsets,
        kept.sentences,
        kept.span_bounds,
        np.int32(launch.spans),
        np.int32(kept.word_ids.shape[1]),
        text.own_share,
        text.alias,
        np.int32(len(text.alias)),
        np.uint64(sampling.seed),
        np.uint32(launch.epoch),
        np.int64(launch.start),
        np.int64(launch.stop),
        np.int32(launch.span_words),
        np.float64(launch.first_rate),
        np.float64(launch.last_rate),
        np.float32(negatives / shared_negatives(negatives)),
        np.int32(model.shrink_window),
        np.int32(model.partial_windows),
        np.int32(objective_of(model).is_classic),
        matrices.totals,
    )


def _up_to(size: int, unit: int) -> int:
    """Return the smallest multiple of `unit` that is not below `size`."""
    return (size + unit - 1) // unit * unit
