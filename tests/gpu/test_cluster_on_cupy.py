"""Shards of a cluster on GPUs, shown without one: workers have the stand-in for CuPy, the driver has no CuPy at all."""

import json
import os
import pickle
import sys

import numpy as np
import pytest
import strict_cuda
from agreement import write_corpus
from numpy.testing import assert_allclose
from stand_in import HERE, compiler, cupy  # noqa: F401  fixtures

import factories
from cli.running import make_program, the_error
from fake_cluster import FakeCluster
from faults.cluster_runs import finish
from training_runs import fit_with
from w2v_cli.cluster.scan import scan_on
from w2v_cli.cluster.tasks import ShardTask, run_task, train_shard
from w2v_cli.cluster.trainer import ClusterTrainer, resolve_on
from w2v_cli.corpus.sources import Source
from w2v_cli.errors import ClusterError, ConfigError, MissingDependencyError, StorageError
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.schedule import Schedule
from w2v_cli.vectors import keyed_vectors

models = pytest.mark.parametrize("model", ["cbow", "skipgram"])
on_the_stand_in = pytest.mark.usefixtures("cupy", "compiler")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a small text."""
    return Source(str(write_corpus(tmp_path_factory.mktemp("corpus") / "words.txt")))


SMALL = {"min_count": 1, "dim": 10, "window": 2, "negatives": 3, "subsample": 0.05, "epochs": 2, "learning_rate": 0.1}
ON_GPU = {"algorithm": "block", "backend": "cupy", "validation": 0.1, "gpu_concurrency": 1}
ON_CLUSTER = {"cluster": "local:2", "shards": 2, "sync_words": 1000}


def config_of(model="cbow", **settings):
    return factories.config_of(model=model, **SMALL | ON_GPU | ON_CLUSTER | settings)


def trainer_of(backend, source, config, cluster=None):
    read = scan_on(FakeCluster(), [source], config.corpus, config.cluster)
    return ClusterTrainer(
        cluster or FakeCluster(), read.rounds, read.corpus.vocabulary, config, backend, Schedule.of(config)
    ), read


def train_on(backend, source, config):
    """Return what a training on a cluster leaves."""
    trainer, read = trainer_of(backend, source, config)
    trainer.prepare()
    return fit_with(config, trainer, read.corpus.vocabulary.kept_words, lambda _: None)


@on_the_stand_in
@models
@pytest.mark.parametrize("other", [Backend.NUMPY, Backend.NUMBA])
def test_shards_on_gpus_end_where_those_on_cpus_do(model, other, source):
    """With one block in flight: vectors, losses and held-out losses of the same rounds, up to float32 rounding."""
    config = config_of(model)
    expected = train_on(other, source, config)

    found = train_on(Backend.CUPY, source, config)

    assert strict_cuda.launches
    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-5)
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=1e-5)
    assert_allclose(found.validation_losses, expected.validation_losses, rtol=1e-5)


@on_the_stand_in
def test_nothing_of_a_device_goes_to_the_driver(source):
    """A driver without CuPy could not read it: numbers are Python's, changes are NumPy's."""
    config = config_of()
    trainer, read = trainer_of(Backend.CUPY, source, config)
    task = ShardTask.of(config, Backend.CUPY, read.rounds[0].shards[0], 0, 0.0, 0.5, Schedule.of(config))

    found = train_shard(trainer._vocabulary, trainer.read_state(), task)

    assert (type(found.loss_sum), type(found.pairs)) == (float, int)
    assert {type(change.values) for change in found.changes.values()} == {np.ndarray}
    assert b"cupy" not in pickle.dumps(found)


@on_the_stand_in
def test_each_worker_is_asked_for_the_memory_of_its_device(source, monkeypatch):
    """Before the first shard, for the whole vocabulary: what is needed, what is free, and which worker says so."""
    config = config_of()
    cluster = FakeCluster(workers=3)
    trainer, _ = trainer_of(Backend.CUPY, source, config, cluster)
    trainer.prepare()
    assert [task.argument[2] for task in cluster.asked] == [30] * 3
    assert not cluster.tasks
    monkeypatch.setattr(strict_cuda.MEMORY, "free", 1000)

    with pytest.raises(StorageError, match=r"of the GPU's memory, and .* are free.*\(reported by the worker on "):
        trainer.prepare()


@on_the_stand_in
def test_what_does_not_fit_a_worker_s_gpu_is_refused(source, monkeypatch):
    """A window that is too wide for the device's shared memory, told with the worker's name."""
    monkeypatch.setitem(strict_cuda.ATTRIBUTES, "MaxSharedMemoryPerBlockOptin", 64 * 1024)
    trainer, _ = trainer_of(Backend.CUPY, source, config_of("skipgram", window=1000))

    with pytest.raises(ConfigError, match=r"window=1000.*\(reported by the worker on "):
        trainer.prepare()


def test_a_worker_without_a_gpu_is_named(source, monkeypatch):
    """Each is asked before the text is read; one that comes later ends the training, and never falls back."""
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(MissingDependencyError, match=r"it needs CuPy.*\(reported by the worker on "):
        resolve_on(FakeCluster(), "cupy")

    trainer, _ = trainer_of(Backend.CUPY, source, config_of())
    with pytest.raises(MissingDependencyError, match=r"it needs CuPy.*\(reported by the worker on "):
        next(trainer.steps())


def test_without_gpu_no_worker_is_asked(monkeypatch):
    """The other backends are those of the driver, as on one machine."""
    monkeypatch.setitem(sys.modules, "cupy", None)
    cluster = FakeCluster()

    assert resolve_on(cluster, "auto") is Backend.NUMBA
    assert not cluster.asked


class FailedError(RuntimeError):
    """An error of CuPy's."""


