"""The files of configs/: found by name, valid, and saying what they should."""

from pathlib import Path

import pytest

from w2v_cli.config import shipped
from w2v_cli.config.resolve import find_config_file, resolve
from w2v_cli.config.schema import Config, describe_settings
from w2v_cli.config.yaml import read_yaml
from w2v_cli.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
DEFAULTS = {setting.key: setting.default for setting in describe_settings()}


def flat(a_config):
    """Return a config as dotted key → value."""
    return {f"{section}.{key}": value for section, keys in a_config.model_dump().items() for key, value in keys.items()}


def test_default_yaml_lists_every_setting_with_its_default():
    """configs/default.yaml holds every key of the models and nothing else, with their defaults: they cannot drift."""
    contents = read_yaml(ROOT / "configs" / "default.yaml")

    assert {f"{section}.{key}" for section, keys in contents.items() for key in keys} == set(DEFAULTS)
    assert flat(Config.model_validate(contents)) == DEFAULTS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_loads(path):
    """Each file of configs/ is found by its name and is valid."""
    resolved = resolve(file=find_config_file(path.stem))

    assert isinstance(resolved.config, Config)


@pytest.mark.parametrize("model", ["cbow", "skipgram"])
def test_the_books_recipe_is_to_the_letter(model):
    """The book's configs hold the hyperparameters of its chapter 4, and the defaults for the rest."""
    expected = DEFAULTS | {
        "corpus.tokens": "whitespace",
        "corpus.sentences": "stream",
        "corpus.end_of_line": "<eos>",
        "corpus.min_count": 1,
        "model.model": model,
        "model.shrink_window": False,
        "model.partial_windows": False,
        "model.cbow_gradient": "mean",
        "model.init": "normal",
        "sampling.subsample": 0.0,
        "training.optimizer": "adam",
        "training.epochs": 10,
        "training.learning_rate": 0.001,
        "training.decay": "constant",
        "training.batch_size": 100,
    }
    expected |= {"model.dim": 100, "model.window": 5, "sampling.negatives": 5, "sampling.exponent": 0.75}

    resolved = resolve(file=find_config_file(f"book-{model}"))

    assert flat(resolved.config) == expected | {"training.algorithm": "minibatch"}
    pinned = ("training.algorithm", "model.dim", "model.window", "sampling.negatives", "sampling.exponent")
    assert "default" not in {resolved.origins[key] for key in pinned}


def test_a_path_is_a_config_file_too(tmp_path):
    """A path to an existing file is taken as it is."""
    path = tmp_path / "my.yaml"
    path.touch()

    assert find_config_file(str(path)) == path


@pytest.mark.parametrize("name", ["book-cbwo", "book-cbow.yaml"])
def test_an_unknown_config_name_gets_a_suggestion(tmp_path, monkeypatch, name):
    """A name that is neither shipped nor a file is refused with the shipped names and the nearest one."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError) as caught:
        find_config_file(name)

    assert str(caught.value) == (
        f"config '{name}' not found: it is neither a file nor one of the shipped configs, "
        "book-cbow, book-skipgram, default; did you mean book-cbow?"
    )


def test_a_name_too_long_for_a_file_is_an_unknown_config():
    """A name that the file system refuses is reported as an unknown config, not as a crash."""
    with pytest.raises(ConfigError, match="not found: it is neither a file nor"):
        find_config_file("x" * 5000)


def test_shipped_configs_are_found_inside_an_installed_package(tmp_path, monkeypatch):
    """In a wheel the configs lie inside the package, and are found there first."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "inside.yaml").touch()
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "config" / "shipped.py"))

    assert find_config_file("inside") == tmp_path / "configs" / "inside.yaml"
