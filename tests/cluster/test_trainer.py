"""Training in rounds: what it learns depends on the rounds, not on workers, interruptions or the order of events."""

import dataclasses
import functools
import itertools
import os
import pickle
import shutil

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import factories
from fake_cluster import FakeCluster
from training_runs import fit_with
from w2v_cli.cluster.scan import scan_on
from w2v_cli.cluster.tasks import PackedVocabulary, ShardTask, shard_seed, train_shard
from w2v_cli.cluster.trainer import ClusterTrainer
from w2v_cli.config.types import parse_interval
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source
from w2v_cli.errors import ClusterError, CorpusError, DownloadError, MissingDependencyError, StorageError
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training import snapshot
from w2v_cli.training.resume import restore
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.snapshot import Identity
from w2v_cli.training.snapshot_writer import SnapshotWriter
from w2v_cli.training.trainer import Position


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a text of 600 sentences of 9 words out of 20, some of them frequent."""
    words = np.random.default_rng(2).zipf(1.4, size=(600, 9)) % 20
    path = tmp_path_factory.mktemp("rounds") / "x.txt"
    path.write_text("\n".join(" ".join(f"w{word}" for word in sentence) for sentence in words), encoding="utf-8")
    return Source(str(path))


SMALL = {"min_count": 1, "dim": 5, "window": 2, "negatives": 3, "subsample": 0.05, "epochs": 3, "learning_rate": 0.1}
ON_CLUSTER = {"algorithm": "block", "backend": "numpy", "cluster": "local:2", "shards": 2, "sync_words": 1000}
config_of = functools.partial(factories.config_of, **SMALL, **ON_CLUSTER)


class Training:
    """A training with its snapshots in a file."""

    def __init__(self, source, config, path, cluster=None):
        self.config, self.path = config, path
        read = scan_on(FakeCluster(), [source], config.corpus, config.cluster)
        self.words, self.rounds = read.corpus.vocabulary.kept_words, read.rounds
        self.cluster = cluster or FakeCluster()
        self.trainer = ClusterTrainer(
            self.cluster, read.rounds, read.corpus.vocabulary, config, Backend.NUMPY, Schedule.of(config)
        )

    def run(self, *, resume=False, stop_after=None, is_eager=True):
        """Train, from the snapshot or from the beginning, through so many rounds; return what `train` returns."""
        state = None
        if resume:
            state = restore(self.trainer, snapshot.load_snapshot(self.path), self.path, self.config.training.epochs)
        questions = itertools.count(1)
        identity = Identity(self.config, {}, "numpy", is_reproducible=True)
        with SnapshotWriter(self.path, identity, parse_interval("10m"), is_eager=is_eager) as writer:
            return fit_with(
                self.config,
                self.trainer,
                self.words,
                state=state,
                writer=writer,
                is_stop_wanted=lambda: stop_after is not None and next(questions) >= stop_after,
            )


def assert_equal(found, expected):
    assert_array_equal(found.input_vectors, expected.input_vectors)
    assert found.epoch_losses == expected.epoch_losses
    assert found.validation_losses == expected.validation_losses
    assert (found.is_complete, found.progress) == (True, 1.0)


def test_a_round_is_several_shards_from_one_state(source, tmp_path):
    """Each shard begins with the vectors that the round began with; the next round with what became of them."""
    training = Training(source, config_of(combine="mean"), tmp_path / "x")
    before = {name: matrix.copy() for name, matrix in training.trainer.read_state().items()}

    next(training.trainer.steps())

    tasks = [task.argument[0] for task in training.cluster.tasks]
    assert [task.shard.number for task in tasks] == [0, 3]
    vocabulary = training.trainer._vocabulary
    changes = [train_shard(vocabulary, before, task).changes["input_vectors"] for task in tasks]
    sums, counts = np.zeros_like(before["input_vectors"]), np.zeros((len(sums_of := before["input_vectors"]), 1))
    for change in changes:
        sums[change.rows] += change.values
        counts[change.rows] += 1
    expected = sums_of + sums / np.maximum(counts, 1)
    assert np.allclose(training.trainer.read_vectors(), expected, atol=1e-6)


def test_it_learns(source, tmp_path):
    """The loss falls from epoch to epoch, and reports name rounds and workers."""
    found = Training(source, config_of(), tmp_path / "x", FakeCluster(workers=7)).run()

    assert found.epoch_losses[0] > found.epoch_losses[1] > found.epoch_losses[2]
    rounds = found.reports[-1].rounds
    assert rounds == 3
    assert (found.reports[-1].round, found.reports[-1].workers) == (rounds, 7)


def test_it_does_not_matter_where_a_training_was_stopped(source, tmp_path):
    """After any round: vectors and losses are those of the whole training."""
    config = config_of(validation=0.1)
    expected = Training(source, config, tmp_path / "whole").run()

    for stop_after in (1, 2, 3, 5):
        path = tmp_path / f"{stop_after}"
        assert not Training(source, config, path).run(stop_after=stop_after).is_complete
        assert_equal(Training(source, config, path).run(resume=True), expected)


@pytest.mark.parametrize("is_eager", [True, False])
@pytest.mark.parametrize(
    ("fails_at", "error"),
    [(3, ClusterError), (4, DownloadError), (8, MissingDependencyError), (17, ClusterError)],
)
def test_a_cluster_that_fails_leaves_the_round_before(source, tmp_path, fails_at, error, is_eager):
    """The last whole round is in the snapshot, and the training that goes on ends as one that nothing befell."""
    expected = Training(source, config_of(), tmp_path / "whole").run()
    with pytest.raises(error):
        Training(source, config_of(), tmp_path / "x", FakeCluster(fails_at=fails_at, error=error)).run(
            is_eager=is_eager
        )

    rounds = (fails_at - 1) // 2
    assert snapshot.load_snapshot(tmp_path / "x").state.position == Position(*divmod(rounds, 3))
    assert_equal(Training(source, config_of(), tmp_path / "x").run(resume=True), expected)


@pytest.mark.parametrize(("fails_at", "point"), [(8, Position(0, 2)), (20, Position(1, 2))])
def test_what_cannot_be_measured_is_measured_again(source, tmp_path, fails_at, point):
    """An epoch whose held-out loss is not told is not over: the round before is kept, and no report is lost."""
    config = config_of(validation=0.1, patience=2)
    expected = Training(source, config, tmp_path / "whole").run()
    failing = Training(source, config, tmp_path / "x", FakeCluster(fails_at=fails_at))
    with pytest.raises(ClusterError):
        failing.run()

    assert failing.cluster.tasks[-1].name == "measure"
    assert snapshot.load_snapshot(tmp_path / "x").state.position == point
    assert_equal(Training(source, config, tmp_path / "x").run(resume=True), expected)


def test_a_worker_without_room_leaves_the_round_before(source, tmp_path):
    """The disk of a worker is not that of the snapshot."""

    def fill():
        raise StorageError("no space left on device")

    training = Training(source, config_of(), tmp_path / "x", cluster := FakeCluster())
    cluster.before_work = {6: fill}
    with pytest.raises(StorageError):
        training.run()

    assert snapshot.load_snapshot(tmp_path / "x").state.position == Position(0, 2)


def test_a_text_that_changes_leaves_the_round_before(source, tmp_path):
    """What ends a round says nothing against the one before: the old text, put back, is trained on."""
    path = tmp_path / "x.txt"
    shutil.copy2(source.place, path)
    expected = Training(source, config_of(), tmp_path / "whole").run()
    training = Training(Source(str(path)), config_of(), tmp_path / "x", cluster := FakeCluster())
    cluster.before_work = {6: lambda: os.utime(path, ns=(1, 1))}

    with pytest.raises(CorpusError, match=r"x\.txt changed while it was read"):
        training.run()

    assert snapshot.load_snapshot(tmp_path / "x").state.position == Position(0, 2)
    shutil.copy2(source.place, path)
    assert_equal(Training(Source(str(path)), config_of(), tmp_path / "x").run(resume=True), expected)


def test_a_shard_is_trained_as_one_machine_would(source):
    """One shard is the engine's own training, with the seed of the shard."""
    config = config_of(shards=1, sync_words=1_000_000)
    read = scan_on(FakeCluster(), [source], config.corpus, config.cluster)
    vocabulary = read.corpus.vocabulary
    seed = shard_seed(config.sampling.seed, 0)
    alone = config.model_copy(update={"sampling": config.sampling.model_copy(update={"seed": seed})})
    engine = load_block_engine(Backend.NUMPY, scan_corpus([source], config.corpus).text, BlockSettings.of(alone))
    before = {name: matrix.copy() for name, matrix in engine.read_state().items()}
    task = ShardTask.of(config, Backend.NUMPY, read.rounds[0].shards[0], 0, 0.0, 1 / 3, Schedule.of(config))

    found = train_shard(PackedVocabulary.of(vocabulary), before, task)

    loss_sum, pairs = engine.train_span(0, 0, 5400, 0.1, 0.1 * 2 / 3)
    assert (found.loss_sum, found.pairs) == (pytest.approx(loss_sum), pairs)
    for name, matrix in engine.read_state().items():
        changed = before[name].copy()
        changed[found.changes[name].rows] += found.changes[name].values
        assert np.allclose(changed, matrix, atol=1e-7)