FailedError.__module__ = "cupy_backends.cuda.api.runtime"


def test_a_gpu_that_fails_is_told_without_cupy(monkeypatch):
    """The driver may have no CuPy to read its errors with; other errors stay what they are."""
    from w2v_cli import __version__  # noqa: PLC0415
    from w2v_cli.cluster import tasks  # noqa: PLC0415

    def fail(error):
        raise error

    monkeypatch.setitem(tasks._TASKS, "fail", fail)
    with pytest.raises(ClusterError, match=r"a GPU failed: illegal address; .*\(reported by the worker on "):
        run_task(__version__, "fail", FailedError("illegal address"))
    with pytest.raises(RuntimeError, match="another"):
        run_task(__version__, "fail", RuntimeError("another"))
    with pytest.raises(MemoryError) as caught:
        run_task(__version__, "fail", type("OutOfMemoryError", (MemoryError,), {})("of the device"))
    assert type(caught.value) is MemoryError


OF_WORKERS = "import sys\nif 'spawn_main' not in ' '.join(sys.orig_argv): raise ImportError('the driver has no CuPy')\n"
STAND_IN = OF_WORKERS + "import strict_cupy; sys.modules['cupy'] = strict_cupy\n"
TRAIN = (
    *("train", "text.txt", "--cluster", "local:2", "--dim", "8", "--epochs", "2", "--min-count", "1"),
    *("--validation", "0.1", "--set", "cluster.sync_words=1000", "--set", "cluster.shards=2"),
)


@pytest.fixture
def w2v(tmp_path):
    """Return the Program, whose workers have the stand-in; the driver has no CuPy."""
    pytest.importorskip("distributed", reason="the extra distributed is not installed: clusters are NOT tested")
    program = make_program(tmp_path)
    write_corpus(program.folder / "text.txt")
    program.write("stand-in/cupy.py", STAND_IN)
    program.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    program.environment["PYTHONPATH"] = os.pathsep.join((str(program.folder / "stand-in"), str(HERE)))
    return program


@pytest.mark.usefixtures("compiler")
def test_local_workers_train_on_their_gpu(w2v):
    """`w2v train --cluster local:2 --gpu`: the CPU's vectors, losses and events; the file says that it was a GPU."""
    w2v.environment["W2V_EMULATOR_CACHE"] = os.environ["W2V_EMULATOR_CACHE"]
    for name, options in (("gpu", ("--gpu", "--gpu-concurrency", "1")), ("cpu", ("--set", "training.backend=numpy"))):
        with w2v.started(*TRAIN, *options, "--output", f"{name}.safetensors", "--log", f"{name}.jsonl") as process:
            told = finish(process)
        assert f"block algorithm on {'cupy' if name == 'gpu' else 'numpy'}, 1 round per epoch" in told
        assert ("Results vary slightly between runs" in told) == (name == "gpu")

    found, expected = (keyed_vectors.load(w2v.folder / f"{name}.safetensors") for name in ("gpu", "cpu"))
    assert_allclose(found.vectors, expected.vectors, rtol=2**-10, atol=1e-4)
    assert_allclose(found.metadata["validation_losses"], expected.metadata["validation_losses"], rtol=1e-4)
    assert (found.metadata["backend"], found.metadata["reproducible"]) == ("cupy", False)
    logs = [_events(w2v.folder / f"{name}.jsonl") for name in ("gpu", "cpu")]
    assert logs[0] == logs[1]


def _events(path):
    return [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_local_workers_without_cupy_end_the_training(w2v):
    """Exit code 9 and one line that names the worker; nothing is read or written."""
    w2v.write("stand-in/cupy.py", "raise ImportError('no CuPy here')")
    before = set(w2v.files())

    error = the_error(w2v.run(*TRAIN, "--gpu"), 9)

    assert "the GPU cannot be used: it needs CuPy, which cannot be imported (no CuPy here)" in error
    assert "(reported by the worker on " in error
    assert set(w2v.files()) == before
