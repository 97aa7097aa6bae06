"""Where a setting may come from, which source wins, and how mistakes in any of them are told."""

import json

import pytest

from cli.running import FAST, the_error
from w2v_cli.vectors import keyed_vectors


def config_of(program):
    """Return the settings that the vectors file was made with."""
    return keyed_vectors.load(program.folder / "w2v.safetensors").metadata["config"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("option", "set", "environment", "file"), 2),
        (("set", "environment", "file"), 3),
        (("environment", "file"), 4),
        (("file",), 6),
        ((), 5),
    ],
)
def test_the_stronger_source_wins(w2v, sources, expected):
    """Option beats --set beats environment beats file beats default; the vectors file tells which it was."""
    w2v.write("my.yaml", "model:\n  window: 6\n")
    given = {"option": ["--window", "2"], "set": ["--set", "model.window=3"], "file": ["--config", "my.yaml"]}
    arguments = [argument for source in sources for argument in given.get(source, [])]
    variables = {"W2V_MODEL__WINDOW": "4"} if "environment" in sources else {}

    trained = w2v.run("train", "text.txt", *FAST, *arguments, env=variables)

    assert trained.returncode == 0, trained.stderr
    assert config_of(w2v)["model"]["window"] == expected


def test_options_reach_their_settings(w2v):
    """Every option that stands for a setting changes that setting."""
    options = {
        "--model": "skipgram",
        "--algorithm": "minibatch",
        "--epochs": "2",
        "--dim": "3",
        "--window": "4",
        "--negatives": "6",
        "--min-count": "7",
        "--subsample": "0.5",
        "--learning-rate": "1e-3",
        "--seed": "8",
    }

    trained = w2v.run("train", "text.txt", *FAST, *(text for pair in options.items() for text in pair))

    assert trained.returncode == 0, trained.stderr
    config = config_of(w2v)
    assert config["corpus"]["min_count"] == 7
    assert (config["model"]["model"], config["model"]["dim"], config["model"]["window"]) == ("skipgram", 3, 4)
    assert config["sampling"] == {"negatives": 6, "exponent": 0.75, "subsample": 0.5, "seed": 8}
    assert (config["training"]["epochs"], config["training"]["learning_rate"]) == (2, 0.001)


def test_mistakes_in_all_sources_are_told_at_once(w2v):
    """A wrong option, --set, variable and file: one line for each, the strongest source first."""
    w2v.write("bad.yaml", "training: {epochs: 0}\n")
    arguments = ["--epochs", "none", "--dim", "-1", "--set", "model.windw=3", "--config", "bad.yaml"]

    done = w2v.run("train", "text.txt", *arguments, env={"W2V_SAMPLING__SEED": "-1"})

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: --epochs: must be a whole number, was 'none'",
        "error: --dim: must be from 1 to 10000, was -1",
        "error: --set model.windw: unknown setting; did you mean model.window?",
        "error: W2V_SAMPLING__SEED: must be from 0 to 18446744073709551615, was -1",
        "error: bad.yaml:1:20 training.epochs: must be from 1 to 100000, was 0",
    ]


@pytest.mark.fault(27)
@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--learning-rate", "nan", "must be"),
        ("--learning-rate", ".inf", "must be above 0 and at most 10 or null, was inf"),
        ("--learning-rate", "0", "must be above 0 and at most 10 or null, was 0"),
        ("--subsample", "-1", "must be from 0 to 1, was -1"),
        ("--model", "glove", "must be cbow or skipgram, was 'glove'"),
        ("--algorithm", "blok", "must be auto, minibatch or block, was 'blok'"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(w2v, option, value, expected):
    """A hyperparameter out of its range is named with the value given and the values allowed."""
    before = w2v.files()

    message = the_error(w2v.run("train", "text.txt", option, value), 2)

    assert message.startswith(option)
    assert expected in message
    assert w2v.files() == before


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training:\n\tepochs: 3\n", "bad.yaml:2:1 YAML syntax"),
        ("training: !!python/name:os.system\n", "bad.yaml:1:11 training: the tag"),
        ("training: &a {epochs: 3}\n", "the anchor &a is not supported"),
        ("- epochs\n", "bad.yaml:1:1 must consist of sections"),
    ],
    ids=["syntax", "tag", "anchor", "list"],
)
def test_yaml_that_is_no_config_is_refused(w2v, text, expected):
    """Broken YAML, and YAML that is more than plain data, is refused at its line and column."""
    w2v.write("bad.yaml", text)

    assert expected in the_error(w2v.run("train", "text.txt", "--config", "bad.yaml"), 2)


def test_a_missing_config_is_told_with_those_there_are(w2v):
    """The name of no config and no file is told with the shipped ones, the likely one among them."""
    message = the_error(w2v.run("train", "text.txt", "--config", "book-cbw"), 2)

    assert "did you mean book-cbow?" in message


def test_a_shipped_config_is_found_by_name(w2v):
    """`--config book-skipgram` reads the file that we ship; options still win."""
    trained = w2v.run("train", "text.txt", "--config", "book-skipgram", *FAST)

    assert trained.returncode == 0, trained.stderr
    config = config_of(w2v)
    assert (config["model"]["model"], config["training"]["optimizer"], config["model"]["dim"]) == (
        "skipgram",
        "adam",
        4,
    )


def test_several_mistakes_are_one_object_for_a_script(w2v):
    """With --json all mistakes come in one object, a line each in its message."""
    done = w2v.run("train", "text.txt", "--dim", "0", "--epochs", "0", "--json")

    [line] = done.stdout.splitlines()
    answer = json.loads(line)
    assert (answer["schema"], answer["command"], answer["error"]["exit_code"]) == (1, "train", 2)
    assert len(answer["error"]["message"].splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "command"),
    [(["similar", "--json"], "similar"), (["train", "--json", "--epoch", "3"], "train"), (["x", "--json"], None)],
)
def test_wrong_usage_is_an_object_for_a_script(w2v, arguments, command):
    """A mistyped command or option is an object as well, where JSON was asked for."""
    done = w2v.run(*arguments)

    [line] = done.stdout.splitlines()
    answer = json.loads(line)
    assert (answer["command"], answer["error"]["exit_code"], done.returncode) == (command, 2, 2)
    assert done.stderr == f"error: {answer['error']['message']}\n"
