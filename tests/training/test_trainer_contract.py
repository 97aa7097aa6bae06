"""The contract of a trainer, asked of every trainer: positions, resuming at each of them, state, held-out loss."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from factories import config_of
from fake_cluster import FakeCluster
from w2v_cli.cluster.scan import scan_on
from w2v_cli.cluster.trainer import ClusterTrainer
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source
from w2v_cli.kernels import Backend, hold_out
from w2v_cli.training.factory import build_trainer
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import Position

SMALL = {"min_count": 1, "dim": 5, "window": 2, "negatives": 3, "subsample": 0.0, "epochs": 2, "learning_rate": 0.1}
# A new trainer joins here with its settings.
TRAINERS = {
    "block": {"algorithm": "block", "backend": "numba"},
    "block, deterministic": {"algorithm": "block", "backend": "numba", "deterministic": True},
    "minibatch, sgd": {"algorithm": "minibatch", "backend": "numba", "batch_size": 16},
    "minibatch, adam": {"algorithm": "minibatch", "backend": "numba", "optimizer": "adam", "batch_size": 16},
    "cluster": {"algorithm": "block", "backend": "numpy", "cluster": "local:2", "shards": 2, "sync_words": 1000},
}
TEXTS = {
    "sentences": "\n".join(f"a b c d{i % 7} e f{i % 11} a a g" for i in range(500)),
    "one word again and again": "a a a a a a\nb a\n" * 30,
    "two words": "a b\n",
}


@pytest.fixture(params=TRAINERS)
def build(request, tmp_path):
    """Return a function (text, settings) that builds each trainer in turn, prepared."""

    def build_one(text, **settings):
        config = config_of(**SMALL | TRAINERS[request.param] | {"threads": 1} | settings)
        path = tmp_path / "text.txt"
        if not path.exists():  # a cluster notices that a file was written again
            path.write_text(text, encoding="utf-8")
        source = Source(str(path))
        backend, schedule = Backend(config.training.backend), Schedule.of(config)
        if config.cluster.cluster is None:
            encoded, held_out = scan_corpus([source], config.corpus).text, None
            if config.training.validation:
                encoded, held_out = hold_out(encoded, config.training.validation, config.sampling.seed)
            trainer, _ = build_trainer(encoded, held_out, config, schedule, backend)
        else:
            read = scan_on(FakeCluster(), [source], config.corpus, config.cluster)
            trainer = ClusterTrainer(FakeCluster(), read.rounds, read.corpus.vocabulary, config, backend, schedule)
        trainer.prepare()
        return trainer

    return build_one


def state_of(trainer):
    return {name: array.copy() for name, array in trainer.read_state().items()}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_positions_rise_to_the_end(build, text):
    """Steps go through the epochs in order; each epoch ends once, drained, and the last one at progress 1."""
    results = list(build(text).steps())

    positions = [(result.after.epoch, result.after.done) for result in results]
    assert positions == sorted(set(positions))
    assert [result.after for result in results if result.ends_epoch] == [Position(1), Position(2)]
    assert all(result.is_drained for result in results if result.ends_epoch)
    assert results[-1].progress == 1
    assert all(np.isfinite(float(result.loss_sum)) for result in results)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_training_resumes_from_every_drained_position(build, text):
    """A new trainer with the state of a drained position ends with the bytes of the whole training."""
    whole = build(text)
    snapshots = [(result.after, state_of(whole)) for result in whole.steps() if result.is_drained]

    assert len(snapshots) >= 2
    for position, state in snapshots[:: max(len(snapshots) // 3, 1)]:
        resumed = build(text)
        resumed.restore(state)
        list(resumed.steps(position))
        assert list(resumed.read_state()) == list(whole.read_state())
        for name, array in whole.read_state().items():
            assert_array_equal(resumed.read_state()[name], array)


def test_training_changes_the_vectors_and_lowers_the_loss(build):
    """The loss per pair of the second epoch is below that of the first."""
    trainer = build(TEXTS["sentences"], epochs=4)
    before, losses = trainer.read_vectors().copy(), np.zeros((4, 2))
    for result in trainer.steps():
        losses[result.epoch] += float(result.loss_sum), int(result.pairs)

    assert (trainer.read_vectors() != before).any()
    assert_array_equal(trainer.read_vectors(), trainer.read_state()["input_vectors"])
    assert losses[-1, 0] / losses[-1, 1] < losses[0, 0] / losses[0, 1]


def test_the_held_out_loss_changes_nothing(build):
    """It is the same again, and no array of the state moves."""
    trainer = build(TEXTS["sentences"], validation=0.2)
    before = state_of(trainer)

    assert trainer.validation_loss() == trainer.validation_loss() > 0
    for name, array in trainer.read_state().items():
        assert_array_equal(array, before[name])


def test_a_drained_trainer_goes_on_by_itself(build):
    """After `drain` a drained step follows soon; the training ends with the bytes of one that was not drained."""
    expected, trainer = build(TEXTS["sentences"]), build(TEXTS["sentences"])
    list(expected.steps())

    results = []
    for result in trainer.steps():
        trainer.drain()
        results.append(result)

    assert any(result.is_drained for result in results)
    assert_array_equal(trainer.read_vectors(), expected.read_vectors())
