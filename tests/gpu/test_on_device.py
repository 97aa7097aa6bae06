"""The minibatch kernels on a real GPU: the agreement that test_minibatch_on_cupy.py asks of the stand-in."""

import importlib

import pytest
from agreement import BATCHES, CONFIGS, assert_agrees, small_config, write_corpus
from numpy.testing import assert_allclose

from w2v_cli.kernels import load_minibatch_engine
from w2v_cli.kernels.arrays import CuPyArrays
from w2v_cli.kernels.contract import Backend
from w2v_cli.minibatch_training import MinibatchLearner
from w2v_cli.optimizers import Adam, Sgd
from w2v_cli.preflight import resolve_backend
from w2v_cli.scanner import scan
from w2v_cli.training import train

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
@pytest.mark.parametrize("build_optimizer", [Sgd, Adam])
@pytest.mark.parametrize("is_classic", [True, False], ids=["classic", "mean"])
def test_steps_agree_with_the_reference(kind, build_optimizer, is_classic):
    """Steps on the GPU change both matrices as the float64 reference does; no repeated row is lost."""
    assert_agrees(CuPyArrays(), BATCHES[kind], build_optimizer, is_classic=is_classic)


@pytest.mark.parametrize("name", CONFIGS)
def test_training_ends_near_numpys(name, tmp_path):
    """A whole training ends near NumPy's, though sums of atomics come in another order each time."""
    config = small_config(name)
    corpus = scan(write_corpus(tmp_path / "words.txt"), config.corpus)

    engines = (load_minibatch_engine(backend, is_classic=True) for backend in (Backend.NUMPY, Backend.CUPY))
    learners = (MinibatchLearner(corpus, config, engine, threads=2) for engine in engines)
    expected, found = (train(len(corpus.word_ids), config, learner, lambda _: None) for learner in learners)

    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-3)
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=1e-4)
