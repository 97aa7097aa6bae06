"""Going on with a training through the pipeline: what must agree, what may differ, what the file then says."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

import factories
from w2v_cli.config.schema import FIELDS
from w2v_cli.errors import ConfigError, DivergedError, OutputInUseError, StorageError, VectorsError
from w2v_cli.pipeline.events import TrainingResumed, WordsInitialised
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.system import locks
from w2v_cli.training.snapshot import Plan, Snapshot, load_snapshot, save_snapshot, snapshot_path
from w2v_cli.training.trainer import Position
from w2v_cli.vectors import keyed_vectors

ALL_GIVEN = tuple(FIELDS)


def config_of(source, output, **settings):
    fixed = {"dim": 8, "subsample": 0.0, "epochs": 3, "deterministic": True, "snapshot_every": "1w"}
    return factories.config_of(**{"source": source, "output": output} | fixed | settings)


class Runs:
    """Trainings on one text to one output."""

    def __init__(self, text, folder):
        self.text, self.output, self.events = text, folder / "x.safetensors", []
        self.snapshot = snapshot_path(self.output)
        self.data_folder = folder / "data"

    def run(self, *, resume=None, stop=False, discard_snapshot=False, **settings):
        """Train, until the first point of rest where `stop`; return what the pipeline returns."""
        self.events.clear()
        config = config_of(settings.pop("source", self.text), self.output, **settings)
        options = {"resume": resume, "discard_snapshot": discard_snapshot, "is_stop_wanted": lambda: stop}
        return train_vectors(config, self.data_folder, self.events.append, **options)

    @property
    def metadata(self):
        """What the vectors file says."""
        return keyed_vectors.load(self.output).metadata


@pytest.fixture
def runs(topics_text, tmp_path):
    """Return Runs on a text of two topics."""
    return Runs(topics_text, tmp_path)


@pytest.fixture
def stopped(runs):
    """Return Runs whose first one was stopped."""
    runs.run(stop=True)
    return runs


def test_a_stopped_training_leaves_vectors_that_say_so(stopped):
    """They are complete and can be asked; the metadata say how far the training had come."""
    metadata = stopped.metadata

    assert len(keyed_vectors.load(stopped.output)) == 16
    assert metadata["stopped_early"] == {"whole_epochs": 1, "epochs": 3, "progress": 0.333333}
    assert (metadata["reproducible"], metadata["final_loss"]) == (False, metadata["epoch_losses"][0])


@pytest.mark.parametrize("algorithm", ["block", "minibatch"])
def test_the_resumed_file_is_the_uninterrupted_one(runs, tmp_path, algorithm):
    """Byte for byte, metadata included, also with other free settings and after the corpus was moved."""
    same = {"algorithm": algorithm, "batch_size": 64}
    runs.run(**same)
    expected = runs.output.read_bytes()
    runs.run(stop=True, overwrite=True, threads=1, **same)
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(runs.text, tmp_path / "elsewhere" / "topics.txt")
    free = {"threads": 2, "snapshot_every": "1h", "time_limit": "9h"}
    keys = ("corpus.source", "training.threads", "output.snapshot_every", "training.time_limit", "training.algorithm")
    runs.run(resume=keys, source=moved, algorithm="auto", **free)

    assert runs.output.read_bytes() == expected


def test_settings_that_are_not_given_come_from_the_snapshot(runs):
    """Only the output is named: corpus and settings are those of the training that was stopped."""
    runs.run(stop=True, epochs=2, seed=7)
    saved = runs.run(resume=(), source=None, epochs=99, deterministic=False, dim=55)

    [resumed] = [event for event in runs.events if isinstance(event, TrainingResumed)]
    assert (resumed.path, resumed.progress, resumed.epoch, resumed.epochs) == (runs.snapshot, 0.5, 1, 2)
    assert (saved.trained.is_complete, len(saved.trained.epoch_losses)) == (True, 2)
    assert runs.metadata["seed"] == 7
    assert "stopped_early" not in runs.metadata


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"dim": 9}, ["model.dim: 8 → 9"]),
        (
            {"learning_rate": 0.1, "seed": 2},
            ["sampling.seed: 1 → 2", "training.learning_rate: 0.05 → 0.1"],
        ),
        ({"deterministic": False}, ["training.deterministic: true → false"]),
        ({"algorithm": "minibatch"}, ['training.algorithm: "block" → "minibatch"']),
        ({"backend": "numpy"}, ['training.backend: "auto" → "numpy"']),
        ({"epochs": 2}, ["training.epochs, which may only grow: 3 → 2"]),
        ({"validation": 0.1}, ["training.validation: 0.0 → 0.1"]),
    ],
)
def test_another_training_is_refused_with_the_difference(stopped, settings, lines):
    """Exit 2, old and new value of each setting, before the corpus is read; nothing is changed."""
    before = (stopped.output.read_bytes(), stopped.snapshot.read_bytes())

    with pytest.raises(ConfigError) as refusal:
        stopped.run(resume=ALL_GIVEN, **settings)

    head, *found, cure = str(refusal.value).split("\n")
    assert head.endswith("belongs to another training (snapshot → this run):")
    assert found == lines
    assert "overwrite to start a new training" in cure
    assert stopped.events == []
    assert (stopped.output.read_bytes(), stopped.snapshot.read_bytes()) == before


def test_the_same_settings_in_other_words_agree(stopped):
    """The rate that null stands for, the backend that auto resolves to, the algorithm that was chosen."""
    stopped.run(resume=ALL_GIVEN, learning_rate=0.05, backend="numba", algorithm="block")

    assert stopped.metadata["config"]["training"]["backend"] == "auto"


def test_another_text_is_refused_with_the_difference(stopped, tmp_path):
    """Exit 2, names, sizes and hashes of both."""
    (tmp_path / "other.txt").write_text(stopped.text.read_text(encoding="utf-8") + " sea1", encoding="utf-8")

    with pytest.raises(
        ConfigError,
        match=r"\ncorpus: topics\.txt, 3000 words, SHA-256 \w{12}… → other\.txt, 3001 words, SHA-256 \w{12}…\n",
    ):
        stopped.run(resume=("corpus.source",), source=tmp_path / "other.txt")


def test_another_version_of_the_training_is_refused(stopped, monkeypatch):
    """A w2v that would compute something else does not go on."""
    monkeypatch.setattr("w2v_cli.training.resume.TRAINING_VERSION", 2)

    with pytest.raises(ConfigError, match=r"w2v-cli, whose algorithms have changed: "):
        stopped.run(resume=())


def test_without_a_snapshot_there_is_nothing_to_go_on_from(runs):
    """Exit 2, and what to do."""
    with pytest.raises(ConfigError, match=r"no snapshot .*x\.safetensors\.snapshot\. Pass the output of"):
        runs.run(resume=())


def test_a_damaged_snapshot_is_refused(stopped):
    """Exit 4; the vectors and the damaged file stay."""
    content = bytearray(stopped.snapshot.read_bytes())
    content[-1] ^= 1
    stopped.snapshot.write_bytes(content)

    with pytest.raises(VectorsError, match=r"resume: .*snapshot is damaged .* Use overwrite to start over"):
        stopped.run(resume=())

    assert stopped.snapshot.read_bytes() == content


@pytest.mark.parametrize("point", [(0, 10**9), (-1, 0), (0, -1), (99, 0)])
def test_a_crafted_point_is_refused(stopped, point):
    """A place that no training can have come to is damage, not an index."""
    taken = load_snapshot(stopped.snapshot)
    arrays = {name: np.array(array) for name, array in taken.state.arrays.items()}
    crafted = dataclasses.replace(taken.state, position=Position(*point), arrays=arrays)
    save_snapshot(stopped.snapshot, Snapshot(taken.identity, crafted))

    with pytest.raises(VectorsError, match="is damaged: its position, "):
        stopped.run(resume=())


def test_more_epochs_go_on_with_a_finished_training(runs):
    """The file holds the new number, and says that it was another one at first."""
    runs.run()
    saved = runs.run(resume=("training.epochs",), epochs=5)
    again = runs.run(resume=(), epochs=1)

    assert len(saved.trained.epoch_losses) == len(again.trained.epoch_losses) == 5
    assert runs.metadata["config"]["training"]["epochs"] == 5
    assert runs.metadata["earlier_plans"] == [{"epochs": 3, "until": {"epoch": 3, "done": 0}}]
    assert load_snapshot(runs.snapshot).identity.earlier_plans == (Plan(3, Position(3, 0)),)


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1)])
def test_what_was_not_reproducible_once_never_is_again(runs, first, then):
    """Threads without locks in any part of a training leave their mark."""
    runs.run(stop=True, deterministic=False, threads=first)
    runs.run(resume=("training.threads",), deterministic=False, threads=then)

    assert runs.metadata["reproducible"] is False


@pytest.mark.parametrize("name", ["x.safetensors", "x.safetensors.snapshot"])
def test_what_exists_is_kept(runs, name):
    """Vectors as well as the snapshot of a killed run stay (exit 2) unless --overwrite or --resume is given."""
    (runs.output.parent / name).write_bytes(b"precious")

    with pytest.raises(ConfigError, match=r"already exists\. .* overwrite .* resume") as refusal:
        runs.run()

    assert refusal.value.exit_code == 2
    assert (runs.output.parent / name).read_bytes() == b"precious"


def test_a_time_limit_ends_a_training_well(runs):
    """Vectors and snapshot are there, and going on knows of no limit."""
    saved = runs.run(time_limit="0.000001s")
    assert not saved.trained.is_complete
    assert saved.as_json()["stopped_early"]["whole_epochs"] == 1
    assert json.dumps(saved.as_json())

    assert runs.run(resume=()).trained.is_complete


@pytest.mark.parametrize(("stop", "is_left"), [(False, False), (True, True)])
def test_a_snapshot_is_discarded_when_the_training_is_complete(runs, stop, is_left):
    """Not before: a training that was stopped needs it."""
    saved = runs.run(discard_snapshot=True, stop=stop)

    assert runs.snapshot.exists() is is_left
    assert (saved.snapshot is not None) is is_left


def test_without_snapshots_none_is_left(runs):
    """`never` writes none, removes that of a training that is overwritten, and keeps the one that it goes on from."""
    runs.run(snapshot_every="never")
    assert not runs.snapshot.exists()
    runs.run(stop=True, overwrite=True)
    runs.run(resume=("output.snapshot_every",), snapshot_every="never")
    assert runs.snapshot.exists()
    runs.run(overwrite=True, snapshot_every="never", stop=True)
    assert not runs.snapshot.exists()


def test_an_output_in_use_is_found_before_the_text_is_read(runs):
    """Exit 8, even where the text is not there."""
    with locks.hold(runs.output), pytest.raises(OutputInUseError):
        runs.run(source="none.txt")


def test_the_lock_is_free_afterwards(runs):
    """Also after a refusal; nothing is left of it."""
    with pytest.raises(ConfigError):
        runs.run(resume=())
    runs.run(discard_snapshot=True)

    assert sorted(path.name for path in runs.output.parent.iterdir()) == ["topics.txt", "x.safetensors"]


def test_stale_temporaries_are_cleared(runs):
    """What a killed run left in the output's folder goes with the next start."""
    stale = runs.output.with_name(".w2v-0123456789abcdef.tmp")
    stale.touch()
    runs.run()

    assert not stale.exists()


