"""The block algorithm on CuPy, shown without a GPU: the strict stand-in runs the kernels on the CPU emulator."""

import json
import math

import numpy as np
import pytest
import strict_cuda
from agreement import write_corpus
from numpy.testing import assert_allclose, assert_array_equal
from stand_in import compiler, cupy, w2v  # noqa: F401  fixtures

import factories
from cycle_text import purity
from training_runs import Training, assert_equal, fit_with
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.errors import ConfigError, MissingDependencyError, StorageError
from w2v_cli.kernels.block.cuda_engine import CuPyEngine, check_device_memory, fitting_layout
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.holdout import hold_out
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.factory import build_trainer, with_algorithm
from w2v_cli.training.schedule import Schedule
from w2v_cli.vectors import keyed_vectors

pytestmark = pytest.mark.usefixtures("cupy", "compiler")
models = pytest.mark.parametrize("model", ["cbow", "skipgram"])
ONE_AT_A_TIME = {"gpu_concurrency": 1}


@pytest.fixture(scope="module")
def corpus_file(tmp_path_factory):
    """Return a small text."""
    return write_corpus(tmp_path_factory.mktemp("corpus") / "words.txt")


def config_of(model="cbow", **settings):
    fixed = {"min_count": 1, "dim": 10, "window": 2, "negatives": 3, "subsample": 0.05, "epochs": 3}
    return factories.config_of(**fixed | {"model": model, "algorithm": "block", "backend": "cupy"} | settings)


def train_on(backend, corpus_file, config, *, span_words=None):
    """Return what a training leaves, on spans of the GPU's length so that both draw the same blocks."""
    (corpus, text), held_out = scan_corpus(corpus_file, config.corpus), None
    if config.training.validation:
        text, held_out = hold_out(text, config.training.validation, config.sampling.seed)
    engine = load_block_engine(backend, text, BlockSettings.of(config), held_out)
    if span_words:
        engine.span_words = span_words
    trainer = BlockTrainer(
        engine,
        Schedule.of(config),
        epochs=config.training.epochs,
        words=len(text.word_ids),
        held_out_words=len(held_out.word_ids) if held_out else 0,
    )
    return corpus, fit_with(config, trainer, len(text.word_ids), lambda _: None)


@models
@pytest.mark.parametrize("cbow_gradient", ["classic", "mean"])
def test_training_ends_where_the_reference_does(model, cbow_gradient, corpus_file):
    """With one block in flight: vectors, losses and held-out losses of the NumPy reference, up to float32 rounding."""
    config = config_of(model, validation=0.1, **ONE_AT_A_TIME)
    config = config.model_copy(update={"model": config.model.model_copy(update={"cbow_gradient": cbow_gradient})})
    _, expected = train_on(Backend.NUMPY, corpus_file, config)

    _, found = train_on(Backend.CUPY, corpus_file, config)

    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-5)
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=1e-6)
    assert_allclose(found.validation_losses, expected.validation_losses, rtol=1e-6)


def test_a_long_text_takes_several_launches(corpus_file):
    """An epoch is cut into launches, of which each trains its own words at its own rates."""
    config = config_of(**ONE_AT_A_TIME)
    corpus, expected = train_on(Backend.NUMPY, corpus_file, config, span_words=400)

    strict_cuda.launches.clear()
    _, found = train_on(Backend.CUPY, corpus_file, config, span_words=400)

    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-5)
    names = [name for name, _, _ in strict_cuda.launches]
    assert names == ["draw_spans", "train_blocks"] * (3 * math.ceil(corpus.vocabulary.kept_words / 400))


def test_training_waits_for_the_device_only_to_report(cupy, corpus_file):
    """Losses and pairs are read for a report, vectors after an epoch; the text is sent once."""
    cupy.counts.uploads = 0

    _, trained = train_on(Backend.CUPY, corpus_file, config_of(epochs=2), span_words=20)

    assert len(strict_cuda.launches) > 3 * len(trained.reports)
    assert cupy.counts.waits <= 2 * len(trained.reports) + 2 + 1
    assert cupy.counts.uploads == 5 + 2


@models
@pytest.mark.parametrize("blocks", [1, 3])
def test_words_of_a_class_end_together(model, blocks, cycle_text):
    """The five nearest words of nearly every word are of its own class, with several blocks in flight as well."""
    corpus, trained = train_on(
        Backend.CUPY, cycle_text, config_of(model, dim=16, subsample=0.0, learning_rate=0.1, gpu_concurrency=blocks)
    )

    assert purity(corpus, trained.input_vectors) > 0.9
    assert trained.epoch_losses[-1] < trained.epoch_losses[0]


@pytest.mark.parametrize("validation", [0.0, 0.2])
@models
def test_it_does_not_matter_where_a_training_was_stopped(model, validation, zipf_text, tmp_path):
    """With one block in flight a training that was stopped and resumed ends with vectors and losses of the whole."""
    config = config_of(model, dim=5, validation=validation, **ONE_AT_A_TIME)
    expected = Training(zipf_text, config, tmp_path / "whole").run()

    for stop_after in (1, 4, 6):
        path = tmp_path / f"{stop_after}"
        assert not Training(zipf_text, config, path).run(stop_after=stop_after).is_complete
        assert_equal(Training(zipf_text, config, path).run(resume=True), expected)


