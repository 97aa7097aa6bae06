"""Which text `w2v train` reads: a file, a corpus by its name, or the default."""

import os

import pytest

from w2v_cli.corpus.find import CorpusFound, corpus_settings_for, find_corpus
from w2v_cli.corpus.sources import Source
from w2v_cli.datasets import demo as demo_module
from w2v_cli.datasets import registry
from w2v_cli.errors import ConfigError, CorpusError


def install_ptb(folder):
    (folder / "ptb").mkdir(parents=True)
    for part in ("train", "valid", "test"):
        (folder / "ptb" / f"ptb.{part}.txt").write_text("a b\n", encoding="utf-8")


@pytest.fixture
def demo(data_folder, monkeypatch):
    """Return the built-in text as if its packages were installed and it had been written before."""
    monkeypatch.setattr(demo_module, "file_name", lambda: "demo.txt")
    monkeypatch.setattr(demo_module, "is_installed", lambda: True)
    (data_folder / "demo").mkdir(parents=True)
    (data_folder / "demo" / "demo.txt").write_text("a b\n", encoding="utf-8")
    return data_folder / "demo" / "demo.txt"


def test_default_corpus_is_ptb_where_it_is_there(data_folder, demo):
    """Without a name PTB is read if it is installed, else the built-in text; the event says that it was a choice."""
    before = find_corpus(None, data_folder)
    install_ptb(data_folder)
    after = find_corpus(None, data_folder)

    assert before == CorpusFound((Source(str(demo)),), "demo", is_default=True, asked=("demo",))
    ptb = Source(str(data_folder / "ptb" / "ptb.train.txt"))
    assert after == CorpusFound((ptb,), "ptb", is_default=True, asked=("ptb",))
    assert corpus_settings_for(None, data_folder) == ("ptb", registry.find("ptb").settings)


def test_a_name_wins_over_a_file_and_a_path_is_the_file(data_folder, tmp_path, monkeypatch):
    """`ptb` is the corpus even beside a file of that name; `./ptb` is the file, with no settings of the table."""
    install_ptb(data_folder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ptb").write_text("a b\n", encoding="utf-8")

    for named in ("ptb", ["ptb"]):
        assert find_corpus(named, data_folder).sources == (Source(str(data_folder / "ptb" / "ptb.train.txt")),)
        assert corpus_settings_for(named, data_folder) == ("ptb", registry.find("ptb").settings)
    for path in ("./ptb", ["./ptb"]):
        found = CorpusFound((Source("./ptb"),), None, is_default=False, asked=("./ptb",))
        assert find_corpus(path, data_folder) == found
        assert corpus_settings_for(path, data_folder) is None


def test_a_name_among_several_texts_is_refused(data_folder, tmp_path, monkeypatch):
    """A corpus with settings of its own is trained on alone (exit 2); as ./NAME it is a file like others."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ptb").write_text("a b\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"ptb is the name of a corpus: train on it alone, or write \./ptb"):
        find_corpus(["ptb", "ptb"], data_folder)
    assert find_corpus(["./ptb", "-"], data_folder).sources == (Source("./ptb"), Source("-"))
    assert corpus_settings_for(["./ptb", "ptb"], data_folder) is None


@pytest.mark.parametrize(
    ("asked", "provenance"),
    [
        (("a/b.txt",), "b.txt"),
        (("a/b.txt", "/c", "."), ["b.txt", "c", "here"]),
        (("-",), "stdin"),
        (("a/*.txt",), "*.txt"),
        (("https://me:secret@a.example/b/c.gz?key=5f", "s3://a/b/"), ["c.gz", "b"]),
        (("s3://bucket",), "bucket"),
        (tuple(f"{number}.txt" for number in range(102)), [*(f"{number}.txt" for number in range(100)), "and 2 more"]),
    ],
)
def test_provenance_is_names_alone(tmp_path, monkeypatch, asked, provenance):
    """No path, no host and no secret of a text stands in the vectors file."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    assert CorpusFound((), None, is_default=False, asked=asked).provenance == provenance


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("none.txt", r"no file and no corpus \(demo, ptb\) is called 'none\.txt'; check the path"),
        ("ptb", "the corpus ptb is not downloaded; run `w2v download ptb`"),
        (os.curdir, r"the folder \. holds no text"),
    ],
)
def test_a_corpus_that_is_not_there_is_named(data_folder, tmp_path, monkeypatch, source, cause):
    """A missing file, a corpus not downloaded, a folder without text: exit 3 and what to do."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match=cause) as refusal:
        find_corpus(source, data_folder)

    assert refusal.value.exit_code == 3


def test_a_corpus_name_that_is_too_long_is_no_file(tmp_path):
    """What the system cannot even look for is a CorpusError with the system's reason."""
    with pytest.raises(CorpusError, match="File name too long"):
        find_corpus("n" * 300, tmp_path)
