"""The block contract on compiled kernels: the matrices, the draws and a scratch for each thread at work."""

from collections.abc import Mapping
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.jit.njit import is_kept
from w2v_cli.kernels.block.blocks import SPAN_WORDS, shared_negatives
from w2v_cli.kernels.block.scratch import Model, Scratch, build_scratch, padded_dim, zeros
from w2v_cli.kernels.block.spans_numba import Draws, KeptWords, Text, build_kept_words
from w2v_cli.kernels.block.train_numba import Span, train_span
from w2v_cli.kernels.embeddings import Embeddings, build_embeddings
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.sampling import build_negative_table, keep_probabilities


class CompiledEngine:
    """The block contract, compiled; spans may be trained by any number of threads at a time."""

    span_words = SPAN_WORDS
    blocks_in_flight = None

    def __init__(
        self,
        corpus: EncodedText,
        config: Config,
        held_out: EncodedText | None = None,
        start: Embeddings | None = None,
    ) -> None:
        self._config = config
        self._flags = objective_of(config.model).compiled_flags
        self._text, self._draws = _text_and_draws(corpus, config)
        self._held_out = _with_sentences(self._text, held_out) if held_out else None
        start = _padded(start) if start else _first_values(corpus, config)
        self._model = Model(start.input_vectors, start.output_vectors, negatives=config.sampling.negatives)
        self._idle: SimpleQueue[tuple[KeptWords, Scratch]] = SimpleQueue()

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code was kept by an earlier run."""
        return is_kept(train_span)

    def prepare(self) -> None:
        """Compile, or load, by training on one word at learning rate 0: nothing is changed."""
        self._train(self._text, Span(0, 0, 1, 0.0, 0.0))

    def train_span(self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float) -> tuple[float, int]:
        """Train on a span in the calling thread, without the interpreter's lock."""
        return self._train(self._text, Span(epoch, start, stop, first_rate, last_rate))

    def measure_span(self, start: int, stop: int) -> tuple[float, int]:
        """Return loss and pairs of held-out sentences: train on them at learning rate 0."""
        if self._held_out is None:
            raise ValueError("no sentences are held out")
        return self._train(self._held_out, Span(0, start, stop, 0.0, 0.0))

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D), as they lie in memory: training on changes them."""
        return self._model.input_vectors[:, : self._config.model.dim]

    def read_state(self) -> Mapping[str, NDArray[np.float32]]:
        """Return views of both matrices without their padding, (V, D)."""
        dim = self._config.model.dim
        return {
            "input_vectors": self._model.input_vectors[:, :dim],
            "output_vectors": self._model.output_vectors[:, :dim],
        }

    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Put back what `read_state` returned."""
        for name, matrix in self.read_state().items():
            matrix[:] = state[name]

    def _train(self, text: Text, span: Span) -> tuple[float, int]:
        room = self._take_room()
        result: tuple[float, int] = train_span(self._model, text, self._draws, span, *self._flags, *room)
        self._idle.put(room)
        return result

    def _take_room(self) -> tuple[KeptWords, Scratch]:
        """Return what one thread needs to work in and no other works in now."""
        try:
            return self._idle.get_nowait()
        except Empty:
            model = self._config.model
            shared = shared_negatives(self._config.sampling.negatives)
            return build_kept_words(SPAN_WORDS, model.window), build_scratch(model, shared)


def _text_and_draws(corpus: EncodedText, config: Config) -> tuple[Text, Draws]:
    """Return the corpus and the settings of the draws as the compiled functions take them."""
    counts, model = corpus.word_counts, config.model
    table = build_negative_table(counts, config.sampling.exponent)
    keep_probability = keep_probabilities(counts, config.sampling.subsample)
    text = Text(corpus.word_ids, corpus.sentence_offsets, keep_probability, table.own_share, table.alias)
    return text, Draws(np.uint64(config.sampling.seed), model.window, model.shrink_window, model.partial_windows)


def _with_sentences(text: Text, corpus: EncodedText) -> Text:
    """Return other sentences with the same distributions."""
    return text._replace(word_ids=corpus.word_ids, sentence_offsets=corpus.sentence_offsets)


def _first_values(corpus: EncodedText, config: Config) -> Embeddings:
    size, seed = corpus.vocabulary_size, config.sampling.seed
    return build_embeddings(size, config.model, seed, allocate=_padded_zeros)


def _padded(start: Embeddings) -> Embeddings:
    """Return a copy with rows as the kernels need them."""
    copies = []
    for matrix in (start.input_vectors, start.output_vectors):
        copies.append(_padded_zeros(matrix.shape))
        copies[-1][:, : matrix.shape[1]] = matrix
    return Embeddings(*copies)


def _padded_zeros(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return zeros with rows of whole cache lines; what is added to a row is zero and stays zero."""
    return zeros((shape[0], padded_dim(shape[1])))
