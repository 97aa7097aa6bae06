"""Which text `w2v train` reads: a file, a corpus by its name, or the default."""

import os
from pathlib import Path

import pytest

from test_pipeline import data_folder  # noqa: F401  a fixture
from w2v_cli import datasets, demo_text, pipeline
from w2v_cli.errors import CorpusError
from w2v_cli.pipeline import CorpusFound, find_corpus


def install_ptb(folder):
    (folder / "ptb").mkdir(parents=True)
    for part in ("train", "valid", "test"):
        (folder / "ptb" / f"ptb.{part}.txt").write_text("a b\n", encoding="utf-8")


@pytest.fixture
def demo(data_folder, monkeypatch):
    """Return the built-in text as if its packages were installed and it had been written before."""
    monkeypatch.setattr(demo_text, "file_name", lambda: "demo.txt")
    monkeypatch.setattr(demo_text, "is_installed", lambda: True)
    (data_folder / "demo").mkdir(parents=True)
    (data_folder / "demo" / "demo.txt").write_text("a b\n", encoding="utf-8")
    return data_folder / "demo" / "demo.txt"


def test_default_corpus_is_ptb_where_it_is_there(data_folder, demo):
    """Without a name PTB is read if it is installed, else the built-in text; the event says that it was a choice."""
    before = find_corpus(None, data_folder)
    install_ptb(data_folder)
    after = find_corpus(None, data_folder)

    assert before == CorpusFound(demo, "demo", is_default=True)
    assert after == CorpusFound(data_folder / "ptb" / "ptb.train.txt", "ptb", is_default=True)
    assert pipeline.corpus_settings_for(None, data_folder) == ("ptb", datasets.find("ptb").settings)


def test_a_name_wins_over_a_file_and_a_path_is_the_file(data_folder, tmp_path, monkeypatch):
    """`ptb` is the corpus even beside a file of that name; `./ptb` is the file, with no settings of the table."""
    install_ptb(data_folder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ptb").write_text("a b\n", encoding="utf-8")

    assert find_corpus("ptb", data_folder).path == data_folder / "ptb" / "ptb.train.txt"
    assert find_corpus("./ptb", data_folder) == CorpusFound(Path("./ptb"), None, is_default=False)
    assert pipeline.corpus_settings_for("./ptb", data_folder) is None


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("none.txt", r"'none\.txt' is neither a file nor a corpus name \(demo, ptb"),
        ("ptb", "not complete in .*: run `w2v download ptb` first"),
        (os.curdir, r"the corpus \. is a folder"),
    ],
)
def test_a_corpus_that_is_not_there_is_named(data_folder, source, cause):
    """A missing file, a corpus not downloaded, a folder: exit 3 and what to do."""
    with pytest.raises(CorpusError, match=cause) as refusal:
        find_corpus(source, data_folder)

    assert refusal.value.exit_code == 3


def test_a_corpus_name_that_is_too_long_is_no_file(tmp_path):
    """What the system cannot even look for is a CorpusError with the system's reason."""
    with pytest.raises(CorpusError, match="File name too long"):
        find_corpus("n" * 300, tmp_path)