@pytest.mark.parametrize("learning_rate", [0.02, 0.03])
def test_a_diverged_training_names_the_last_good_snapshot(runs, learning_rate):
    """Exit 1 after some epochs; the snapshot from before holds usable vectors, and the message says where it is."""
    settings = {"algorithm": "minibatch", "batch_size": 512, "decay": "constant", "epochs": 60}

    with pytest.raises(DivergedError, match=r"learning_rate=.*x\.safetensors\.snapshot is kept, from epoch \d"):
        runs.run(learning_rate=learning_rate, **settings)

    taken = load_snapshot(runs.snapshot)
    assert np.abs(taken.state.arrays["input_vectors"]).max() <= keyed_vectors.MAX_FLOAT16
    assert not runs.output.exists()


def test_a_failed_last_save_says_how_to_go_on(runs, monkeypatch):
    """Where the vectors cannot be written in the end, nothing is lost: the snapshot holds all that was learnt."""

    def refuse(*_args, **_options):
        raise StorageError("the disk is full.")

    monkeypatch.setattr(keyed_vectors, "save", refuse)
    with pytest.raises(StorageError, match=r"full\. .* resume continues from it"):
        runs.run()
    monkeypatch.undo()
    runs.run(resume=())

    assert len(runs.metadata["epoch_losses"]) == 3


