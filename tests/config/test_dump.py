"""A config as text: read back it is the same config."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.config.dump import as_yaml
from w2v_cli.config.resolve import ResolvedConfig, resolve
from w2v_cli.config.schema import FIELDS, Config

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
PATHS = TEXTS | st.sampled_from(
    ["3", "yes", "null", "1e-3", "- a", "a: b", "#1", "'", '"', "\\n", "\u2028", "\ufeff", "[a"]
)


@given(
    source=st.none() | PATHS | st.lists(PATHS, min_size=2, max_size=3),
    path=PATHS,
    evaluate=st.lists(PATHS, max_size=2),
    subsample=st.floats(0, 1),
    seed=st.integers(0, 2**64 - 1),
    with_origins=st.booleans(),
)
def test_what_is_written_is_read_back(source, path, evaluate, subsample, seed, with_origins):
    """Whatever texts and numbers a config holds, its YAML gives the same config."""
    sections = {
        "corpus": {"source": source},
        "sampling": {"subsample": subsample, "seed": seed},
        "training": {"evaluate": evaluate},
        "output": {"path": path},
    }
    config = Config.model_validate(sections)
    text = as_yaml(ResolvedConfig(config, dict.fromkeys(FIELDS, path)), with_origins=with_origins)

    with TemporaryDirectory() as folder:
        file = Path(folder, "again.yaml")
        file.write_text(text, encoding="utf-8")
        assert resolve(file=file).config == config


@pytest.mark.parametrize("name", ["book-cbow", "book-skipgram", "default"])
def test_shipped_configs_survive(name, tmp_path):
    """Each config that we ship is the same after a round through the text."""
    path = Path(__file__).resolve().parents[2] / "configs" / f"{name}.yaml"
    resolved = resolve(file=path)
    (tmp_path / "again.yaml").write_text(as_yaml(resolved, with_origins=True), encoding="utf-8")

    assert resolve(file=tmp_path / "again.yaml").config == resolved.config
