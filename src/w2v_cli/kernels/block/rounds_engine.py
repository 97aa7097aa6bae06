"""The block contract with the same bytes on any number of threads."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from w2v_cli.config.schema import Config, ModelSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.jit.njit import is_kept
from w2v_cli.kernels.block.blocks import shared_negatives
from w2v_cli.kernels.block.deterministic_numba import Rounds, join_rounds
from w2v_cli.kernels.block.engine import CompiledEngine
from w2v_cli.kernels.block.scratch import build_scratch, padded_dim, zeros
from w2v_cli.kernels.block.spans_numba import Text, build_kept_words
from w2v_cli.kernels.block.train_numba import Span

_SPAN_WORDS = 1 << 13
_SPANS = 8  # a round's blocks: each knows nothing of the others, so that more would cost quality (docs/adr/0007)


class RoundsEngine(CompiledEngine):
    """Trains up to eight spans side by side on threads of its own; one caller at a time."""

    span_words = _SPANS * _SPAN_WORDS

    def __init__(
        self, corpus: EncodedText, config: Config, held_out: EncodedText | None = None, *, threads: int
    ) -> None:
        super().__init__(corpus, config, held_out)
        model = config.model
        shared = shared_negatives(config.sampling.negatives)
        self._rounds = _build_rounds(model, shared)
        self._scratches = [build_scratch(model, shared) for _ in range(threads)]
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="w2v-round")

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code was kept by an earlier run."""
        return is_kept(join_rounds)

    def _train(self, text: Text, span: Span) -> tuple[float, int]:
        """Train on a span as on up to eight shorter ones."""
        borders = np.append(np.arange(span.start, span.stop, _SPAN_WORDS), span.stop)
        done = (borders - span.start) / (span.stop - span.start)
        rates = span.first_rate + (span.last_rate - span.first_rate) * done
        spans, rounds = len(borders) - 1, self._rounds
        rounds.starts[:spans], rounds.stops[:spans] = borders[:-1], borders[1:]
        rounds.first_rates[:spans], rounds.last_rates[:spans] = rates[:-1], rates[1:]
        rounds.counters[:] = 0
        join = partial(join_rounds, self._model, text, self._draws, span.epoch, spans, *self._flags, rounds)
        for joined in [self._threads.submit(join, scratch) for scratch in self._scratches]:
            joined.result()
        return float(rounds.losses[:spans].sum()), int(rounds.pairs[:spans].sum())


def _build_rounds(model: ModelSettings, negatives: int) -> Rounds:
    """Return room for the spans that are trained side by side."""
    scratch, kept = build_scratch(model, negatives), build_kept_words(_SPAN_WORDS, model.window)
    return Rounds(
        starts=np.zeros(_SPANS, np.int64),
        stops=np.zeros(_SPANS, np.int64),
        first_rates=np.zeros(_SPANS),
        last_rates=np.zeros(_SPANS),
        bounds=np.zeros((_SPANS, 3), np.int64),
        word_ids=np.zeros((_SPANS, *kept.word_ids.shape), np.int32),
        positions=np.zeros((_SPANS, *kept.positions.shape), np.int64),
        left=np.zeros((_SPANS, *kept.left.shape), np.int32),
        right=np.zeros((_SPANS, *kept.right.shape), np.int32),
        chances=np.zeros((_SPANS, *kept.chances.shape), np.uint32),
        x_gradient=zeros((_SPANS, *scratch.x.shape)),
        y_gradient=zeros((_SPANS, len(scratch.output_ids), padded_dim(model.dim))),
        output_ids=zeros((_SPANS, *scratch.output_ids.shape), np.int32),
        losses=np.zeros(_SPANS),
        pairs=np.zeros(_SPANS, np.int64),
        counters=np.zeros(16, np.int64),
    )
