"""The log of a training: what it refuses, what it survives, and that each line is what docs/reference/log.md says."""

import json
import logging
import math
import os
from pathlib import Path

import numpy as np
import pytest

import factories
from documented import check_lines, read_page
from w2v_cli.config.schema import Config
from w2v_cli.errors import ConfigError, DivergedError, StorageError, explain_system_refusal
from w2v_cli.evaluation.per_epoch import SetScore
from w2v_cli.kernels.minibatch import batches
from w2v_cli.kernels.protocols import Backend
from w2v_cli.pipeline import run_log
from w2v_cli.pipeline.events import CorpusRead, TrainingResumed, VectorsSaved, WordsInitialised
from w2v_cli.pipeline.run_log import RunLog, check_log, logged
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.training.factory import EngineLoaded
from w2v_cli.training.loop import Trained
from w2v_cli.training.progress import Progress

START = '{"schema": 1, "event": "start"}\n'
NO_LOGS = ["the only copy of my novel", '{"event": 1}\n', "[]\n", "null", "\0" * 9, '{"schema']


def config_of(folder, *, log="run.jsonl", **settings):
    text = folder / "text.txt"
    text.write_text("the sea and the sky\nthe sky and the land\n" * 40, encoding="utf-8")
    files = {"source": text, "output": folder / "x", "log": log and str(folder / log)}
    return factories.config_of(**files | {"dim": 4, "subsample": 0.0, "backend": "numpy", "epochs": 2} | settings)


@pytest.fixture
def log_at(tmp_path):
    """Return a function that opens the log run.jsonl with a clock that stands still."""
    return lambda **options: RunLog(tmp_path / "run.jsonl", clock=lambda: 7.0, **options)


def test_every_line_of_a_real_run_is_documented(tmp_path, monkeypatch):
    """From start to saved, with held-out loss and scores, every event is as docs/reference/log.md says."""
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("sea sky 8\nsea land 3\nland x 1\n", encoding="utf-8")
    config = config_of(tmp_path, validation=0.2, evaluate=[str(pairs)], algorithm="minibatch", batch_size=16)
    monkeypatch.setattr(batches, "_CHUNK_CENTRES", 16)

    saved = train_vectors(config, tmp_path, lambda _: None)

    events = check_lines((tmp_path / "run.jsonl").read_text(encoding="ascii"))
    names = [event["event"] for event in events]
    assert names[:4] == ["start", "corpus_found", "corpus", "training"]
    assert names[-1] == "saved"
    assert names.count("epoch") == 2
    assert {"progress", "epoch"} == set(names[4:-1])
    last = [event for event in events if event["event"] == "epoch"][-1]
    assert last["scores"]["pairs.txt"] == {"correlation": None, "asked": 2, "skipped": 1, "coverage": 2 / 3} | {
        "correlation": saved.trained.scores[0].score
    }
    assert last["validation_loss"] == saved.trained.validation_losses[-1]
    assert Config.model_validate(events[0]["config"]) == config


def test_every_event_is_documented(log_at):
    """The events that a plain run does not have, too."""
    report = Progress(1, 2, 0.5, 10.0, 3.0, 0.05, 4.0, 4.0, None, (SetScore("x", "accuracy", None, 0, 3),))
    trained = Trained(np.ones((2, 2), np.float32), (report,), 1.5, 1, 1, progress=0.5, is_complete=False)
    with log_at() as log:
        log.write(EngineLoaded("minibatch", Backend.CUPY, 2).as_json())
        log.write(TrainingResumed(Path("x.snapshot"), 0.25, 1, 4).as_json())
        log.write(WordsInitialised("old.safetensors", 3, 5).as_json())
        log.write(report.as_json())
        log.write(VectorsSaved.of(Path("x"), 2, trained, Path("x.snapshot")).as_json())

    events = check_lines(log_text(log))
    assert [event["event"] for event in events] == ["training", "resumed", "initialised", "epoch", "saved"]
    assert {event["seconds"] for event in events} == {0.0}


def log_text(log):
    return log._path.read_text(encoding="ascii")


NO_THREAD = RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DivergedError("it diverged"), ("error", 1, "it diverged")),
        (StorageError("full"), ("error", 6, "full")),
        (MemoryError(), ("error", 6, "out of memory: use a smaller dim or a higher min_count.")),
        (NO_THREAD, ("error", 6, str(StorageError(explain_system_refusal(NO_THREAD))))),
        (OSError("disk"), ("error", 6, "disk")),
        (ZeroDivisionError("bug"), ("error", 1, "bug")),
        (SystemExit(143), ("stopped", 143, None)),
        (KeyboardInterrupt(), ("stopped", 130, None)),
    ],
    ids=repr,
)
def test_what_ends_a_run_is_its_last_event(log_at, error, expected):
    """An error with its exit code and message, or a signal; it goes on its way."""
    with pytest.raises(type(error)), log_at() as log:
        raise error

    [event] = check_lines(log_text(log))
    assert (event["event"], event["exit_code"], event.get("message")) == expected


def test_a_diverged_training_is_logged(tmp_path):
    """The message that the user gets is the last line's."""
    config = config_of(tmp_path, learning_rate=10.0, algorithm="minibatch", batch_size=4096, epochs=200)

    with pytest.raises(DivergedError) as stop, np.errstate(all="ignore"):
        train_vectors(config, tmp_path, lambda _: None)

    last = check_lines((tmp_path / "run.jsonl").read_text(encoding="ascii"))[-1]
    assert (last["event"], last["kind"], last["exit_code"]) == ("error", "DivergedError", 1)
    assert last["message"] == str(stop.value)


