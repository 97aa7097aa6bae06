"""The block algorithm: the reference against numerical gradients, the compiled engine against the reference."""

import dataclasses
import inspect
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from w2v_cli.config.resolve import resolve
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.kernels import objectives
from w2v_cli.kernels.block import reference as reference_module
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, SPAN_WORDS, Block
from w2v_cli.kernels.block.reference import cbow_block_step, skipgram_block_step
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.protocols import Backend

MODELS = ["skipgram", "cbow"]
K = 3


def small_block():
    """Return a block with a repeated context, a centre without a window and a negative that equals a centre."""
    is_pair = np.zeros((6, 4), dtype=bool)
    is_pair[[0, 1, 1, 2, 3, 4, 5, 5], [0, 0, 2, 0, 2, 3, 2, 3]] = True
    words = {"contexts": [0, 1, 2, 3, 1, 4], "centres": [1, 2, 3, 1], "negatives": [5, 3, 0, 5]}
    return Block(**{name: np.array(ids, np.int32) for name, ids in words.items()}, is_pair=is_pair, position=0)


def step(model, matrices, block, learning_rate, *, is_classic=False):
    if model == "skipgram":
        return skipgram_block_step(*matrices, block, K, learning_rate)
    return cbow_block_step(*matrices, block, K, learning_rate, is_classic)


def plain_loss(model, matrices, block):
    """Return the loss pair by pair, one scalar at a time: K negatives a pair are N that count for K / N."""
    input_vectors, output_vectors = matrices
    total = 0.0
    for j, centre in enumerate(block.centres):
        around = [context for i, context in enumerate(block.contexts) if block.is_pair[i, j]]
        if model == "cbow" and around:
            hidden = [np.mean([input_vectors[context] for context in around], axis=0)]
        else:
            hidden = [input_vectors[context] for context in around]
        for vector in hidden:
            total += np.log1p(np.exp(-output_vectors[centre] @ vector))
            for negative in block.negatives:
                if negative != centre:
                    total += K / len(block.negatives) * np.log1p(np.exp(output_vectors[negative] @ vector))
    return total


@pytest.fixture
def matrices():
    return list(np.random.default_rng(3).normal(0, 0.5, (2, 6, 5)))