def test_shards_have_different_draws():
    """Positions are counted within a shard, so that no two shards of a training may share a seed."""
    assert len({shard_seed(1, number) for number in range(10_000)} | {shard_seed(2, 0)}) == 10_001


def test_held_out_sentences_are_not_trained_on(source, tmp_path):
    """What is held out is measured after each epoch, on all shards, and is the same in each epoch."""
    training = Training(source, config_of(validation=0.2), tmp_path / "x")
    found = training.run()

    assert len(found.validation_losses) == 3
    names = [task.name for task in training.cluster.tasks]
    assert names.count("measure") == names.count("train") == 3 * 6
    assert Training(source, config_of(), tmp_path / "y").run().epoch_losses != found.epoch_losses


def test_nothing_held_out_is_told(source, tmp_path):
    """A share so small that no sentence falls to it has no loss."""
    training = Training(source, config_of(validation=1e-9), tmp_path / "x")

    with pytest.raises(CorpusError, match="give validation a larger share"):
        training.trainer.validation_loss()


def test_half_floats_are_nearly_as_good(source, tmp_path):
    """Changes that are sent as float16 lead to nearly the same loss."""
    whole = Training(source, config_of(), tmp_path / "x").run()
    half = Training(source, config_of(delta_format="float16"), tmp_path / "y").run()

    assert half.epoch_losses == pytest.approx(whole.epoch_losses, rel=1e-3)
    assert (half.input_vectors != whole.input_vectors).any()


