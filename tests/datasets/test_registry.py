"""The table of named texts, and which of them a training reads."""

import hashlib
import re

import pytest

from w2v_cli.datasets import demo, registry
from w2v_cli.errors import ConfigError, CorpusError, MissingDependencyError


@pytest.fixture(scope="module")
def table():
    """Return the real table."""
    return registry.read_table()


def test_table_holds_the_named_texts(table):
    """The corpora and the evaluation sets are there by name."""
    assert {name: entry.kind for name, entry in table.items()} == {
        "demo": "corpus",
        "ptb": "corpus",
        "questions-words": "evaluation",
        "wordsim353": "evaluation",
        "simlex999": "evaluation",
    }


@pytest.mark.parametrize("name", ["demo", "ptb", "questions-words", "wordsim353", "simlex999"])
def test_every_entry_is_complete(table, name):
    """An entry says what it is and under which terms, and its main file is one of its files."""
    entry = table[name]

    assert entry.name == name
    assert entry.title
    assert entry.licence
    assert entry.is_built_in or entry.main in {file.name for file in entry.files}


@pytest.mark.parametrize("name", ["ptb", "questions-words", "wordsim353", "simlex999"])
def test_every_file_has_a_hash_and_addresses(table, name):
    """A file has a SHA-256, a pinned https address first and a mirror after it, and a plain name."""
    for file in table[name].files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert re.fullmatch(r"[\w.-]+", file.name)
        assert len(file.urls) >= 2
        assert all(url.startswith("https://") for url in file.urls)
        assert re.search(r"/[0-9a-f]{40}/", file.urls[0])


def test_ptb_needs_the_settings_of_the_book(table):
    """PTB is taken as it is, as one stream with <eos> at the end of each line."""
    assert table["ptb"].settings == {
        "tokens": "whitespace",
        "sentences": "stream",
        "end_of_line": "<eos>",
        "min_count": 1,
    }


def test_hashes_are_those_of_the_real_files(table, shared_data):
    """The table's hashes are those of the files as the developers have them."""
    places = {"ptb": "ptb", "questions-words": "eval", "wordsim353": "eval", "simlex999": "eval"}
    found = {
        file.name: hashlib.sha256((shared_data / place / file.name).read_bytes()).hexdigest()
        for name, place in places.items()
        for file in table[name].files
    }

    assert found == {file.name: file.sha256 for entry in table.values() for file in entry.files}


def test_unknown_name_is_answered_with_the_nearest():
    """A misspelt name gets a suggestion and the list."""
    with pytest.raises(
        ConfigError, match=r"unknown dataset 'pbt'\. Did you mean 'ptb'\? Choose from: demo, ptb, questions"
    ):
        registry.find("pbt")


def test_data_folder_follows_the_environment(tmp_path):
    """W2V_DATA_DIR names the folder of the data."""
    assert registry.data_folder({"W2V_DATA_DIR": str(tmp_path)}) == tmp_path


@pytest.mark.parametrize("environment", [{}, {"W2V_DATA_DIR": ""}])
def test_data_folder_is_the_users_otherwise(environment):
    """Without it the platform's place for a user's data is taken."""
    folder = registry.data_folder(environment)

    assert folder.is_absolute()
    assert folder.name == "w2v"


@pytest.fixture
def built_in(monkeypatch):
    """Make the built-in text a short one, of packages that are installed."""
    monkeypatch.setattr(demo, "is_installed", lambda: True)
    monkeypatch.setattr(demo, "file_name", lambda: "demo-1-2-3.txt")
    monkeypatch.setattr(demo, "write_demo_text", lambda path: path.write_text("a text\n"))


@pytest.mark.usefixtures("built_in")
def test_built_in_text_is_written_where_it_is_needed(tmp_path):
    """Training on demo writes its text first, under a name that tells the versions."""
    path = registry.locate("demo", tmp_path)

    assert path == tmp_path / "demo" / "demo-1-2-3.txt"
    assert path.read_text() == "a text\n"


@pytest.mark.usefixtures("built_in")
def test_built_in_text_is_written_once(tmp_path):
    """A text that is there is used as it is; overwrite writes it anew."""
    path = registry.locate("demo", tmp_path)
    path.write_text("mine\n")

    kept = registry.locate("demo", tmp_path).read_text()
    registry.download(registry.find("demo"), tmp_path, overwrite=True)

    assert kept == "mine\n"
    assert path.read_text() == "a text\n"


@pytest.mark.usefixtures("built_in")
def test_built_in_text_takes_no_source(tmp_path):
    """--from has no meaning for the built-in text."""
    with pytest.raises(ConfigError, match="takes no from"):
        registry.download(registry.find("demo"), tmp_path, source="https://m/demo.txt")


def test_built_in_text_without_its_packages_says_how_to_get_them(tmp_path, monkeypatch):
    """Without the extra, training on demo names the command that installs it, and demo counts as absent."""
    monkeypatch.setattr("sys.path", [])

    with pytest.raises(MissingDependencyError, match=r"w2v-cli\[demo\]"):
        registry.locate("demo", tmp_path)
    assert registry.installed_path(registry.find("demo"), tmp_path) is None


def test_corpus_that_is_not_downloaded_names_the_command(tmp_path):
    """Training on ptb before its download says what to run."""
    with pytest.raises(CorpusError, match=r"the corpus ptb is not downloaded; run `w2v download ptb`"):
        registry.locate("ptb", tmp_path)


def test_evaluation_set_is_no_corpus(tmp_path):
    """Training on an evaluation set is refused."""
    with pytest.raises(ConfigError, match="not a corpus"):
        registry.locate("wordsim353", tmp_path)


def test_default_corpus_is_ptb_once_it_is_complete(tmp_path):
    """Without PTB, or with a part of it, the built-in text is the default."""
    names = []
    for name in ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"):
        names.append(registry.default_corpus(tmp_path))
        (tmp_path / "ptb").mkdir(exist_ok=True)
        (tmp_path / "ptb" / name).write_text("the\n")

    assert [*names, registry.default_corpus(tmp_path)] == ["demo", "demo", "demo", "ptb"]


def test_real_ptb_is_installed_from_a_folder(tmp_path, shared_data):
    """The real files, copied from a folder, make PTB the default corpus."""
    path = registry.download(registry.find("ptb"), tmp_path, source=str(shared_data / "ptb"))

    assert path == registry.locate("ptb", tmp_path)
    assert registry.default_corpus(tmp_path) == "ptb"
