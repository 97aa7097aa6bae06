"""`w2v config`: the settings that a training would have, where they come from, and the shipped configs."""

import json

from cli.running import the_error
from documented import read_page

PAGE = read_page("json.md")


def test_origins_name_each_kind_of_source(w2v):
    """Option, --set, environment, file with line and column, corpus and default each say so of their values."""
    w2v.write("my.yaml", "model:\n  dim: 30\n  window: 2\nsampling:\n  seed: 4\n")
    arguments = ["ptb", "--config", "my.yaml", "--window", "3", "--set", "sampling.negatives=7", "--gpu", "--origin"]

    done = w2v.run("config", "show", *arguments, env={"W2V_TRAINING__EPOCHS": "2"})

    assert (done.returncode, done.stderr) == (0, "")
    found = dict(line.strip().split(": ", 1) for line in done.stdout.splitlines() if line.startswith(" "))
    said = {name: [part.strip() for part in found[name].split("#", 1)] for name in found}
    assert said["source"] == ["ptb", "CORPUS"]
    assert said["tokens"] == ["whitespace", "corpus ptb"]
    assert said["dim"] == ["30", "my.yaml:2:8"]
    assert said["window"] == ["3", "--window"]
    assert said["negatives"] == ["7", "--set"]
    assert said["seed"] == ["4", "my.yaml:5:9"]
    assert said["epochs"] == ["2", "W2V_TRAINING__EPOCHS"]
    assert said["backend"] == ["cupy", "--gpu"]
    assert said["optimizer"] == ["sgd", "default"]


def test_what_is_shown_is_a_config(w2v):
    """The YAML is read by --config, and then shows itself."""
    shown = w2v.run("config", "show", "text.txt", "--epochs", "3", "--output", "a b.safetensors").stdout
    w2v.write("again.yaml", shown)

    assert w2v.run("config", "show", "--config", "again.yaml").stdout == shown


def test_it_shows_what_a_training_has(w2v):
    """`train` with the same arguments has these settings."""
    arguments = ["text.txt", "--dim", "4", "--set", "training.backend=numpy"]
    shown = json.loads(w2v.run("config", "show", *arguments, "--json").stdout)
    planned = json.loads(w2v.run("train", *arguments, "--dry-run", "--json").stdout)

    PAGE.check(shown, "config show")
    for section, settings in planned["config"].items():
        resolved = {"algorithm", "learning_rate", "source"}  # which a training settles for itself
        kept = {name: value for name, value in settings.items() if name not in resolved}
        assert kept.items() <= shown["config"][section].items()
    assert shown["origins"]["model.dim"] == "--dim"


def test_problems_are_those_of_train(w2v):
    """What is wrong with the arguments is told as by `train`."""
    message = the_error(w2v.run("config", "show", "--epochs", "0"), 2)

    assert message == the_error(w2v.run("train", "--epochs", "0"), 2)


def test_shipped_configs_are_listed_with_their_files(w2v):
    """Each name stands beside a file that can be copied; JSON says what it is for."""
    done = w2v.run("config", "list")
    listed = json.loads(w2v.run("config", "list", "--json").stdout)

    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [name for name, _ in rows] == ["book-cbow", "book-skipgram", "default"]
    PAGE.check(listed, "config list")
    assert [[found["name"], found["path"]] for found in listed["configs"]] == rows
    assert "chapter 4" in listed["configs"][0]["purpose"]
