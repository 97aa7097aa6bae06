"""Options, `--set`, environment and the table of corpora, each on its own."""

import pytest

from w2v_cli.config.resolve import resolve
from w2v_cli.config.schema import Config, describe_settings
from w2v_cli.errors import ConfigError


@pytest.mark.parametrize(("sets", "source"), [([], None), (["corpus.source=null"], None), (["corpus.source=a"], "a")])
def test_the_table_of_corpora_is_asked_for_the_chosen_source(sets, source):
    """The callable receives the source that the explicit settings chose, or None, and may know nothing of it."""
    asked = []

    resolve(sets=sets, corpus_settings_for=asked.append)

    assert asked == [source]


def test_a_wrong_table_of_corpora_is_reported():
    """A mistake in the table of corpora is named like any other."""
    with pytest.raises(ConfigError) as caught:
        resolve(corpus_settings_for=lambda _: ("ptb", {"tokns": 1, "min_count": 0}))

    assert str(caught.value).splitlines() == [
        "corpus ptb: corpus.tokns: unknown setting; did you mean corpus.tokens?",
        "corpus ptb: corpus.min_count: must be from 1 to 1000000000, was 0",
    ]


def test_each_setting_has_an_origin():
    """Every dotted key has an origin, `default` where nobody gave it."""
    keys = [setting.key for setting in describe_settings()]

    resolved = resolve(sets=["training.epochs=3"])

    assert resolved.origins == {**dict.fromkeys(keys, "default"), "training.epochs": "--set"}


def test_of_two_sets_the_last_counts():
    """A `--set` after another for the same key replaces it."""
    assert resolve(sets=["model.dim=1", "model.dim=2"]).config.model.dim == 2


def test_environment_without_two_underscores_is_left_alone():
    """W2V_DATA_DIR and foreign variables are no settings."""
    resolved = resolve(environment={"W2V_DATA_DIR": "x", "W2V_TEST_DATA": "y", "OTHER__EPOCHS": "3", "PATH": "z"})

    assert resolved.config == Config()


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("training.learning_rate=1e-3", 0.001),
        ("training.learning_rate=1", 1.0),
        ("training.learning_rate=null", None),
        ("training.threads=", None),
        ("sampling.seed=0x10", 16),
        ("model.shrink_window=false", False),
        ("corpus.source=no", "no"),
        ("corpus.source=012", "012"),
        ("corpus.source='3'", "3"),
        ('corpus.source="null"', "null"),
        ("corpus.source=#a: [b", "#a: [b"),
        ("corpus.source=a=b", "a=b"),
        (" model.dim = 7 ", 7),
    ],
)
def test_a_value_of_the_shell_is_read_as_in_yaml(assignment, value):
    """`--set` and the environment take YAML's scalars; no text is cut as a comment, and quotes force text."""
    key, _, text = assignment.partition("=")
    variable = "W2V_" + key.strip().upper().replace(".", "__")
    section, _, name = key.strip().partition(".")

    by_set = getattr(getattr(resolve(sets=[assignment]).config, section), name)
    by_environment = getattr(getattr(resolve(environment={variable: text}).config, section), name)

    assert by_set == by_environment == value
    assert type(by_set) is type(value)
