"""From a text to a vectors file: what is refused and when, what is told on the way, and what the file says."""

import json
import sys
from itertools import groupby

import numpy as np
import pytest

import factories
from factories import similar
from w2v_cli import __version__
from w2v_cli.config.schema import Config
from w2v_cli.corpus.find import CorpusFound
from w2v_cli.corpus.sources import Source
from w2v_cli.errors import ConfigError, DivergedError, MissingDependencyError, StorageError
from w2v_cli.kernels.protocols import Backend
from w2v_cli.pipeline.events import CorpusRead, CorpusScanned, EngineLoaded, VectorsSaved
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.training import factory
from w2v_cli.training.progress import Progress
from w2v_cli.vectors import keyed_vectors


def config_of(source, output, **settings):
    return factories.config_of(
        **{"source": source, "output": output, "dim": 8, "subsample": 0.0, "epochs": 3, "batch_size": 64} | settings
    )


def test_events_come_in_order(topics_text, data_folder, tmp_path):
    """Corpus found, read and scanned, engine, progress, saved; the last one is returned."""
    events = []
    saved = train_vectors(config_of(topics_text, tmp_path / "x.safetensors", threads=1), data_folder, events.append)

    order = [kind for kind, _ in groupby(map(type, events))]
    assert order == [CorpusFound, CorpusRead, CorpusScanned, EngineLoaded, Progress, VectorsSaved]
    assert events[0] == CorpusFound((Source(str(topics_text)),), None, is_default=False, asked=(str(topics_text),))
    assert events[1] == CorpusRead(topics_text.stat().st_size, topics_text.stat().st_size)
    assert events[2].words == 3000
    assert events[3] == EngineLoaded("block", Backend.NUMBA, threads=1, is_compiled=events[3].is_compiled)
    assert tuple(event for event in events if isinstance(event, Progress)) == saved.trained.reports
    assert events[-1] == VectorsSaved.of(tmp_path / "x.safetensors", 16, saved.trained, saved.snapshot)
    assert (saved.path, saved.vocabulary_size) == (tmp_path / "x.safetensors", 16)


def test_file_answers_queries(topics_text, data_folder, tmp_path):
    """The saved vectors know that words of one topic belong together."""
    train_vectors(config_of(topics_text, tmp_path / "x.safetensors", epochs=8), data_folder, lambda _: None)
    word_vectors = keyed_vectors.load(tmp_path / "x.safetensors")

    for word in ("sea3", "sky5"):
        neighbours = [neighbour.word for neighbour in similar(word_vectors, word, top=7)]
        assert {neighbour[:3] for neighbour in neighbours} == {word[:3]}


def test_file_says_how_it_came_about(topics_text, data_folder, tmp_path):
    """Rows, counts and losses are those of the training; the metadata name all that decides them."""
    config = config_of(topics_text, tmp_path / "x.safetensors", seed=2**64 - 1, optimizer="adam", backend="numpy")
    events = []
    saved = train_vectors(config, data_folder, events.append)
    scanned = events[2]

    loaded = keyed_vectors.load(saved.path)
    assert np.array_equal(loaded.vectors, saved.trained.input_vectors.astype(np.float16))
    assert (len(loaded.words), loaded.counts.sum()) == (scanned.vocabulary_size, scanned.kept_words)
    words = topics_text.read_text(encoding="utf-8").split()
    assert [words.count(word) for word in loaded.words] == loaded.counts.tolist()
    settings = loaded.metadata["config"]
    assert Config.model_validate(settings).model == config.model
    assert settings["training"]["learning_rate"] == 0.001  # what null stood for
    assert {key: value for key, value in loaded.metadata.items() if key != "config"} == {
        "format_version": 1,
        "package_version": __version__,
        "algorithm": "minibatch",
        "backend": "numpy",
        "reproducible": True,
        "seed": 2**64 - 1,
        "corpus": {
            "source": "topics.txt",
            "sha256": scanned.sha256,
            "kept_words": 3000,
            **dict.fromkeys(scanned.report.as_json(), 0),
            "files": 1,
            "size_bytes": topics_text.stat().st_size,
            "words": 3000,
            "sentences": 300,
        },
        "epoch_losses": saved.trained.epoch_losses,
        "final_loss": saved.trained.epoch_losses[-1],
    }