def test_measuring_changes_nothing(corpus_file):
    """The held-out loss is always the same, and the matrices stay as they are."""
    config = config_of()
    corpus, held_out = hold_out(scan_corpus(corpus_file, config.corpus).text, 0.2, 1)
    engine = CuPyEngine(corpus, BlockSettings.of(config), held_out)
    engine.train_span(0, 0, len(corpus.word_ids), 0.05, 0.05)
    before = engine.read_state()

    first, again = (engine.measure_span(0, len(held_out.word_ids)) for _ in range(2))

    assert float(first[0]) == float(again[0]) > 0
    assert int(first[1]) == int(again[1]) > 0
    for name, matrix in engine.read_state().items():
        assert_array_equal(matrix, before[name])


def test_what_was_read_can_be_put_back(corpus_file):
    """Both matrices are restored as they were, without their padding."""
    engine = CuPyEngine(scan_corpus(corpus_file, config_of().corpus).text, BlockSettings.of(config_of()))
    rng = np.random.default_rng(1)
    state = {name: rng.normal(size=matrix.shape).astype(np.float32) for name, matrix in engine.read_state().items()}

    engine.restore(state)

    for name, matrix in engine.read_state().items():
        assert matrix.shape[1] == 10
        assert_array_equal(matrix, state[name])


@pytest.mark.parametrize(("given", "expected"), [(None, 1), (1, 1), (17, 17)])
def test_as_many_blocks_are_in_flight_as_asked_for(given, expected, corpus_file):
    """--gpu-concurrency says how many; by default no more than the vocabulary bears, and thirty words bear one."""
    config = config_of(gpu_concurrency=given)
    trainer, loaded = build_trainer(
        scan_corpus(corpus_file, config.corpus).text, None, config, Schedule.of(config), Backend.CUPY
    )
    trainer.prepare()

    assert loaded.blocks_in_flight == expected
    assert (loaded.algorithm, loaded.backend, loaded.is_reproducible) == ("block", Backend.CUPY, False)
    assert strict_cuda.launches[-1] == ("train_blocks", (expected,), (256,))


@pytest.mark.parametrize(
    ("training", "dim", "expected"),
    [
        ({}, 100, "block"),
        ({"optimizer": "adam"}, 100, "minibatch"),
        ({}, 512, "block"),
        ({}, 513, "minibatch"),
        ({"algorithm": "minibatch"}, 100, "minibatch"),
    ],
)
def test_the_gpu_takes_the_block_algorithm_where_it_can(training, dim, expected):
    """--gpu means block, but with Adam and with more dimensions than the kernel has."""
    config = config_of(dim=dim, **{"algorithm": "auto"} | training)

    assert with_algorithm(config).training.algorithm == expected


def test_block_on_the_gpu_with_too_many_dimensions_is_refused():
    """What was asked for in words is not replaced."""
    with pytest.raises(ConfigError, match=r'algorithm="block" does not support model\.dim above 512 on the GPU'):
        with_algorithm(config_of(dim=513))


def test_a_window_that_does_not_fit_is_refused():
    """The message has what was asked, what there is, and both ways out."""
    with pytest.raises(ConfigError) as caught:
        fitting_layout(config_of("skipgram", window=1000).model, 3, 64 * 1024)

    message = str(caught.value)
    assert all(part in message for part in ("64 KiB", "window=1000", "negatives=3", 'algorithm="minibatch"'))


def test_a_training_too_large_for_the_device_is_refused(corpus_file, monkeypatch):
    """Before anything is sent, with what is needed and what is free."""
    with pytest.raises(StorageError, match=r"takes 2\.00 GB of the GPU's memory, and 1\.50 of its 8\.00 GB are free"):
        check_device_memory(2_000_000_000, 1_500_000_000, 8_000_000_000, dim=10, min_count=1)
    monkeypatch.setattr(strict_cuda.MEMORY, "free", 1000)

    with pytest.raises(StorageError, match="lower dim \\(10\\), raise min_count \\(1\\)"):
        CuPyEngine(scan_corpus(corpus_file, config_of().corpus).text, BlockSettings.of(config_of()))


def test_kernels_that_do_not_compile_are_told_in_one_line(corpus_file, monkeypatch):
    """A compiler that is too old for the GPU is no bug of ours: exit code 9."""

    def fail(*_arguments, **_options):
        raise strict_cuda.CompileException("k.cu(1): error:\n  something\n" + "x " * 300)

    monkeypatch.setattr(strict_cuda.RawModule, "get_function", fail)

    with pytest.raises(MissingDependencyError) as caught:
        CuPyEngine(scan_corpus(corpus_file, config_of().corpus).text, BlockSettings.of(config_of()))
    assert "\n" not in str(caught.value)
    assert "k.cu(1): error: something" in str(caught.value)


