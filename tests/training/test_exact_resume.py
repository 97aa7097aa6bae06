"""A training that stops anywhere and goes on ends as one that was never interrupted, to the last bit."""

import itertools
import math

import pytest
from numpy.testing import assert_array_equal

import factories
from training_runs import Training, assert_equal
from w2v_cli.kernels.block import engine as block_engine
from w2v_cli.kernels.minibatch import batches
from w2v_cli.training import block, progress

ADVANCES = 18  # of each training here, or a little more: three epochs of six
KINDS = {
    "reference": {"algorithm": "block", "backend": "numpy"},
    "one thread": {"algorithm": "block", "backend": "numba"},
    "rounds": {"algorithm": "block", "backend": "numba", "deterministic": True},
    "numpy sgd": {"algorithm": "minibatch", "backend": "numpy"},
    "numpy adam": {"algorithm": "minibatch", "backend": "numpy", "optimizer": "adam"},
    "numba sgd": {"algorithm": "minibatch", "backend": "numba"},
    "numba adam": {"algorithm": "minibatch", "backend": "numba", "optimizer": "adam"},
}
kinds = pytest.mark.parametrize("kind", KINDS)
compiled_kinds = pytest.mark.parametrize("kind", ["one thread", "rounds", "numba adam"])


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch):
    """Make an advance of some ninety words, so that a small text has several."""
    monkeypatch.setattr(batches, "_CHUNK_CENTRES", 88)
    monkeypatch.setattr(block_engine, "_SHORT_SPAN_WORDS", 12)
    monkeypatch.setattr(block, "_SPANS_AHEAD", 1)
    monkeypatch.setattr(progress, "_REPORTS_PER_EPOCH", 1)  # so that losses are summed over several advances,
    monkeypatch.setattr(progress, "_MOST_PAIRS_UNSEEN", 150)  # and in several steps


def config_of(kind, model="cbow", **settings):
    fixed = {"min_count": 1, "dim": 5, "window": 2, "negatives": 3, "subsample": 0.05, "epochs": 3, "batch_size": 8}
    return factories.config_of(**fixed | {"model": model, "learning_rate": 0.1} | KINDS[kind] | settings)


@kinds
@pytest.mark.parametrize(("model", "validation"), [("cbow", 0.0), ("cbow", 0.2), ("skipgram", 0.2)])
def test_it_does_not_matter_where_a_training_was_stopped(zipf_text, tmp_path, kind, model, validation):
    """At the first advance, in the middle, at epochs' ends: vectors and losses are those of the whole training."""
    config = config_of(kind, model, validation=validation)
    expected = Training(zipf_text, config, tmp_path / "whole").run()

    for stop_after in (1, 4, 5, 6, 13):
        path = tmp_path / f"{stop_after}"
        stopped = Training(zipf_text, config, path).run(stop_after=stop_after)
        assert not stopped.is_complete
        assert_equal(Training(zipf_text, config, path).run(resume=True), expected)


@compiled_kinds
def test_a_training_may_be_interrupted_again_and_again(zipf_text, tmp_path, kind):
    """Also when every run does little more than load the last one's snapshot."""
    config = config_of(kind, validation=0.2)
    expected = Training(zipf_text, config, tmp_path / "whole").run()

    found = Training(zipf_text, config, tmp_path / "x").run(stop_after=1)
    for runs in itertools.count():
        if found.is_complete:
            break
        found = Training(zipf_text, config, tmp_path / "x").run(resume=True, stop_after=1 + runs % 2)

    assert 3 < runs <= ADVANCES
    assert_equal(found, expected)


@compiled_kinds
def test_taking_snapshots_changes_nothing(zipf_text, tmp_path, kind):
    """With a snapshot as often as can be, training gives what it gives with a single one in the end."""
    config = config_of(kind, validation=0.2)

    assert_equal(
        Training(zipf_text, config, tmp_path / "often").run(every="1w"),
        Training(zipf_text, config, tmp_path / "once").run(),
    )


