"""The kernels on a real GPU: the agreement that the other tests of this folder ask of the stand-in and the emulator."""

import importlib

import pytest
from agreement import BATCHES, CONFIGS, assert_agrees, small_config, write_corpus
from numpy.testing import assert_allclose

from training_runs import fit_with, minibatch_trainer
from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.gpu_check.agreement import check_block, check_minibatch, check_staleness
from w2v_cli.gpu_check.texts import build_topic_text, purity
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.gpu import resolve_backend
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.minibatch.array_engine import CuPyArrayEngine
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.schedule import Schedule

NO_DEVICE = "SKIPPED: no CUDA device; GPU code was NOT executed"


@pytest.fixture(scope="module", autouse=True)
def device():
    """Skip where CuPy is not installed or finds no device; whatever else is wrong with the GPU is a failure."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        pytest.skip(NO_DEVICE)
    assert cupy.__name__ == "cupy", "the stand-in is no device"
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        devices = 0
    if devices == 0:
        pytest.skip(NO_DEVICE)


def test_preflight_lets_the_gpu_pass():
    """Nothing that a run needs is missing."""
    assert resolve_backend("cupy") is Backend.CUPY


@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("is_classic", [True, False], ids=["classic", "mean"])
def test_steps_agree_with_the_reference(kind, optimizer, is_classic):
    """Steps on the GPU change both matrices as the float64 reference does; no repeated row is lost."""
    assert_agrees(CuPyArrayEngine, BATCHES[kind], optimizer, is_classic=is_classic)


@pytest.mark.parametrize("name", CONFIGS)
def test_training_ends_near_numpys(name, tmp_path):
    """A whole training ends near NumPy's, though sums of atomics come in another order each time."""
    config = small_config(name)
    corpus = scan_corpus(write_corpus(tmp_path / "words.txt"), config.corpus).text

    backends = Backend.NUMPY, Backend.CUPY
    trainers = (minibatch_trainer(backend, corpus, config, threads=2) for backend in backends)
    expected, found = (fit_with(config, trainer, len(corpus.word_ids), lambda _: None) for trainer in trainers)

    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-3)
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=1e-4)


models = pytest.mark.parametrize("model", ["cbow", "skipgram"])


@models
@pytest.mark.parametrize("dim", [4, 50, 100, 128, 300, 512])
def test_the_block_kernel_agrees_with_the_reference(model, dim):
    """With one block in flight the update is the reference's, in one slice of a row and in several."""
    corpus = build_topic_text(vocabulary=300, topics=10, words=3000, seed=1).corpus

    assert check_block(corpus, model, dim)["error"] < 1e-4


@models
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_minibatch_steps_agree_in_gpu_check_too(model, optimizer):
    """The way that `w2v gpu-check` compares has no fault of its own."""
    corpus = build_topic_text(vocabulary=300, topics=10, words=3000, seed=1).corpus

    assert check_minibatch(corpus, model, optimizer, 100)["passed"]


@models
def test_blocks_in_flight_matter_less_at_smaller_steps(model):
    """The difference to one block in flight falls with the learning rate: nothing is lost, some of it is stale."""
    corpus = build_topic_text(vocabulary=20_000, topics=50, words=200_000, seed=2).corpus

    assert check_staleness(corpus, model, 100)["passed"]


@models
@pytest.mark.parametrize("blocks", [1, None], ids=["one block in flight", "the default"])
def test_the_block_algorithm_trains_as_the_cpu_does(model, blocks):
    """Loss and neighbours of a whole training are near those of the NumPy reference."""
    text = build_topic_text(vocabulary=500, topics=5, words=60_000, seed=3)
    config = Config.model_validate(
        {
            "model": {"model": model, "dim": 50},
            "training": {"algorithm": "block", "backend": "cupy", "epochs": 3, "gpu_concurrency": blocks},
        }
    )
    trained = [
        fit_with(config, _block_trainer(text.corpus, config, backend), len(text.corpus.word_ids), lambda _: None)
        for backend in (Backend.NUMPY, Backend.CUPY)
    ]

    expected, found = trained
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=0.02)
    assert purity(text, found.input_vectors, asked=500) > purity(text, expected.input_vectors, asked=500) - 0.03


def test_a_state_that_was_read_goes_on_as_if_nothing_had_been():
    """Matrices read in the middle and put into a new engine end where the first one does, up to rounding."""
    corpus = build_topic_text(vocabulary=300, topics=10, words=3000, seed=1).corpus
    config = Config.model_validate({"training": {"algorithm": "block", "backend": "cupy", "gpu_concurrency": 1}})
    first, second = (load_block_engine(Backend.CUPY, corpus, BlockSettings.of(config)) for _ in range(2))
    first.train_span(0, 0, 1500, 0.05, 0.03)
    second.restore(first.read_state())

    for engine in (first, second):
        engine.train_span(0, 1500, 3000, 0.03, 0.01)

    assert_allclose(second.read_vectors(), first.read_vectors(), atol=1e-5)


def _block_trainer(corpus, config, backend):
    return BlockTrainer(
        load_block_engine(backend, corpus, BlockSettings.of(config)),
        Schedule.of(config),
        epochs=config.training.epochs,
        words=len(corpus.word_ids),
        threads=1,
    )
