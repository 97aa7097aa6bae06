"""The engines of the compiled block kernels: lock-free threads, or the same bytes on any number of threads."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings, SamplingSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.jit.njit import is_kept
from w2v_cli.kernels.block.blocks import SPAN_WORDS, shared_negatives
from w2v_cli.kernels.block.deterministic_numba import Rounds, join_rounds
from w2v_cli.kernels.block.scratch import Model, Scratch, build_scratch, padded_dim, zeros
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.block.spans_numba import Draws, KeptWords, Text, build_kept_words
from w2v_cli.kernels.block.train_numba import Span, train_span
from w2v_cli.kernels.embeddings import Embeddings, build_embeddings
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.sampling import build_distributions

_SPANS_AT_ONCE = 8  # their blocks know nothing of each other, so that more would cost quality (docs/adr/0007)
_SHORT_SPAN_WORDS = 1 << 13


class CompiledEngine:
    """The block engine for threads without locks (Hogwild): any number of them may train spans at a time."""

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
        self._model_settings = model
        self._shared_negatives = shared_negatives(sampling.negatives)
        self._flags = objective_of(model).compiled_flags
        self._text, self._draws = _text_and_draws(corpus, model, sampling)
        self._held_out = _with_sentences(self._text, held_out) if held_out else None
        size = corpus.vocabulary_size
        start = _padded(start) if start else build_embeddings(size, model, sampling.seed, allocate=_padded_zeros)
        self._model = Model(start.input_vectors, start.output_vectors, negatives=sampling.negatives)
        self._idle: SimpleQueue[tuple[KeptWords, Scratch]] = SimpleQueue()

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code was kept by an earlier run."""
        return is_kept(train_span)

    def prepare(self) -> None:
        """Compile, or load compiled code, by training on one word at learning rate 0, which changes nothing."""
        self.train_span(0, 0, 1, 0.0, 0.0)

    def train_span(
        self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float, text: Text | None = None
    ) -> tuple[float, int]:
        """Train on a span in the calling thread, without the interpreter's lock; text: None: the one to train on."""
        text = self._text if text is None else text
        span, room = Span(epoch, start, stop, first_rate, last_rate), self._take_room()
        result: tuple[float, int] = train_span(self._model, text, self._draws, span, *self._flags, *room)
        self._idle.put(room)
        return result

    def measure_span(self, start: int, stop: int) -> tuple[float, int]:
        """Return loss and pairs of held-out sentences: train on them at learning rate 0."""
        if self._held_out is None:
            raise ValueError("no sentences are held out")
        return self.train_span(0, start, stop, 0.0, 0.0, self._held_out)

    def read_vectors(self) -> NDArray[np.float32]:
        """Return a view of the input vectors, (V, D)."""
        return self._model.input_vectors[:, : self._model_settings.dim]

    def read_state(self) -> Mapping[str, NDArray[np.float32]]:
        """Return views of both matrices without their padding, (V, D)."""
        dim = self._model_settings.dim
        return {
            "input_vectors": self._model.input_vectors[:, :dim],
            "output_vectors": self._model.output_vectors[:, :dim],
        }

    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Put back what `read_state` returned."""
        for name, matrix in self.read_state().items():
            matrix[:] = state[name]

    def _take_room(self) -> tuple[KeptWords, Scratch]:
        """Return buffers for one thread that no other thread uses now."""
        try:
            return self._idle.get_nowait()
        except Empty:
            model = self._model_settings
            return build_kept_words(SPAN_WORDS, model.window), build_scratch(model, self._shared_negatives)


class DeterministicEngine(CompiledEngine):
    """The block engine of `--deterministic`: the same bytes on any number of threads.

    It trains up to eight short spans side by side, on threads of its own; one thread calls it.
    """

    span_words = _SPANS_AT_ONCE * _SHORT_SPAN_WORDS

    def __init__(
        self, corpus: EncodedText, settings: BlockSettings, held_out: EncodedText | None = None, *, threads: int
    ) -> None:
        super().__init__(corpus, settings, held_out)
        model, shared = settings.model, self._shared_negatives
        self._rounds = _build_rounds(model, shared)
        self._scratches = [build_scratch(model, shared) for _ in range(threads)]
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="w2v-deterministic")

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code was kept by an earlier run."""
        return is_kept(join_rounds)

    def train_span(
        self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float, text: Text | None = None
    ) -> tuple[float, int]:
        """Train on a span as on up to eight shorter ones: each thread does a share of their blocks."""
        text = self._text if text is None else text
        borders = np.append(np.arange(start, stop, _SHORT_SPAN_WORDS), stop)
        done = (borders - start) / (stop - start)
        rates = first_rate + (last_rate - first_rate) * done
        spans, rounds = len(borders) - 1, self._rounds
        rounds.starts[:spans], rounds.stops[:spans] = borders[:-1], borders[1:]
        rounds.first_rates[:spans], rounds.last_rates[:spans] = rates[:-1], rates[1:]
        rounds.counters[:] = 0
        join = partial(join_rounds, self._model, text, self._draws, epoch, spans, *self._flags, rounds)
        for thread in [self._threads.submit(join, scratch) for scratch in self._scratches]:
            thread.result()
        return float(rounds.losses[:spans].sum()), int(rounds.pairs[:spans].sum())


