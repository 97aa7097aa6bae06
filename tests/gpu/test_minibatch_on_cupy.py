"""The minibatch kernels on CuPy, shown without a GPU: the strict stand-in gives NumPy's numbers and seldom waits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from agreement import BATCHES, CONFIGS, assert_agrees, small_config, write_corpus
from numpy.testing import assert_allclose
from stand_in import HERE, cupy, w2v  # noqa: F401  fixtures

from training_runs import fit_with, minibatch_trainer
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.kernels.minibatch.array_engine import CuPyArrayEngine
from w2v_cli.kernels.minibatch.batches import BatchBuilder
from w2v_cli.kernels.protocols import Backend
from w2v_cli.vectors import keyed_vectors

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def corpus_file(tmp_path_factory):
    """Return a small text."""
    return write_corpus(tmp_path_factory.mktemp("corpus") / "words.txt")


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("is_classic", [True, False], ids=["classic", "mean"])
def test_steps_agree_with_the_reference(kind, optimizer, is_classic):
    """Steps on the device change both matrices as the float64 reference does; no repeated row is lost."""
    assert_agrees(CuPyArrayEngine, BATCHES[kind], optimizer, is_classic=is_classic)


def train_on(backend, corpus_file, config):
    corpus = scan_corpus(corpus_file, config.corpus).text
    trainer = minibatch_trainer(backend, corpus, config, threads=2)
    return fit_with(config, trainer, len(corpus.word_ids), lambda _: None)


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("name", CONFIGS)
def test_training_ends_where_numpys_does(name, corpus_file):
    """A whole training gives NumPy's vectors and losses up to float32 rounding."""
    config = small_config(name)
    expected = train_on(Backend.NUMPY, corpus_file, config)

    found = train_on(Backend.CUPY, corpus_file, config)

    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-4)
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_training_waits_for_the_device_only_to_report(cupy, name, corpus_file):
    """The host waits once a report and for the vectors after an epoch; it sends both matrices and each batch's ids."""
    config = small_config(name)
    builder = BatchBuilder(scan_corpus(corpus_file, config.corpus).text, config.model, config.sampling, config.training)
    batches = sum(len(some) for epoch in range(config.training.epochs) for some in builder.iterate_epoch(epoch))

    trained = train_on(Backend.CUPY, corpus_file, config)

    assert batches > 10 * len(trained.reports)
    assert cupy.counts.waits <= len(trained.reports) + config.training.epochs + 1
    assert cupy.counts.uploads == 2 + 3 * batches


def test_the_command_trains_on_the_device(w2v, corpus_file, tmp_path):
    """`w2v train FILE --gpu` writes NumPy's vectors, up to the file's float16, and says in the file that CuPy ran."""
    settings = ["--epochs", "2", "--dim", "8", "--min-count", "1"]
    on_device = w2v(
        "train", corpus_file, "--gpu", "--algorithm", "minibatch", *settings, "--output", tmp_path / "gpu.safetensors"
    )
    on_host = w2v(
        *("train", corpus_file, "--algorithm", "minibatch", "--set", "training.backend=numpy"),
        *settings,
        *("--output", tmp_path / "cpu.safetensors"),
    )

    assert (on_device.returncode, on_host.returncode) == (0, 0), on_device.stderr + on_host.stderr
    assert "minibatch algorithm on cupy" in on_device.stderr
    found, expected = (keyed_vectors.load(tmp_path / name) for name in ("gpu.safetensors", "cpu.safetensors"))
    assert found.metadata["backend"] == "cupy"
    assert found.words == expected.words
    assert_allclose(found.vectors, expected.vectors, rtol=2**-10, atol=1e-5)


def test_the_stand_in_does_not_leak_into_the_device_tests():
    """After tests with the stand-in the tests of a real device skip where they find none, and say so."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rs",
        "-p",
        "no:cacheprovider",
        f"{__file__}",
        "-k",
        "on_device or mean",
    ]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}

    done = subprocess.run(
        [*command, str(HERE / "test_on_device.py")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=HERE,
    )

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "SKIPPED: no CUDA device; GPU code was NOT executed" in done.stdout
