"""The objectives: the prediction that each model makes, and every other difference between the models.

Engines, trainers and estimates ask the objective instead of the name of the model. A third model is a third class here,
a step in `block/reference.py`, and the compiled twins of that step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelName, ModelSettings
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, Block
from w2v_cli.kernels.block.reference import Matrix, cbow_block_step, skipgram_block_step
from w2v_cli.kernels.windows import NO_WORD

_SHORTEST_LOOP = 64  # LLVM vectorises a loop over this many floats, and takes the rest one by one


class Examples(NamedTuple):
    """Examples of the minibatch algorithm made from B centres: predict targets[i] from the mean of inputs[i].

    Attributes:
        inputs: (E, C) int32 word ids, filled up with NO_WORD.
        targets: (E,) int32 word ids.
        rows: (E,) int64, rising, the centre in [0, B) that each example was made from.
        slots: (E,) int64, its number among the examples of that centre.
    """

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]
    rows: NDArray[np.int64]
    slots: NDArray[np.int64]


class Objective(Protocol):
    """A model, as far as training is concerned."""

    @property
    def name(self) -> ModelName:
        """The name of the model in settings and messages."""

    @property
    def is_classic(self) -> bool:
        """Whether each input receives the whole ∂L/∂h (word2vec.c), not its share of it, in the minibatch algorithm."""

    @property
    def compiled_flags(self) -> tuple[bool | None, bool | None]:
        """The arguments is_skipgram and is_classic of the compiled kernels; None rules a branch out."""

    @property
    def cuda_constants(self) -> Mapping[str, int]:
        """The constants by which block.cu compiles this model alone."""

    def block_step(
        self, input_vectors: Matrix, output_vectors: Matrix, block: Block, negatives: int, learning_rate: float
    ) -> tuple[float, int]:
        """Take one SGD step on a block, in place: the reference of the block algorithm.

        Args:
            input_vectors: (V, D) floats.
            output_vectors: (V, D) floats.
            block: the centres, their contexts and shared negatives.
            negatives: K, the negatives per pair that the shared ones stand for.
            learning_rate: step size per pair.

        Returns:
            The summed loss in nats, and the number of positive pairs.
        """

    def examples(self, centres: NDArray[np.int32], contexts: NDArray[np.int32]) -> Examples:
        """Return the examples that the minibatch algorithm trains on.

        Args:
            centres: (B,) word ids.
            contexts: (B, 2·window) word ids, NO_WORD outside a centre's window.
        """

    def slots(self, window: int) -> int:
        """Return the most examples that one centre makes, for the numbering of draws."""

    def ids_per_centre(self, model: ModelSettings, negatives: int) -> int:
        """Return how many word ids the examples of a centre hold on average: inputs, targets and K negatives."""

    def pair_shape(self, places: int) -> tuple[int, int]:
        """Return the shape of the positive pairs' scores in compiled code; places: of a window, padded."""

    def shared_room(self, contexts: int, negatives: int) -> tuple[int, int]:
        """Return what a block takes of a GPU's shared memory besides its own rows: further rows, and scores.

        Args:
            contexts: places for context words, padded.
            negatives: N, the shared negatives of a block.
        """