COMMON = ("--epochs", "3", "--dim", "10", "--min-count", "2", "--subsample", "0", "--validation", "0.1")


@pytest.fixture(scope="module")
def real_text(tmp_path_factory):
    """Return some 8,000 words of prose: the documents of this program."""
    root = strict_cuda.Path(__file__).resolve().parents[2]
    pages = [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs" / "how-to").glob("*.md"))]
    lines = [line for page in pages for line in _lines(page)]
    path = tmp_path_factory.mktemp("real") / "prose.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    pairs = path.with_name("pairs.txt")
    words = ("the", "and", "that", "a", "of", "to", "in", "is", "it", "for", "file", "text", "words", "vectors")
    rated = [f"{a}\t{b}\t{(3 * i + 5 * j) % 10}" for i, a in enumerate(words) for j, b in enumerate(words) if i < j]
    pairs.write_text("\n".join(rated), encoding="utf-8")
    return path


def _lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_the_command_trains_scores_and_logs_as_the_cpu_does(w2v, real_text, tmp_path):
    """`w2v train FILE --gpu` on real text: the vectors, scores and losses of the CPU; provenance alone differs."""
    options = (*COMMON, "--evaluate", real_text.with_name("pairs.txt"))
    on_device = w2v(
        *("train", real_text, "--gpu", "--gpu-concurrency", "1", *options),
        *("--output", tmp_path / "gpu.safetensors", "--log", tmp_path / "gpu.jsonl"),
    )
    on_host = w2v(
        *("train", real_text, "--set", "training.backend=numpy", *options),
        *("--output", tmp_path / "cpu.safetensors", "--log", tmp_path / "cpu.jsonl"),
    )

    assert (on_device.returncode, on_host.returncode) == (0, 0), on_device.stderr + on_host.stderr
    assert "block algorithm on cupy, 1 block in flight. Results vary slightly between runs" in on_device.stderr
    found, expected = (keyed_vectors.load(tmp_path / name) for name in ("gpu.safetensors", "cpu.safetensors"))
    assert found.words == expected.words
    assert_allclose(found.vectors, expected.vectors, rtol=2**-10, atol=1e-4)
    assert _score(found) == pytest.approx(_score(expected), abs=0.01)
    assert _differences(found.metadata, expected.metadata) == {"backend", "reproducible", "config.training.backend"}
    logs = [[json.loads(line) for line in _lines(tmp_path / name)] for name in ("gpu.jsonl", "cpu.jsonl")]
    assert [entry["event"] for entry in logs[0]] == [entry["event"] for entry in logs[1]]
    assert [entry["blocks_in_flight"] for entry in logs[0] if entry["event"] == "training"] == [1]


def _score(word_vectors):
    (score,) = word_vectors.metadata["evaluation"]["scores"].values()
    return score["correlation"]


def _differences(found, expected, prefix=""):
    """Return the dotted keys that differ; losses and scores may by rounding."""
    differing = set()
    for key in found.keys() | expected.keys():
        one, other = found.get(key), expected.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            differing |= _differences(one, other, f"{prefix}{key}.")
        elif isinstance(one, float | list) and isinstance(other, float | list):
            if not np.allclose(one, other, rtol=0, atol=0.02):
                differing.add(prefix + key)
        elif one != other:
            differing.add(prefix + key)
    return differing


def test_the_command_goes_on_where_it_was_stopped(w2v, real_text, tmp_path):
    """`--resume` after `--time-limit` gives the bytes of a training at once, and a dry run says what it would take."""
    settings = (*COMMON, "--gpu", "--gpu-concurrency", "1")
    at_once = w2v("train", real_text, *settings, "--output", tmp_path / "whole.safetensors")
    stopped = w2v("train", real_text, *settings, "--output", tmp_path / "x.safetensors", "--time-limit", "0.01s")
    resumed = w2v("train", real_text, "--gpu", "--resume", "--output", tmp_path / "x.safetensors")
    planned = w2v("train", real_text, *settings, "--output", tmp_path / "y.safetensors", "--dry-run", "--json")

    codes = [done.returncode for done in (at_once, stopped, resumed, planned)]
    assert codes == [0, 0, 0, 0], stopped.stderr + resumed.stderr + planned.stderr
    assert "Resuming from" in resumed.stderr
    whole, again = (keyed_vectors.load(tmp_path / name) for name in ("whole.safetensors", "x.safetensors"))
    assert_array_equal(whole.vectors, again.vectors)
    assert whole.metadata == again.metadata
    plan = json.loads(planned.stdout)
    assert (plan["backend"], plan["blocks_in_flight"], plan["is_reproducible"]) == ("cupy", 1, False)
    assert 10 < plan["words_per_second"] < 10_000_000


@pytest.mark.parametrize("option", ["--deterministic", "--gpu-concurrency=0"])
def test_what_the_gpu_cannot_do_is_refused_in_one_line(w2v, real_text, option):
    """Before anything is read: exit code 2."""
    done = w2v("train", real_text, "--gpu", option)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert option.partition("=")[0] in done.stderr