@compiled_kinds
def test_patience_is_carried_over(zipf_text, tmp_path, kind, monkeypatch):
    """The best vectors so far and the epochs without better ones are in the snapshot, wherever it was taken."""
    losses = {1: 3.0, 2: 2.0, 3: 2.5, 4: 2.1, 5: 1.0}
    config = config_of(kind, epochs=5, validation=0.2, patience=2)
    expected = None
    for stop_after in (math.inf, 7, 14, 18):
        run = Training(zipf_text, config, tmp_path / f"{stop_after}")
        epoch = itertools.count(1)
        monkeypatch.setattr(type(run.trainer), "validation_loss", lambda _, epoch=epoch: losses[next(epoch)])
        found = run.run(stop_after=stop_after)
        if expected is None:
            expected = found
        else:
            found = Training(zipf_text, config, tmp_path / f"{stop_after}").run(resume=True)
        assert_equal_stop(found, expected)


def assert_equal_stop(found, expected):
    assert (found.epoch, found.whole_epochs, found.is_complete) == (2, 4, True)
    assert_array_equal(found.input_vectors, expected.input_vectors)
    assert found.validation_losses == expected.validation_losses


def test_what_has_ended_ends_at_once(zipf_text, tmp_path):
    """Going on with a finished training trains nothing and gives the same again."""
    config = config_of("one thread")
    expected = Training(zipf_text, config, tmp_path / "x").run()
    again = Training(zipf_text, config, tmp_path / "x")
    again.trainer.steps = lambda _: (_ for _ in ())

    assert_equal(again.run(resume=True), expected)


@pytest.mark.parametrize("kind", ["one thread", "numba sgd"])
def test_more_epochs_go_on_where_the_larger_number_has_the_rate(zipf_text, tmp_path, kind):
    """Reports count from the new total; with a constant rate the vectors are those of that many epochs at once."""
    Training(zipf_text, config_of(kind, epochs=2, decay="constant"), tmp_path / "x").run()
    longer = config_of(kind, epochs=5, decay="constant")
    found = Training(zipf_text, longer, tmp_path / "x").run(resume=True)
    at_once = Training(zipf_text, longer, tmp_path / "y").run()

    assert_array_equal(found.input_vectors, at_once.input_vectors)
    assert found.epoch_losses == pytest.approx(at_once.epoch_losses, rel=1e-12)
    assert [report.progress for report in found.reports if report.epoch_mean_loss][2:] == [0.6, 0.8, 1.0]


def test_more_epochs_with_a_falling_rate_are_not_those_at_once(zipf_text, tmp_path):
    """The first epochs had the rates of a shorter training; from there on they are those of the longer one."""
    Training(zipf_text, config_of("one thread", epochs=2), tmp_path / "x").run()
    found = Training(zipf_text, config_of("one thread", epochs=4), tmp_path / "x").run(resume=True)
    at_once = Training(zipf_text, config_of("one thread", epochs=4), tmp_path / "y").run()

    rates = [[report.learning_rate for report in run.reports if report.epoch > 2] for run in (found, at_once)]
    assert (found.input_vectors != at_once.input_vectors).any()
    assert 0 < max(rates[0]) <= 0.05
    assert min(rates[0]) == min(rates[1])


def test_vectors_kept_for_patience_survive_more_epochs(zipf_text, tmp_path, monkeypatch):
    """Where the last epoch of a finished training was its best, its vectors are kept if the further ones are worse."""
    losses = {2: [3.0, 2.0], 4: [2.5, 2.5]}

    def run(epochs, *, resume):
        config = config_of("one thread", epochs=epochs, validation=0.2, patience=3)
        training = Training(zipf_text, config, tmp_path / "x")
        left = iter(losses[epochs])
        monkeypatch.setattr(type(training.trainer), "validation_loss", lambda _: next(left))
        return training.run(resume=resume)

    short, longer = run(2, resume=False), run(4, resume=True)

    assert (short.epoch, longer.epoch) == (2, 2)
    assert_array_equal(longer.input_vectors, short.input_vectors)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_without_locks_drain(zipf_text, tmp_path, threads):
    """Where bytes cannot be equal, no word is lost or trained on twice: the losses are nearly those of one thread."""
    config = config_of("one thread")
    alone = Training(zipf_text, config, tmp_path / "a").run()
    Training(zipf_text, config, tmp_path / "x", threads=threads).run(stop_after=4, every="1w")
    found = Training(zipf_text, config, tmp_path / "x", threads=threads).run(resume=True, every="1w")

    assert found.is_complete
    assert found.epoch_losses == pytest.approx(alone.epoch_losses, rel=0.05)
