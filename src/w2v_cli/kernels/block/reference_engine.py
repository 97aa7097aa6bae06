"""The engine of the reference equations: slow, on one thread, and what the other engines are tested against."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.block.blocks import SPAN_WORDS, Block, BlockBuilder
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.embeddings import Embeddings, build_embeddings
from w2v_cli.kernels.objectives import objective_of


class ReferenceEngine:
    """The block engine in plain NumPy, for one thread."""

    is_compiled = True
    span_words = SPAN_WORDS
    blocks_in_flight = None

    def __init__(
        self,
        corpus: EncodedText,
        settings: BlockSettings,
        held_out: EncodedText | None = None,
        start: Embeddings | None = None,
    ) -> None:
        model, sampling = settings.model, settings.sampling
        self._builder = BlockBuilder(corpus, model, sampling)
        self._held_out = BlockBuilder(held_out, model, sampling) if held_out else None
        self._objective = objective_of(model)
        self._negatives = sampling.negatives
        self._embeddings = (
            build_embeddings(corpus.vocabulary_size, model, sampling.seed)
            if start is None
            else Embeddings(np.array(start.input_vectors), np.array(start.output_vectors))  # steps are taken in place
        )

    def prepare(self) -> None:
        """Do nothing: there is nothing to compile."""

    def train_span(self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float) -> tuple[float, int]:
        """Train block by block."""
        loss_sum, pairs = 0.0, 0
        for block in self._builder.iterate_span(epoch, start, stop):
            rate = first_rate + (last_rate - first_rate) * (block.position - start) / (stop - start)
            loss, count = self._step(block, rate)
            loss_sum, pairs = loss_sum + loss, pairs + count
        return loss_sum, pairs

    def measure_span(self, start: int, stop: int) -> tuple[float, int]:
        """Return loss and pairs of held-out sentences: take steps of length 0."""
        if self._held_out is None:
            raise ValueError("no sentences are held out")
        steps = [self._step(block, 0.0) for block in self._held_out.iterate_span(0, start, stop)]
        return sum(loss for loss, _ in steps), sum(pairs for _, pairs in steps)

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        vectors: NDArray[np.float32] = self._embeddings.input_vectors
        return vectors

    def read_state(self) -> Mapping[str, NDArray[np.float32]]:
        """Return both matrices themselves."""
        matrices = self._embeddings
        return {"input_vectors": matrices.input_vectors, "output_vectors": matrices.output_vectors}

    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Put back what `read_state` returned."""
        for name, matrix in self.read_state().items():
            matrix[:] = state[name]

    def _step(self, block: Block, rate: float) -> tuple[float, int]:
        matrices = self._embeddings.input_vectors, self._embeddings.output_vectors
        return self._objective.block_step(*matrices, block, self._negatives, rate)