@dataclass(frozen=True)
class SkipGram:
    """Skip-gram: one prediction for each pair of a centre and a context word.

    The centre predicts each context word in the minibatch algorithm (Mikolov et al. 2013a), and each context word the
    centre in the block algorithm, as in word2vec.c: over a corpus the pairs are the same.
    """

    name: ModelName = "skipgram"
    is_classic: bool = True  # an example has one input: its share is the whole
    compiled_flags: tuple[bool | None, bool | None] = (True, None)

    @property
    def cuda_constants(self) -> Mapping[str, int]:
        """The constants by which block.cu compiles this model alone."""
        return {"IS_SKIPGRAM": 1}

    def block_step(
        self, input_vectors: Matrix, output_vectors: Matrix, block: Block, negatives: int, learning_rate: float
    ) -> tuple[float, int]:
        """Take one step of `skipgram_block_step`."""
        return skipgram_block_step(input_vectors, output_vectors, block, negatives, learning_rate)

    def examples(self, centres: NDArray[np.int32], contexts: NDArray[np.int32]) -> Examples:
        """Return an example for each pair: the centre is the input, C = 1, and the context word the target."""
        rows, slots = np.nonzero(contexts != NO_WORD)
        return Examples(centres[rows, None], contexts[rows, slots], rows, slots)

    def slots(self, window: int) -> int:
        """Return the places of a window."""
        return 2 * window

    def ids_per_centre(self, model: ModelSettings, negatives: int) -> int:
        """Return the ids of all pairs of a centre; a window drawn from 1 to w has w + 1 words on average."""
        pairs = model.window + 1 if model.shrink_window else 2 * model.window
        return pairs * (2 + negatives)

    def pair_shape(self, places: int) -> tuple[int, int]:
        """Return a row for each centre, a column for each place of its window."""
        return BLOCK_CENTRES, places

    def shared_room(self, contexts: int, negatives: int) -> tuple[int, int]:
        """Return no rows, and a score for each context word with each centre and negative."""
        return 0, (BLOCK_CENTRES + negatives) * contexts


@dataclass(frozen=True)
class Cbow:
    """CBOW: the mean of the context words predicts the centre (Mikolov et al. 2013a).

    Attributes:
        is_classic: each context word receives the whole ∂L/∂h, as in word2vec.c, not its share of it.
    """

    is_classic: bool
    name: ModelName = "cbow"

    @property
    def compiled_flags(self) -> tuple[bool | None, bool | None]:
        """The arguments is_skipgram and is_classic of the compiled kernels."""
        return None, self.is_classic

    @property
    def cuda_constants(self) -> Mapping[str, int]:
        """The constants by which block.cu compiles this model alone."""
        return {"IS_SKIPGRAM": 0}

    def block_step(
        self, input_vectors: Matrix, output_vectors: Matrix, block: Block, negatives: int, learning_rate: float
    ) -> tuple[float, int]:
        """Take one step of `cbow_block_step`."""
        return cbow_block_step(input_vectors, output_vectors, block, negatives, learning_rate, self.is_classic)

    def examples(self, centres: NDArray[np.int32], contexts: NDArray[np.int32]) -> Examples:
        """Return an example for each centre, the target; its context words are the inputs, C = 2·window."""
        return Examples(contexts, centres, np.arange(len(centres)), np.zeros(len(centres), dtype=np.int64))

    def slots(self, window: int) -> int:  # noqa: ARG002  the protocol's
        """Return 1."""
        return 1

    def ids_per_centre(self, model: ModelSettings, negatives: int) -> int:
        """Return the places of a window, the centre and its negatives."""
        return 2 * model.window + 1 + negatives

    def pair_shape(self, places: int) -> tuple[int, int]:  # noqa: ARG002  the protocol's
        """Return a column for each centre."""
        return 1, max(BLOCK_CENTRES, _SHORTEST_LOOP)

    def shared_room(self, contexts: int, negatives: int) -> tuple[int, int]:  # noqa: ARG002  the protocol's
        """Return a row for the mean of each window, and a score for each mean with each negative."""
        return BLOCK_CENTRES, negatives * BLOCK_CENTRES


def objective_of(model: ModelSettings) -> Objective:
    """Return the objective that the settings of a model name.

    Args:
        model: The settings of the model.
    """
    return _OBJECTIVES[model.model, model.cbow_gradient]


_OBJECTIVES: Mapping[tuple[str, str], Objective] = MappingProxyType(
    {
        ("skipgram", "classic"): SkipGram(),
        ("skipgram", "mean"): SkipGram(),
        ("cbow", "classic"): Cbow(is_classic=True),
        ("cbow", "mean"): Cbow(is_classic=False),
    }
)
