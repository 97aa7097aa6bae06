"""The settings: exact types, limits, help, and a config that survives JSON and YAML."""

import io

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from w2v_cli.config.problems import find_problem
from w2v_cli.config.resolve import resolve
from w2v_cli.config.schema import FIELDS, FREE_SETTINGS, INPUT_SETTINGS, Config, describe_settings


@pytest.mark.parametrize(("value", "shown"), [("3", "'3'"), (3.0, "3.0"), (True, "true")])
def test_whole_numbers_are_strict(value, shown):
    """Neither text nor floats nor booleans become a whole number, whatever source they come from."""
    assert find_problem("training.epochs", value) == f"must be a whole number, was {shown}"


def test_a_config_cannot_be_changed():
    """A config is frozen, so what the vectors file says is what ran."""
    with pytest.raises(ValueError, match="frozen"):
        Config().training.epochs = 3


@pytest.mark.parametrize(
    ("sets", "rate"),
    [
        ([], 0.05),
        (["model.model=skipgram"], 0.025),
        (["training.optimizer=adam"], 0.001),
        (["training.optimizer=adam", "model.model=skipgram"], 0.001),
        (["training.learning_rate=0.3", "training.optimizer=adam"], 0.3),
    ],
)
def test_the_learning_rate_follows_model_and_optimizer(sets, rate):
    """Without a learning rate of its own a config takes the usual one of its optimiser and model."""
    assert resolve(sets=sets).config.learning_rate == rate


def test_every_setting_is_described():
    """Each description has one line of help, and its allowed values."""
    descriptions = describe_settings()

    assert all(setting.description and "\n" not in setting.description for setting in descriptions)
    assert {setting.key: setting.allowed for setting in descriptions}["training.backend"] == (
        "auto, numpy, numba or cupy"
    )


@pytest.mark.parametrize(
    ("value", "sets"),
    [([], ()), (["a", "b, c"], ("a", "b, c")), ("a, b", ("a", "b")), ("wordsim353", ("wordsim353",)), ("", ())],
)
def test_a_list_of_names_is_also_text_with_commas(value, sets):
    """In YAML a list; from a shell, where there are no lists, names with commas between them."""
    assert Config.model_validate({"training": {"evaluate": value}}).training.evaluate == sets


@pytest.mark.parametrize("value", [3, {"a": "b"}, None, [3], [["a"]], ["\0"]])
def test_a_list_of_names_is_nothing_else(value):
    """Numbers, mappings and what is no file name are told."""
    assert find_problem("training.evaluate", value)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
WORD = TEXT.filter(lambda text: text.split() == [text] and text.isprintable())
TIME = st.from_regex(r"[1-9][0-9]{0,4}[smh]", fullmatch=True)
TEXTS = TEXT | st.lists(TEXT, min_size=2).map(tuple)
PATTERN = st.sampled_from([r"\w+", ".", "[a-z]+|(é)"])
STRATEGIES = {
    "corpus.source": TEXTS | st.none(),
    "corpus.end_of_line": WORD | st.none(),
    "model.init_from": TEXT | st.none(),
    "training.time_limit": TIME | st.none(),
    "training.evaluate": st.lists(TEXT),
    "cluster.cluster": st.sampled_from(["local:3", "tls://node1:8786", "scheduler.json"]) | st.none(),
    "cluster.worker_timeout": TIME,
    "cluster.tls_ca": TEXT | st.none(),
    "cluster.tls_cert": TEXT | st.none(),
    "cluster.tls_key": TEXT | st.none(),
    "output.path": TEXT,
    "output.log": TEXT | st.none(),
    "output.snapshot_every": TIME | st.just("never") | st.from_regex(r"[1-9][0-9]{0,9}w", fullmatch=True),
    "corpus.token_pattern": PATTERN,
}


def values_of(setting):
    """Return a strategy for a setting's valid values, drawn from the model's own limits."""
    field = FIELDS[setting.key]
    if setting.key in STRATEGIES:
        return STRATEGIES[setting.key]
    values = st.from_type(field.annotation)
    limits = {
        name: getattr(limit, name) for limit in field.metadata for name in ("ge", "gt", "le") if hasattr(limit, name)
    }
    if limits:
        lowest, highest = limits.get("ge", limits.get("gt")), limits["le"]
        whole = st.integers(lowest, highest)
        values = st.floats(lowest, highest, exclude_min="gt" in limits) if "float" in str(field.annotation) else whole
    return values | st.none() if setting.default is None else values


@st.composite
def valid_configs(draw):
    """Draw a config with every setting anywhere inside its limits."""
    contents = {}
    for setting in describe_settings():
        section, _, name = setting.key.partition(".")
        contents.setdefault(section, {})[name] = draw(values_of(setting))
    return Config.model_validate(contents)


@hypothesis_settings(deadline=None)  # a loaded machine may pause any example
@given(valid_configs())
@example(Config())
def test_a_config_survives_json(a_config):
    """What the vectors file stores of a config validates to an equal one."""
    assert Config.model_validate(a_config.model_dump(mode="json")) == a_config
    assert Config.model_validate_json(a_config.model_dump_json()) == a_config


@hypothesis_settings(deadline=None)  # a loaded machine may pause any example
@given(a_config=valid_configs())
def test_a_config_survives_yaml(tmp_path_factory, a_config):
    """A config written as YAML by another library is read back equal."""
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False  # in its flow style ruamel 0.19 writes '?0' without quotes, which it cannot read
    yaml.dump(a_config.model_dump(), text)
    file = tmp_path_factory.getbasetemp() / "config.yaml"
    file.write_text(text.getvalue(), encoding="utf-8")

    assert resolve(file=file).config == a_config


def test_traits_of_settings_stand_on_their_fields():
    """What may differ when a training is resumed, and what names an input, is known; all else decides the vectors."""
    assert {
        *("corpus.max_expansion", "corpus.max_unpacked"),
        *("training.threads", "training.gpu_concurrency", "training.time_limit", "training.evaluate"),
        *("cluster.cluster", "cluster.worker_timeout", "cluster.tls_ca", "cluster.tls_cert", "cluster.tls_key"),
        *("output.path", "output.overwrite", "output.snapshot_every", "output.log"),
    } == FREE_SETTINGS
    assert {"corpus.source", "model.init_from"} == INPUT_SETTINGS