def test_new_text_begins_with_old_vectors(runs, tmp_path):
    """Words of the same name start from the old rows, others as usual; the file says where they come from."""
    runs.run()
    old = keyed_vectors.load(runs.output)
    new = Runs(tmp_path / "new.txt", tmp_path)
    new.text.write_text(runs.text.read_text(encoding="utf-8") + "\n" + "land " * 20, encoding="utf-8")
    new.output = tmp_path / "new.safetensors"
    usual = new.run(learning_rate=1e-12).trained.input_vectors
    found = new.run(learning_rate=1e-12, init_from=str(runs.output), overwrite=True).trained.input_vectors

    [event] = [event for event in new.events if isinstance(event, WordsInitialised)]
    ids = {word: row for row, word in enumerate(keyed_vectors.load(new.output).words)}
    assert event == WordsInitialised("x.safetensors", 16, 17)
    assert all((found[ids[word]] == old.vectors[row]).all() for row, word in enumerate(old.words))
    assert (found[ids["land"]] == usual[ids["land"]]).all()
    assert new.metadata["init_from"]["source"] == "x.safetensors"
    assert new.metadata["init_from"]["words"] == 16
    assert len(new.metadata["init_from"]["sha256"]) == 64
    assert "init_from" not in new.metadata["config"]["model"]


