"""`w2v gpu-check`: whole on the stand-in at a small extent; that it fails where it should; what it says of failures."""

import functools
import json

import numpy as np
import pytest
from stand_in import compiler, cupy  # noqa: F401  fixtures

from documented import read_page
from w2v_cli.cli import app
from w2v_cli.gpu_check import checking
from w2v_cli.gpu_check.agreement import check_block, check_minibatch, check_staleness
from w2v_cli.gpu_check.checking import CheckSizes, check_gpu, verdict
from w2v_cli.gpu_check.texts import build_topic_text, purity
from w2v_cli.kernels.block import cuda_layout
from w2v_cli.kernels.minibatch.array_engine import CuPyArrayEngine

SMALL = CheckSizes(
    copy_bytes=1 << 16,
    agreement_words=400,
    agreement_vocabulary=60,
    dims=(6, 20),
    stale_words=800,
    stale_vocabulary=200,
    quality_words=4000,
    quality_vocabulary=120,
    topics=4,
    quality_epochs=2,
    speed_words=1000,
    speed_vocabulary=100,
    speed_dims=(8,),
    repeats=1,
    dim=8,
)
on_the_stand_in = pytest.mark.usefixtures("cupy", "compiler")


@pytest.fixture(scope="module")
def text():
    """Return a made text."""
    return build_topic_text(vocabulary=80, topics=4, words=2000, seed=1)


@pytest.fixture
def small(monkeypatch):
    """Let the command check at the small extent."""
    monkeypatch.setattr(checking, "check_gpu", functools.partial(check_gpu, sizes=SMALL))


@on_the_stand_in
@pytest.mark.usefixtures("small")
def test_the_command_writes_the_report_that_is_documented(capsys):
    """All kernels, both optimisers, the CPU beside the GPU; every field as docs/reference/json.md has it."""
    assert app.run(["gpu-check", "--json"]) == 0

    written = capsys.readouterr()
    report = json.loads(written.out)
    read_page("json.md").check(report, "gpu-check")
    assert report["verdict"] == {"passed": True, "failures": []}
    assert {(check["algorithm"], check["model"], check["optimizer"]) for check in report["agreement"]} == {
        *(("block", model, None) for model in ("cbow", "skipgram")),
        *(("minibatch", model, optimizer) for model in ("cbow", "skipgram") for optimizer in ("sgd", "adam")),
    }
    assert all(check["error"] < 1e-5 for check in report["agreement"])
    for kind in ("quality", "speed"):
        assert [check["backend"] for check in report[kind] if check["model"] == "cbow"][:2] == ["numba", "cupy"]
    assert [check["blocks_in_flight"] for check in report["quality"] if check["is_default"]] == [1, 1]
    assert written.err.splitlines()[1] == "Checking every kernel against the reference"


@on_the_stand_in
@pytest.mark.usefixtures("small")
def test_the_command_fails_where_a_kernel_has_a_bug(capsys, monkeypatch, tmp_path):
    """A gradient that is a twentieth too small is told, as a table and in the verdict, and the exit code is 1."""
    monkeypatch.setattr(cuda_layout, "SOURCE", with_a_bug(tmp_path))

    assert app.run(["gpu-check", "--quiet"]) == 1

    written = capsys.readouterr()
    lines = written.out.splitlines()
    assert lines[0].startswith("the stand-in on a CPU, compute capability 86, 2 multiprocessors, 8.6 GB at ")
    assert lines[-1] == "FAILED"
    assert any(line.startswith("block cbow, 6 dimensions: the update differs by ") for line in lines)
    assert any(line.startswith("block\tcbow\tsgd\t6\t") and line.endswith("\tFAILED") for line in lines)
    assert written.err == ""


def with_a_bug(folder):
    """Return a source whose gradient of a negative is a twentieth too small."""
    source = cuda_layout.SOURCE.read_text(encoding="utf-8")
    assert source.count("e * sigmoid : -sigmoid") == 1
    path = folder / "block.cu"
    path.write_text(source.replace("e * sigmoid : -sigmoid", "e * sigmoid : -0.95f * sigmoid"), encoding="utf-8")
    return path


@on_the_stand_in
@pytest.mark.parametrize("model", ["cbow", "skipgram"])
def test_a_bug_in_the_block_kernel_is_seen(model, text, monkeypatch, tmp_path):
    """The kernel as it is agrees, the one with the bug does not."""
    assert check_block(text.corpus, model, 10)["passed"]
    monkeypatch.setattr(cuda_layout, "SOURCE", with_a_bug(tmp_path))

    assert check_block(text.corpus, model, 10)["error"] > 5e-3