@pytest.mark.parametrize("model", MODELS)
def test_reference_loss_is_the_plain_sum(model, matrices):
    """The loss of a block is the weighted sum of its sigmoid losses."""
    loss, _ = step(model, matrices, small_block(), 0.0)

    assert_allclose(loss, plain_loss(model, matrices, small_block()), rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("which", [0, 1], ids=["input_vectors", "output_vectors"])
def test_reference_step_matches_two_sided_differences(model, which, matrices):
    """The update at learning rate 1 equals the two-sided numerical gradient of the loss, for every parameter."""
    after = [matrix.copy() for matrix in matrices]
    step(model, after, small_block(), 1.0)

    expected = np.zeros_like(matrices[which])
    for index in np.ndindex(expected.shape):
        for sign in (1, -1):
            moved = [matrix.copy() for matrix in matrices]
            moved[which][index] += sign * 1e-5
            expected[index] += sign * plain_loss(model, moved, small_block()) / 2e-5
    assert_allclose(matrices[which] - after[which], expected, atol=1e-8)


def test_classic_cbow_gives_each_context_the_whole_gradient(matrices):
    """With cbow_gradient: classic a context word is not given its share of the gradient but all of it."""
    block = small_block()
    only_first = dataclasses.replace(block, is_pair=block.is_pair & (np.arange(4) == 0))
    shared, whole = ([matrix.copy() for matrix in matrices] for _ in "ab")
    step("cbow", shared, only_first, 1.0)

    step("cbow", whole, only_first, 1.0, is_classic=True)

    assert_allclose(whole[0] - matrices[0], 3 * (shared[0] - matrices[0]), rtol=1e-9)
    assert_allclose(whole[1], shared[1], rtol=1e-12)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Return a text of sentences of 1 to 60 words over 300 words, longer than a span."""
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    lines = [" ".join(f"w{word}" for word in np.minimum(rng.zipf(1.3, size), 300)) for size in rng.integers(1, 60, 700)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return scan_corpus(path, resolve(sets=["corpus.min_count=1"]).config.corpus).text


SETTINGS = {
    "default": [],
    "no subsampling, whole windows": ["sampling.subsample=0", "model.shrink_window=false"],
    "dropped borders": ["model.partial_windows=false", "model.window=2"],
    "many negatives": ["sampling.negatives=21", "model.window=8"],
    "mean gradient": ["model.cbow_gradient=mean"],
    "strong subsampling": ["sampling.subsample=0.00005"],
    "long rows": ["model.dim=150"],
}


def engines_of(corpus, config):
    """Return the engines of the reference and of the compiled kernels."""
    settings = BlockSettings.of(config)
    return [load_block_engine(backend, corpus, settings) for backend in (Backend.NUMPY, Backend.NUMBA)]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("model", MODELS)
def test_compiled_engine_agrees_with_the_reference(model, settings, corpus):
    """Given the same seed both engines end at the same vectors, with the same loss, over an epoch of spans."""
    sets = [f"model.model={model}", "model.init=normal", "model.dim=20", *settings]
    config = resolve(sets=sets).config
    results = []
    for engine in engines_of(corpus, config):
        start = engine.read_vectors().copy()
        borders = [*range(0, len(corpus.word_ids), SPAN_WORDS), len(corpus.word_ids)]
        losses = [engine.train_span(1, *span, 0.02, 0.01) for span in pairwise(borders)]
        results.append((np.array(losses), engine.read_vectors()))

    (expected_losses, expected), (losses, vectors) = results
    assert len(corpus.word_ids) > SPAN_WORDS
    assert_allclose(losses, expected_losses, rtol=1e-4)
    assert_allclose(vectors, expected, atol=2e-4)
    assert np.abs(expected - start).max() > 0.01


def test_blocks_of_one_and_of_seventeen_centres(corpus):
    """A span that ends in a short block trains as the reference does."""
    config = resolve(sets=["model.dim=16", "model.init=normal", "sampling.subsample=0"]).config
    for stop in (1, BLOCK_CENTRES + 1):
        engines = engines_of(corpus, config)
        losses = [engine.train_span(0, 0, stop, 0.02, 0.01) for engine in engines]

        assert_allclose(losses[1], losses[0], rtol=1e-5)
        assert_allclose(engines[1].read_vectors(), engines[0].read_vectors(), atol=1e-5)


PLANTED = {
    ("skipgram", "a dropped row"): (
        "block.contexts, -learning_rate * (errors @ y))",
        "block.contexts[1:], -learning_rate * (errors @ y)[1:])",
    ),
    ("skipgram", "a wrong window"): (
        "(block.is_pair.astype(float)",
        "(np.roll(block.is_pair, 1, axis=0).astype(float)",
    ),
    ("skipgram", "an unskipped negative"): (
        "block.centres[:, None] != block.negatives",
        "block.centres[:, None] != -1 - block.negatives",
    ),
    ("skipgram", "an unweighted negative"): ("share = negatives / len(block.negatives)", "share = 1"),
    ("cbow", "a dropped row"): (
        "block.negatives, -learning_rate * (errors.T @ h))",
        "block.negatives[1:], -learning_rate * (errors.T @ h)[1:])",
    ),
    ("cbow", "a wrong window"): ("share = is_pair / ", "share = np.roll(is_pair, 1, axis=0) / "),
    ("cbow", "an unskipped negative"): ("(centres[:, None] != block.negatives)", "np.ones((len(centres), 1))"),
    ("cbow", "a divided gradient"): ("(is_pair if is_classic else share)", "share"),
}


@pytest.mark.parametrize(("model", "bug"), PLANTED)
def test_a_planted_bug_is_seen(model, bug, corpus, monkeypatch):
    """With a bug in one of the two engines, here the reference, the comparison of both fails."""
    right, wrong = PLANTED[model, bug]
    name = f"{model}_block_step"
    source = inspect.getsource(getattr(reference_module, name))
    assert right in source
    planted = {}
    exec(source.replace(right, wrong), vars(reference_module) | planted, planted)  # noqa: S102  our own source
    config = resolve(sets=[f"model.model={model}", "model.init=normal", "model.dim=20"]).config
    reference, engine = engines_of(corpus, config)
    monkeypatch.setattr(objectives, name, planted[name])

    losses = [each.train_span(1, 0, 4000, 0.02, 0.02) for each in (reference, engine)]

    is_same = np.allclose(reference.read_vectors(), engine.read_vectors(), atol=2e-4)
    assert not (is_same and np.allclose(*losses, rtol=1e-4))