@pytest.mark.parametrize("training", [{"algorithm": "minibatch"}, {"algorithm": "block", "deterministic": True}])
def test_equal_trainings_make_equal_files(topics_text, data_folder, tmp_path, training):
    """Folder, output name and number of threads leave no trace in the bytes of either algorithm; the seed does."""
    other_folder = tmp_path / "elsewhere"
    other_folder.mkdir()
    moved = other_folder / topics_text.name
    moved.write_bytes(topics_text.read_bytes())
    runs = [(topics_text, "x", {"threads": 1}), (moved, "elsewhere/y", {"threads": 2}), (topics_text, "z", {"seed": 2})]
    first, same, other = (
        train_vectors(
            config_of(source, tmp_path / name, **training, **rest), data_folder, lambda _: None
        ).path.read_bytes()
        for source, name, rest in runs
    )

    assert first == same
    assert first != other


def test_summary_is_json(topics_text, data_folder, tmp_path):
    """What a script is told survives JSON and holds the losses."""
    saved = train_vectors(config_of(topics_text, tmp_path / "x.safetensors"), data_folder, lambda _: None)
    told = json.loads(json.dumps(saved.as_json()))

    assert told["output"] == str(tmp_path / "x.safetensors")
    assert told["words"] == 16
    assert told["epoch_losses"] == saved.trained.epoch_losses
    assert (told["corpus"]["words"], told["corpus"]["files"], told["corpus"]["rare_words"]) == (3000, 1, 0)
    assert set(told) == {"output", "words", "seconds", "words_per_second", "epoch_losses", "corpus"}


def never(event):
    raise AssertionError(f"{event} was sent")


def test_an_existing_output_is_refused_first(tmp_path, data_folder):
    """Before the corpus is even looked for (it is missing): exit 2, and the file is kept."""
    output = tmp_path / "x.safetensors"
    output.write_bytes(b"precious")

    with pytest.raises(ConfigError, match=r"x\.safetensors already exists") as refusal:
        train_vectors(config_of(tmp_path / "none.txt", output), data_folder, never)

    assert refusal.value.exit_code == 2
    assert output.read_bytes() == b"precious"


def test_overwrite_replaces_an_existing_output(topics_text, data_folder, tmp_path):
    """With output.overwrite the old file goes when the new one is complete."""
    output = tmp_path / "x.safetensors"
    output.write_bytes(b"old")
    train_vectors(config_of(topics_text, output, overwrite=True), data_folder, lambda _: None)

    assert len(keyed_vectors.load(output)) == 16


def test_a_place_for_no_file_is_found_before_training(topics_text, data_folder, tmp_path):
    """A missing folder is a StorageError (exit 6) before the corpus is read."""
    with pytest.raises(StorageError, match="No such file or directory") as refusal:
        train_vectors(config_of(topics_text, tmp_path / "none" / "x.safetensors"), data_folder, never)

    assert refusal.value.exit_code == 6


def test_block_refuses_what_it_cannot_do(topics_text, data_folder, tmp_path):
    """Adam with the block algorithm ends in exit 2 before anything is read."""
    with pytest.raises(ConfigError, match=r'"block" does not support training\.optimizer: adam'):
        train_vectors(config_of(topics_text, tmp_path / "x", algorithm="block", optimizer="adam"), data_folder, never)


@pytest.mark.parametrize(
    ("training", "is_reproducible"),
    [({"threads": 2}, False), ({"threads": 1}, True), ({"threads": 2, "deterministic": True}, True)],
)
def test_the_file_says_whether_it_can_be_made_again(topics_text, data_folder, tmp_path, training, is_reproducible):
    """Vectors of several threads of the block algorithm are not, unless they were asked to be."""
    saved = train_vectors(config_of(topics_text, tmp_path / "x", **training), data_folder, lambda _: None)

    assert keyed_vectors.load(saved.path).metadata["reproducible"] is is_reproducible


def test_threads_are_as_many_as_cores(topics_text, data_folder, tmp_path, monkeypatch):
    """Where no number is asked for, training takes every core that the process may use."""
    monkeypatch.setattr(factory, "available_cores", lambda: 3)
    events = []
    train_vectors(config_of(topics_text, tmp_path / "x"), data_folder, events.append)

    assert [event.threads for event in events if isinstance(event, EngineLoaded)] == [3]


def test_deterministic_on_a_gpu_is_refused(topics_text, data_folder, tmp_path):
    """A GPU adds in any order: exit 2 before a GPU is looked for."""
    with pytest.raises(ConfigError, match='deterministic does not work with backend="cupy"'):
        train_vectors(config_of(topics_text, tmp_path / "x", backend="cupy", deterministic=True), data_folder, never)