def test_lines_are_written_as_they_happen(tmp_path):
    """When the listener hears of an event, its line is in the file, whole."""
    seen = []

    def listen(event):
        text = (tmp_path / "run.jsonl").read_text(encoding="ascii")
        assert text.endswith("\n")
        if not isinstance(event, CorpusRead):  # which is for who looks on, and not kept
            seen.append(len(text.splitlines()))

    train_vectors(config_of(tmp_path), tmp_path, listen)

    assert seen == list(range(2, len(seen) + 2))


def test_an_existing_log_is_kept(tmp_path):
    """Without --overwrite: exit 2, before anything is read."""
    (tmp_path / "run.jsonl").write_text(START, encoding="ascii")
    config = config_of(tmp_path)

    with pytest.raises(ConfigError, match=r"run\.jsonl already exists\. .* choose another log"):
        train_vectors(config, tmp_path, lambda _: pytest.fail("something was read"))


@pytest.mark.parametrize("content", NO_LOGS)
@pytest.mark.parametrize("is_resumed", [True, False])
def test_a_file_that_is_no_log_is_never_touched(tmp_path, content, is_resumed):
    """Not even with --overwrite, nor with --resume: the wrong name for --log costs nobody a file."""
    (tmp_path / "run.jsonl").write_text(content, encoding="ascii")
    config = config_of(tmp_path, overwrite=True)

    with pytest.raises(ConfigError, match="is not a w2v log and will not be replaced"):
        check_log(config.output, is_resumed=is_resumed)


@pytest.mark.parametrize("before", ["", START])
def test_overwrite_replaces_a_log(tmp_path, before):
    """An old log, or an empty file, goes."""
    (tmp_path / "run.jsonl").write_text(before, encoding="ascii")
    train_vectors(config_of(tmp_path, overwrite=True), tmp_path, lambda _: None)

    events = check_lines((tmp_path / "run.jsonl").read_text(encoding="ascii"))
    assert [event["event"] for event in events].count("start") == 1


@pytest.mark.parametrize("before", [START, START + '{"schema": 1, "ev'])
def test_a_resumed_training_goes_on_with_its_log(tmp_path, before):
    """At its end, on a line of its own, even where a kill cut the last one."""
    path = tmp_path / "run.jsonl"
    path.write_text(before, encoding="ascii")
    config = config_of(tmp_path)

    check_log(config.output, is_resumed=True)
    with logged(config, lambda _: None, is_resumed=True):
        pass

    text = path.read_text(encoding="ascii")
    assert text.startswith(before)
    assert json.loads(text.splitlines()[-1])["is_resumed"] is True


@pytest.mark.parametrize(
    ("log", "kind", "cause"),
    [
        ("none/run.jsonl", StorageError, "No such file or directory"),
        ("x", ConfigError, "log and output are both"),
        (".", StorageError, "it is a folder"),
    ],
)
def test_a_log_that_cannot_be_is_found_before_training(tmp_path, log, kind, cause):
    """A missing folder, a folder, the vectors' own name."""
    with pytest.raises(kind, match=cause):
        train_vectors(config_of(tmp_path, log=log), tmp_path, lambda _: pytest.fail("something was read"))


def test_stdout_is_no_log(tmp_path):
    """`-` would mix it with what --json writes."""
    config = config_of(tmp_path, log=None)
    output = config.output.model_copy(update={"log": "-"})

    with pytest.raises(ConfigError, match="cannot go to stdout"):
        check_log(output, is_resumed=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_at_the_start_is_an_error(tmp_path):
    """The first line cannot be written: exit 6, before the text is read."""
    config = config_of(tmp_path, log=None)
    config = config.model_copy(update={"output": config.output.model_copy(update={"log": "/dev/full"})})

    with pytest.raises(StorageError, match="cannot write /dev/full: No space left on device"):
        train_vectors(config, tmp_path, lambda _: pytest.fail("something was read"))


def test_a_log_that_breaks_off_costs_no_training(tmp_path, caplog):
    """A reader of a pipe that goes away: one warning, no further line, the vectors are written."""
    reader, writer = os.pipe()
    config = config_of(tmp_path, log=None)
    config = config.model_copy(update={"output": config.output.model_copy(update={"log": f"/dev/fd/{writer}"})})

    def stop_reading(event):
        if isinstance(event, EngineLoaded):
            os.close(reader)

    with caplog.at_level(logging.WARNING):
        saved = train_vectors(config, tmp_path, stop_reading)
    os.close(writer)

    assert saved.path.exists()
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot write the log /dev/fd/{writer}: Broken pipe; training continues without it."
    ]


def test_a_line_that_is_cut_by_a_full_disk_is_told(log_at, caplog, monkeypatch):
    """A write of fewer bytes than there are means a full disk as well."""
    with log_at() as log:
        log.write(EngineLoaded("block", Backend.NUMBA, 1).as_json())
        monkeypatch.setattr(log, "_file", Short(log._file))
        log.write(EngineLoaded("block", Backend.NUMBA, 1).as_json())

    assert "the disk is full; training continues without it" in caplog.text


class Short:
    """A file that takes ten bytes of each line."""

    def __init__(self, file):
        self._file = file

    def write(self, line):
        """Write less than everything."""
        return self._file.write(line[:10])

    def close(self):
        """Close it."""
        self._file.close()


def test_json_has_no_nan(log_at):
    """What is not finite is null."""
    with log_at() as log:
        log.write({"event": "progress", "mean_loss": math.nan, "scores": {"x": math.inf}})

    event = json.loads(log_text(log))
    assert (event["mean_loss"], event["scores"]) == (None, {"x": None})


def test_the_schema_is_that_of_the_page():
    """A changed number needs a changed page."""
    assert f"version of this page: {run_log.LOG_SCHEMA}" in read_page("log.md").text
