"""The contract of a block engine, asked of every CPU engine and objective; tests/gpu asks the GPU's."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from factories import config_of
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.block.engine import CompiledEngine, DeterministicEngine
from w2v_cli.kernels.block.reference_engine import ReferenceEngine
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.objectives import objective_of

BLOCK_ENGINES = {
    "reference": ReferenceEngine,
    "compiled": CompiledEngine,
    "deterministic": lambda *arguments: DeterministicEngine(*arguments, threads=2),
}
MODELS = {
    "skip-gram": {"model": "skipgram"},
    "cbow": {"model": "cbow"},
    "cbow mean": {"model": "cbow", "cbow_gradient": "mean"},
}
RATES = 0.05, 0.02


@pytest.fixture(params=BLOCK_ENGINES)
def build_engine(request):
    """Return a function (text, config, held out) that builds each engine in turn."""
    engine = BLOCK_ENGINES[request.param]
    return lambda text, config, *held_out: engine(text, BlockSettings.of(config), *held_out)


@pytest.fixture(params=MODELS)
def config(request):
    """Return the config of each objective in turn; nothing is subsampled."""
    settings = {"dim": 12, "window": 2, "negatives": 3, "subsample": 0.0, "init": "normal", "algorithm": "block"}
    return config_of(**settings | MODELS[request.param])


def text_of(*sentences):
    """Return sentences of word ids as a text."""
    word_ids = np.concatenate([np.asarray(sentence, np.int32) for sentence in sentences])
    offsets = np.concatenate(([0], np.cumsum([len(sentence) for sentence in sentences]))).astype(np.int64)
    return EncodedText(word_ids, offsets, np.bincount(word_ids).astype(np.int64))


def random_text(sentences=40):
    rng = np.random.default_rng(3)
    return text_of(range(30), *(np.minimum(rng.zipf(1.4, length), 30) - 1 for length in rng.integers(1, 20, sentences)))


TEXTS = {
    "sentences of all lengths": random_text(),
    "one centre": text_of([0], [1, 2]),
    "one-word vocabulary": text_of([0, 0, 0, 0, 0]),
    "one word again and again": text_of([0, 0, 0, 1, 0, 0], [2, 0, 0]),
    "no pairs": text_of([0], [1], [2], [0]),
}


def trained(engine, stop):
    """Return loss, pairs and both matrices after training on a span, from matrices larger than the first ones."""
    rng = np.random.default_rng(5)
    engine.restore({name: rng.normal(0, 0.5, array.shape).astype("f4") for name, array in engine.read_state().items()})
    loss, pairs = engine.train_span(1, 0, stop, *RATES)
    return float(loss), int(pairs), *(array.copy() for array in engine.read_state().values())


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("is_whole", [True, False], ids=["whole text", "one word"])
def test_block_engine_agrees_with_the_reference(build_engine, config, text, is_whole):
    """Loss, pairs and both matrices are those of the reference, up to float32 rounding."""
    stop = len(text.word_ids) if is_whole else 1
    expected = trained(ReferenceEngine(text, BlockSettings.of(config)), stop)

    found = trained(build_engine(text, config), stop)

    assert found[1] == expected[1]
    assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-6)
    assert_allclose(found[2], expected[2], atol=1e-4)
    assert_allclose(found[3], expected[3], atol=1e-4)


def test_without_pairs_nothing_moves(build_engine, config):
    """Sentences of one word have no loss and change no vector."""
    engine = build_engine(TEXTS["no pairs"], config)
    before = {name: array.copy() for name, array in engine.read_state().items()}

    assert [float(total) for total in engine.train_span(0, 0, 4, *RATES)] == [0, 0]
    for name, array in engine.read_state().items():
        assert_array_equal(array, before[name])


def test_a_step_goes_down_the_two_sided_slope_of_the_loss(build_engine, config):
    """In any direction the update of a block is the rate times the slope of the loss; classic CBOW's is none."""
    if config.model.model == "cbow" and objective_of(config.model).is_classic:
        pytest.skip("word2vec.c's update is not the gradient")
    text = text_of([0, 1, 2, 3, 1, 4, 5], [2, 6, 7, 2, 8])
    engine = build_engine(text, config)
    rng = np.random.default_rng(7)
    names = list(engine.read_state())
    state = {name: rng.normal(0, 0.5, engine.read_state()[name].shape).astype("f4") for name in names}
    directions = {name: rng.normal(0, 1, state[name].shape).astype("f4") for name in names}

    def loss_at(step):
        engine.restore({name: state[name] + np.float32(step) * directions[name] for name in names})
        return float(engine.train_span(0, 0, len(text.word_ids), 0.0, 0.0)[0])

    slope = (loss_at(0.01) - loss_at(-0.01)) / 0.02
    engine.restore(state)
    engine.train_span(0, 0, len(text.word_ids), 1e-3, 1e-3)

    moved = {name: (state[name] - engine.read_state()[name]).astype(float) / 1e-3 for name in names}
    assert sum((moved[name] * directions[name]).sum() for name in names) == pytest.approx(slope, rel=0.01)


def test_a_state_that_was_read_resumes_with_the_same_bytes(build_engine, config):
    """A new engine with the state of the first goes on as the first one does."""
    text = random_text()
    first, second = build_engine(text, config), build_engine(text, config)
    first.train_span(0, 0, 200, *RATES)
    second.restore({name: array.copy() for name, array in first.read_state().items()})

    losses = [engine.train_span(0, 200, len(text.word_ids), *RATES) for engine in (first, second)]

    assert losses[0] == losses[1]
    for name, array in first.read_state().items():
        assert_array_equal(array, second.read_state()[name])
    assert_array_equal(first.read_vectors(), first.read_state()["input_vectors"])


def test_measuring_changes_nothing_and_gives_the_same_again(build_engine, config):
    """The loss of held-out sentences is that of the reference, and no vector moves."""
    text = random_text()
    held_out = dataclasses.replace(random_text(sentences=5), word_counts=text.word_counts)
    expected = ReferenceEngine(text, BlockSettings.of(config), held_out).measure_span(0, len(held_out.word_ids))
    engine = build_engine(text, config, held_out)
    before = engine.read_vectors().copy()

    losses = [engine.measure_span(0, len(held_out.word_ids)) for _ in range(2)]

    assert losses[0] == losses[1]
    assert_allclose([float(total) for total in losses[0]], expected, rtol=1e-4)
    assert_array_equal(engine.read_vectors(), before)