def test_a_missing_gpu_is_found_before_the_corpus_is_read(topics_text, data_folder, tmp_path, monkeypatch):
    """Where CuPy cannot be imported the run ends (exit 9) before it has begun."""
    monkeypatch.setitem(sys.modules, "cupy", None)

    with pytest.raises(MissingDependencyError, match="CuPy"):
        train_vectors(config_of(topics_text, tmp_path / "x", backend="cupy"), data_folder, never)


def test_a_diverged_training_keeps_the_old_file(topics_text, data_folder, tmp_path):
    """Nothing is written, no temporary file stays, the file that was to be replaced is whole."""
    output = tmp_path / "x.safetensors"
    output.write_bytes(b"old")
    config = config_of(
        topics_text, output, overwrite=True, learning_rate=10.0, decay="constant", epochs=30, batch_size=4096
    )

    with pytest.raises(DivergedError):
        train_vectors(config, data_folder, lambda _: None)

    assert output.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["topics.txt", "x.safetensors"]


@pytest.mark.parametrize(
    "training", [{}, {"backend": "numpy"}, {"deterministic": True}, {"algorithm": "minibatch"}, {"optimizer": "adam"}]
)
def test_held_out_sentences_are_measured_and_not_trained_on(topics_text, data_folder, tmp_path, training):
    """The loss on them is told after each epoch, falls, and is the same whatever measures it; the file holds it."""
    config = config_of(topics_text, tmp_path / "x", validation=0.2, threads=2, **training)
    saved = train_vectors(config, data_folder, lambda _: None)

    losses = saved.trained.validation_losses
    assert len(losses) == 3
    assert losses[-1] < losses[0] < 6 * np.log(2) + 0.1
    assert keyed_vectors.load(saved.path).metadata["validation_losses"] == losses
    assert saved.as_json()["validation_losses"] == losses


@pytest.mark.parametrize("algorithm", ["block", "minibatch"])
def test_measuring_changes_nothing(topics_text, data_folder, tmp_path, algorithm, monkeypatch):
    """The vectors are those of the same training that nobody measures."""
    config = config_of(topics_text, tmp_path / "x", validation=0.2, algorithm=algorithm, deterministic=True)
    measured = train_vectors(config, data_folder, lambda _: None).trained.input_vectors
    trainer = factory.BlockTrainer if algorithm == "block" else factory.MinibatchTrainer
    monkeypatch.setattr(trainer, "validation_loss", lambda _: 1.0)
    config = config_of(topics_text, tmp_path / "y", validation=0.2, algorithm=algorithm, deterministic=True)

    assert (train_vectors(config, data_folder, lambda _: None).trained.input_vectors == measured).all()


def test_training_stops_when_the_held_out_loss_rises(topics_text, data_folder, tmp_path, monkeypatch):
    """After two epochs without a lower loss it ends with the vectors of the best one, those of a shorter training."""
    losses = iter([3.0, 2.0, 2.5, 2.0, 1.0])
    monkeypatch.setattr(factory.BlockTrainer, "validation_loss", lambda _: next(losses))
    kept = {}

    def keep(event):
        if isinstance(event, Progress) and event.validation_loss is not None:
            kept[event.epoch] = event.validation_loss

    same = {"validation": 0.1, "decay": "constant", "deterministic": True}
    config = config_of(topics_text, tmp_path / "x", epochs=9, patience=2, **same)
    stopped = train_vectors(config, data_folder, keep).trained
    losses = iter([3.0, 2.0])
    whole = train_vectors(config_of(topics_text, tmp_path / "y", epochs=2, **same), data_folder, lambda _: None).trained

    assert kept == {1: 3.0, 2: 2.0, 3: 2.5, 4: 2.0}
    assert stopped.epoch == 2
    assert (stopped.input_vectors == whole.input_vectors).all()
    assert keyed_vectors.load(tmp_path / "x").metadata["epoch"] == 2


def test_patience_without_held_out_sentences_is_refused(topics_text, data_folder, tmp_path):
    """There would be nothing to wait for: exit 2."""
    with pytest.raises(ConfigError, match="needs held-out sentences: set validation too"):
        train_vectors(config_of(topics_text, tmp_path / "x", patience=2), data_folder, never)