def test_a_vocabulary_is_packed_without_what_belongs_to_a_process(source):
    """Its table hashes with a seed of the process that made it, and must not travel."""
    packed = PackedVocabulary.of(scan_corpus([source], config_of().corpus).corpus.vocabulary)
    assert len(packed.table) == 20

    travelled = pickle.loads(pickle.dumps(packed))  # noqa: S301  our own

    assert "table" not in travelled.__dict__
    assert travelled.table.words(np.arange(20)) == packed.table.words(np.arange(20))


def test_empty_shards_change_nothing(source, tmp_path):
    """A shard without a word that is kept has no rows to send."""
    config = config_of()
    read = scan_on(FakeCluster(), [source], config.corpus, config.cluster)
    empty = tmp_path / "empty.txt"
    empty.write_text("unknown words\n")
    shard = dataclasses.replace(read.rounds[0].shards[0], sources=(Source(str(empty)),))
    state = {"input_vectors": np.ones((20, 5), np.float32), "output_vectors": np.ones((20, 5), np.float32)}

    found = train_shard(
        PackedVocabulary.of(read.corpus.vocabulary),
        state,
        ShardTask.of(config, Backend.NUMPY, shard, 0, 0, 1, Schedule.of(config)),
    )

    assert (found.changes, found.loss_sum, found.pairs) == ({}, 0.0, 0)