def test_going_on_needs_the_old_vectors_no_more(runs, tmp_path):
    """A training from old vectors is resumed without them, byte for byte, and refused with others."""
    runs.run()
    old = shutil.move(runs.output, tmp_path / "old.safetensors")
    other = tmp_path / "other.safetensors"
    other.write_bytes(old.read_bytes() + b"\0")
    settings = {"init_from": str(old), "overwrite": True}
    runs.run(**settings)
    expected = runs.output.read_bytes()
    runs.run(stop=True, **settings)

    with pytest.raises(ConfigError, match=r"model\.init_from: old\.safetensors \w{12} → other\.safetensors \w{12}"):
        runs.run(resume=("model.init_from",), init_from=str(other))
    old.unlink()
    runs.run(resume=())

    assert runs.output.read_bytes() == expected


def test_old_vectors_of_another_size_are_refused(runs):
    """Exit 2 before the text is read, with the option that would do."""
    runs.run()

    with pytest.raises(ConfigError, match=r"have 8 dimensions, this training has 9: give dim=8"):
        runs.run(init_from=str(runs.output), dim=9, overwrite=True)
    assert runs.events == []


def test_old_vectors_that_are_none_are_refused(runs):
    """Exit 4, as elsewhere."""
    with pytest.raises(VectorsError, match="not found"):
        runs.run(init_from="none.safetensors")
