"""The block kernels on the emulator and the NumPy reference, from the same matrices over the same words."""

from dataclasses import dataclass
from itertools import pairwise, zip_longest

import numpy as np
from emulator import Emulator

from w2v_cli.config.resolve import resolve
from w2v_cli.kernels.block import cuda_layout
from w2v_cli.kernels.block.blocks import BlockBuilder, shared_negatives
from w2v_cli.kernels.block.cuda_layout import KeptWords, Launch, Layout, Matrices, Text
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.sampling import build_distributions
from w2v_cli.kernels.windows import NO_WORD

TOLERANCE = 1e-5  # of the update; float32 against float64 differs by 2e-7 to 6e-7, a rate wrong by 1 % by 1e-2
_MARGIN = 4096
KERNELS = (cuda_layout.DRAW_KERNEL, cuda_layout.TRAIN_KERNEL)


@dataclass(frozen=True)
class Result:
    """What a run leaves: both matrices, (V, D), the loss in nats and the positive pairs."""

    input_vectors: np.ndarray
    output_vectors: np.ndarray
    loss: float
    pairs: int


def configure(*sets):
    """Return a config with settings; a small text needs stronger subsampling than a large one for words to fall out."""
    return resolve(sets=["sampling.subsample=0.01", *sets]).config


def whole(corpus, **changes):
    """Return a launch over the whole corpus in four spans, with a rate that falls."""
    words = len(corpus.word_ids)
    given = {"first_rate": 0.02, "last_rate": 0.005, "span_words": -(-words // 4)} | changes
    return Launch(1, 0, words, **given)


def layout_of(config, slices=1):
    """Return the layout for a config, in so many slices."""
    model = config.model
    count = shared_negatives(config.sampling.negatives)
    return Layout(objective_of(model), cuda_layout.padded_dim(model.dim), model.window, count, slices)


def build_emulator(layout, folder, source=None, **options):
    """Return the kernels of a layout on the emulator; source: another than block.cu, with a bug in it."""
    text = cuda_layout.SOURCE.read_text(encoding="utf-8") if source is None else source
    return Emulator(text, layout.options(), folder, kernels=KERNELS, **options)


def random_matrices(vocabulary_size, dim, seed=3):
    """Return both matrices, (V, D) float32, with scores of a size at which nothing is flat."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, dim**-0.5, (vocabulary_size, dim)).astype(np.float32) for _ in range(2)]


def text_of(corpus, config):
    """Return the corpus and its distributions, the host's memory for the device's."""
    keep_probability, table = build_distributions(corpus.word_counts, config.sampling)
    return Text(corpus.word_ids, corpus.sentence_offsets, keep_probability, table.own_share, table.alias)


def draw_on_emulator(emulator, text, config, launch, *, threads=64, seed=0):
    """Return the kept words of a launch."""
    shape = launch.spans, cuda_layout.kept_room(config.model.window, launch.span_words)
    kept = KeptWords(*(_with_margins(shape) for _ in range(3)), np.zeros((launch.spans, 3), np.int32))
    arguments = cuda_layout.draw_arguments(text, kept, config.sampling.seed, launch)
    shared_bytes = cuda_layout.DRAW_SHARED_BYTES
    emulator.launch(KERNELS[0], launch.spans, threads, shared_bytes, arguments, resident=1, seed=seed)
    return kept


def train_on_emulator(emulator, layout, matrices, corpus, config, launch, *, in_flight=1, seed=0):
    """Return the Result of a launch with so many blocks in flight."""
    text = text_of(corpus, config)
    kept = draw_on_emulator(emulator, text, config, launch, seed=seed)
    padded = [np.pad(matrix, ((0, 0), (0, layout.dim - matrix.shape[1]))) for matrix in matrices]
    device = Matrices(*(_aligned(matrix) for matrix in padded), np.zeros(2))
    arguments = cuda_layout.train_arguments(device, text, kept, config.model, config.sampling, launch)
    emulator.launch(KERNELS[1], in_flight, cuda_layout.TRAIN_THREADS, layout.shared_bytes, arguments, seed=seed)
    dim = config.model.dim
    assert not device.input_vectors[:, dim:].any()
    assert not device.output_vectors[:, dim:].any()
    return Result(device.input_vectors[:, :dim], device.output_vectors[:, :dim], device.totals[0], device.totals[1])


def train_on_reference(matrices, corpus, config, launch):
    """Return the Result of the float64 reference, its blocks in the order of the kernel: in turn from each span."""
    wide = [matrix.astype(np.float64) for matrix in matrices]
    builder = BlockBuilder(corpus, config.model, config.sampling)
    borders = [*range(launch.start, launch.stop, launch.span_words), launch.stop]
    spans = [builder.iterate_span(launch.epoch, *span) for span in pairwise(borders)]
    loss, pairs = 0.0, 0
    for blocks in zip_longest(*spans):
        for block in filter(None, blocks):
            passed = (block.position - launch.start) / (launch.stop - launch.start)
            rate = launch.first_rate + (launch.last_rate - launch.first_rate) * passed
            added = _step(wide, block, config, rate)
            loss, pairs = loss + added[0], pairs + added[1]
    return Result(*wide, loss, pairs)


def update_error(found, expected, matrices):
    """Return the larger of both matrices' |found update - expected update| / |expected update|; NaN is infinite."""
    after = (found.input_vectors, found.output_vectors), (expected.input_vectors, expected.output_vectors)
    errors = [_error(one - other, other - before) for one, other, before in zip(*after, matrices, strict=True)]
    return max(errors)


def _error(difference, update):
    size, update_size = np.linalg.norm(difference), np.linalg.norm(update)
    if np.isnan(size):
        return np.inf
    return float(size / update_size) if update_size > 0 else float(size)


def compare(corpus, config, folder, *, slices=1, launch=None, scale=1.0, **options):
    """Return (update error, what the kernels left, what the reference left)."""
    layout, launch = layout_of(config, slices), launch or whole(corpus)
    emulator = build_emulator(layout, folder, **options)
    matrices = [scale * matrix for matrix in random_matrices(corpus.vocabulary_size, config.model.dim)]
    expected = train_on_reference(matrices, corpus, config, launch)
    found = train_on_emulator(emulator, layout, matrices, corpus, config, launch)
    return update_error(found, expected, matrices), found, expected


def _step(matrices, block, config, rate):
    negatives = config.sampling.negatives
    return objective_of(config.model).block_step(*matrices, block, negatives, rate)


def _with_margins(shape):
    """Return an array full of NO_WORD between words that nobody owns: a kernel with a bug may write beside it."""
    size = shape[0] * shape[1]
    return np.full(size + 2 * _MARGIN, NO_WORD, np.int32)[_MARGIN : _MARGIN + size].reshape(shape)


def _aligned(matrix):
    """Return a copy that begins at a multiple of 16 bytes, as a float4 must."""
    raw = np.zeros(matrix.nbytes + 16, np.uint8)
    first = -raw.ctypes.data % 16
    copy = raw[first : first + matrix.nbytes].view(np.float32).reshape(matrix.shape)
    copy[:] = matrix
    return copy