def _text_and_draws(corpus: EncodedText, model: ModelSettings, sampling: SamplingSettings) -> tuple[Text, Draws]:
    """Return the text and the settings of the draws in the form of the compiled functions."""
    keep_probability, table = build_distributions(corpus.word_counts, sampling)
    text = Text(corpus.word_ids, corpus.sentence_offsets, keep_probability, table.own_share, table.alias)
    return text, Draws(np.uint64(sampling.seed), model.window, model.shrink_window, model.partial_windows)


def _with_sentences(text: Text, corpus: EncodedText) -> Text:
    """Return the text with other sentences and the same distributions."""
    return text._replace(word_ids=corpus.word_ids, sentence_offsets=corpus.sentence_offsets)


def _padded(start: Embeddings) -> Embeddings:
    """Return a copy with padded rows."""
    copies = []
    for matrix in (start.input_vectors, start.output_vectors):
        copies.append(_padded_zeros(matrix.shape))
        copies[-1][:, : matrix.shape[1]] = matrix
    return Embeddings(*copies)


def _padded_zeros(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return zeros with rows padded to whole cache lines; the padding stays zero."""
    return zeros((shape[0], padded_dim(shape[1])))


def _build_rounds(model: ModelSettings, negatives: int) -> Rounds:
    """Return buffers for the spans that are trained side by side."""
    scratch, kept = build_scratch(model, negatives), build_kept_words(_SHORT_SPAN_WORDS, model.window)
    return Rounds(
        starts=np.zeros(_SPANS_AT_ONCE, np.int64),
        stops=np.zeros(_SPANS_AT_ONCE, np.int64),
        first_rates=np.zeros(_SPANS_AT_ONCE),
        last_rates=np.zeros(_SPANS_AT_ONCE),
        bounds=np.zeros((_SPANS_AT_ONCE, 3), np.int64),
        word_ids=np.zeros((_SPANS_AT_ONCE, *kept.word_ids.shape), np.int32),
        positions=np.zeros((_SPANS_AT_ONCE, *kept.positions.shape), np.int64),
        left=np.zeros((_SPANS_AT_ONCE, *kept.left.shape), np.int32),
        right=np.zeros((_SPANS_AT_ONCE, *kept.right.shape), np.int32),
        chances=np.zeros((_SPANS_AT_ONCE, *kept.chances.shape), np.uint32),
        x_gradient=zeros((_SPANS_AT_ONCE, *scratch.x.shape)),
        y_gradient=zeros((_SPANS_AT_ONCE, len(scratch.output_ids), padded_dim(model.dim))),
        output_ids=zeros((_SPANS_AT_ONCE, *scratch.output_ids.shape), np.int32),
        losses=np.zeros(_SPANS_AT_ONCE),
        pairs=np.zeros(_SPANS_AT_ONCE, np.int64),
        counters=np.zeros(16, np.int64),
    )