@on_the_stand_in
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_lost_rows_are_seen_in_minibatch(optimizer, text, monkeypatch):
    """A repeated row that is added once instead of several times is far from the reference."""

    def lose(_self, matrix, rows, updates):
        matrix[rows] += updates

    monkeypatch.setattr(CuPyArrayEngine, "_scatter_add", lose)

    assert not check_minibatch(text.corpus, "cbow", optimizer, 8)["passed"]


@on_the_stand_in
def test_what_is_stale_falls_with_the_rate(text):
    """Several blocks in flight differ from one, less so at a tenth of the rate."""
    check = check_staleness(text.corpus, "skipgram", 8)

    assert check["blocks_in_flight"] > 1
    assert check["differences"][0] > 1e-3
    assert check["passed"]


AGREES = {"algorithm": "minibatch", "model": "cbow", "optimizer": "adam", "dim": 8, "tolerance": 1e-3}
GOOD = {"model": "cbow", "held_out_loss": 2.0, "is_default": True}
REPORT = {
    "agreement": [AGREES | {"error": 1e-6, "passed": True}],
    "staleness": [
        {"model": "cbow", "blocks_in_flight": 9, "learning_rates": [], "differences": [0.3, 0.03], "passed": True}
    ],
    "quality": [
        GOOD | {"backend": "numba", "blocks_in_flight": None, "purity": 0.9, "passed": None},
        GOOD | {"backend": "cupy", "blocks_in_flight": 39, "purity": 0.89, "passed": True},
    ],
}


@pytest.mark.parametrize(
    ("part", "place", "change", "said"),
    [
        ("agreement", 0, {"error": 0.02}, "minibatch cbow with adam, 8 dimensions: the update differs by 2.0e-02 from"),
        (
            "staleness",
            0,
            {"differences": [0.3, 0.29]},
            "cbow, 9 blocks in flight: the difference to one block is 3.0e-01",
        ),
        ("quality", 1, {"purity": 0.5}, "50.0 % have the same topic, but 90.0 % on the CPU; train with a smaller"),
    ],
)
def test_a_failure_is_a_line_of_the_verdict(part, place, change, said):
    """What failed, by how much, and of what."""
    assert verdict(REPORT) == {"passed": True, "failures": []}
    checks = list(REPORT[part])
    checks[place] = checks[place] | change | {"passed": False}

    found = verdict(REPORT | {part: checks})

    assert not found["passed"]
    (line,) = found["failures"]
    assert said in line


def test_without_a_gpu_the_command_says_why(capsys, monkeypatch):
    """The preflight's message, exit code 9, and nothing on stdout."""
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)

    assert app.run(["gpu-check"]) == 9

    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("error: the GPU cannot be used: it needs CuPy, which cannot be imported")
    assert written.err.count("\n") == 1


def test_a_made_text_is_a_corpus(text):
    """Counts are those of the words, falling; sentences are whole; the same seed gives the same text."""
    corpus = text.corpus
    counts = np.bincount(corpus.word_ids, minlength=corpus.vocabulary_size)

    assert counts.tolist() == corpus.word_counts.tolist() == sorted(counts.tolist(), reverse=True)
    assert counts.min() > 0
    assert (corpus.word_ids.dtype, corpus.sentence_offsets.dtype) == (np.int32, np.int64)
    assert corpus.sentence_offsets[0] == 0
    assert corpus.sentence_offsets[-1] == len(corpus.word_ids) == 2000
    again = build_topic_text(vocabulary=80, topics=4, words=2000, seed=1).corpus
    assert (again.word_ids == corpus.word_ids).all()


def test_purity_is_one_for_topics_apart_and_chance_for_noise():
    """Vectors that are their topics have pure neighbours; random ones a share of one in the number of topics."""
    text = build_topic_text(vocabulary=800, topics=4, words=40_000, seed=2)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(len(text.topic_of), 16)).astype(np.float32)
    topics = np.eye(4, 16, dtype=np.float32)[text.topic_of]

    assert purity(text, topics + 0.01 * noise, asked=100) == 1
    assert purity(text, noise, asked=800) == pytest.approx(1 / 4, abs=0.03)  # of 8,000 neighbours: 6 deviations
