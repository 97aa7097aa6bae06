"""Deterministic rounds: against the reference's blocks, on any number of threads."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.config.resolve import resolve
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.kernels.block import engine as block_engine
from w2v_cli.kernels.block.blocks import BlockBuilder
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.embeddings import build_embeddings
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.protocols import Backend

RATES = (0.02, 0.01)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Return a text of 150 words, some of them in most blocks, that fills four spans and a piece of a fifth."""
    rng = np.random.default_rng(8)
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    words = np.minimum(rng.zipf(1.3, 34_000), 150)
    path.write_text("\n".join(" ".join(f"w{word}" for word in line) for line in np.split(words, 1700)))
    return scan_corpus(path, resolve(sets=["corpus.min_count=1"]).config.corpus).text


def config_of(model, *sets):
    sets = [f"model.model={model}", "model.dim=20", "model.init=normal", "training.deterministic=true", *sets]
    return resolve(sets=sets).config


def train(corpus, config, threads):
    """Return the losses and input vectors after two epochs."""
    engine = load_block_engine(Backend.NUMBA, corpus, BlockSettings.of(config), threads=threads)
    losses = [engine.train_span(epoch, 0, len(corpus.word_ids), *RATES) for epoch in (0, 1)]
    return losses, engine.read_vectors()


def plain_rounds(corpus, config):
    """Return the same of plain rounds: every block's step taken from one state, then all of them added."""
    model, words = config.model, len(corpus.word_ids)
    start = build_embeddings(corpus.vocabulary_size, model, config.sampling.seed)
    state = [start.input_vectors.astype(float), start.output_vectors.astype(float)]
    builder = BlockBuilder(corpus, config.model, config.sampling)
    borders = [*range(0, words, block_engine._SHORT_SPAN_WORDS), words]
    losses = []
    for epoch in (0, 1):
        spans = [list(builder.iterate_span(epoch, *span)) for span in pairwise(borders)]
        loss_sum, pairs = 0.0, 0
        for number in range(max(map(len, spans))):
            frozen = [matrix.copy() for matrix in state]
            for block in (span[number] for span in spans if number < len(span)):
                rate = RATES[0] + (RATES[1] - RATES[0]) * block.position / words
                moved = [matrix.copy() for matrix in frozen]
                loss, count = objective_of(model).block_step(*moved, block, config.sampling.negatives, rate)
                loss_sum, pairs = loss_sum + loss, pairs + count
                state = [matrix + (after - before) for matrix, after, before in zip(state, moved, frozen, strict=True)]
        losses.append((loss_sum, pairs))
    return losses, state[0]


@pytest.mark.parametrize("model", ["cbow", "skipgram"])
def test_rounds_are_those_of_the_reference(corpus, model):
    """The blocks of a round all start from the state before it, and all of them count."""
    config = config_of(model)
    expected_losses, expected = plain_rounds(corpus, config)

    losses, vectors = train(corpus, config, threads=2)

    assert_allclose(losses, expected_losses, rtol=1e-4)
    assert_allclose(vectors, expected, atol=2e-4)


@pytest.mark.parametrize("model", ["cbow", "skipgram"])
def test_any_number_of_threads_gives_the_same_bytes(corpus, model):
    """Vectors and losses are equal to the last bit on 1, 2, 3 and 8 threads; another seed gives others."""
    (losses, vectors), *others = (train(corpus, config_of(model), threads) for threads in (1, 2, 3, 8))
    _, other_seed = train(corpus, config_of(model, "sampling.seed=2"), 2)

    for other_losses, other_vectors in others:
        assert other_losses == losses
        assert_array_equal(other_vectors, vectors)
    assert (other_seed != vectors).any()


@pytest.mark.parametrize("threads", [3, 6, 16])
def test_a_span_of_one_word_ends(corpus, threads):
    """Fewer spans than room for them, and a short last one, leave no thread waiting, however many there are."""
    engine = load_block_engine(Backend.NUMBA, corpus, BlockSettings.of(config_of("cbow")), threads=threads)
    engine.prepare()

    for stop in (1, block_engine._SHORT_SPAN_WORDS + 1, 2 * block_engine._SHORT_SPAN_WORDS + 1):
        loss, pairs = engine.train_span(0, 0, stop, *RATES)
        assert (loss > 0) == (pairs > 0)
