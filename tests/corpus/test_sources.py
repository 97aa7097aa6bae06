"""What a user names → the files that are read, in order."""

import os
from pathlib import Path

import pytest

from w2v_cli.corpus.sources import Source, find_sources, open_source
from w2v_cli.errors import ConfigError, CorpusError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Stand in a folder of some texts; return a function that gives the places found for what is named."""
    monkeypatch.chdir(tmp_path)
    for name in ("b/2.txt", "b/10.txt", "b/c/x.md", "a.txt", "[z].txt", "z.txt", ".hidden.txt", "b/.git/y.txt", "b/.z"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("a b\n", encoding="utf-8")
    Path("b/empty.txt").touch()
    return lambda *texts: [source.place for source in find_sources(texts)]


def test_a_folder_is_all_files_below_it_by_path(tree):
    """Hidden ones, empty ones and those in hidden folders are left out; each knows the folder it was found in."""
    assert tree("b") == ["b/10.txt", "b/2.txt", "b/c/x.md"]
    assert {source.folder for source in find_sources(["b"])} == {"b"}
    assert tree(".") == ["[z].txt", "a.txt", "b/10.txt", "b/2.txt", "b/c/x.md", "z.txt"]


def test_only_files_are_read_in_a_folder(tree):
    """A pipe, a link to nowhere and a linked folder, which may be a circle, are left out; a linked file is read."""
    os.mkfifo("b/pipe")
    Path("b/nowhere").symlink_to("none")
    Path("b/circle").symlink_to("..")
    Path("b/link.txt").symlink_to("../a.txt")

    assert tree("b") == ["b/10.txt", "b/2.txt", "b/c/x.md", "b/link.txt"]


def test_a_pattern_is_the_files_that_it_matches(tree):
    """Where no file has that name; `**` is any number of folders; hidden files and folders are not matched."""
    assert tree("b/*.txt") == ["b/10.txt", "b/2.txt", "b/empty.txt"]
    assert tree("**/*.txt") == ["[z].txt", "a.txt", "b/10.txt", "b/2.txt", "b/empty.txt", "z.txt"]
    assert tree("[abz].txt") == ["a.txt", "z.txt"]
    assert tree("[z].txt") == ["[z].txt"]
    assert tree("*") == ["[z].txt", "a.txt", "z.txt"]


def test_texts_are_read_in_the_order_in_which_they_are_named(tree):
    """One may come twice; only stdin may not."""
    assert tree("z.txt", "b/c", "-", "z.txt") == ["z.txt", "b/c/x.md", "-", "z.txt"]
    with pytest.raises(ConfigError, match=r"stdin \(-\) can be read only once"):
        find_sources(["-", "a.txt", "-"])


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("none.txt", "no file and no name is called 'none.txt'; check the path"),
        ("a.txt/x", "'a.txt/x' cannot be read: Not a directory; check the path"),
        ("*.pdf", r"the pattern '\*.pdf' matches no file"),
        ("a.txt/*", "matches no file|Not a directory"),
        ("b/.git/none", "no file and no name is called"),
        ("nothing", "the folder nothing holds no text"),
    ],
)
def test_what_is_not_there_is_named(text, cause):
    """A missing file, a pattern without a match, a folder with nothing but what is empty or hidden: exit 3."""
    Path("nothing").mkdir()
    Path("nothing/empty").touch()
    Path("nothing/.hidden").write_text("a b\n", encoding="utf-8")

    with pytest.raises(CorpusError, match=cause) as refusal:
        find_sources(["a.txt", text], hint=" and no name")

    assert refusal.value.exit_code == 3


@pytest.mark.usefixtures("tree")
def test_names_that_are_no_utf_8_are_files_like_others():
    """What the system allows as a name is found in a folder and read."""
    name = os.fsdecode(b"caf\xe9.txt")
    Path("b", name).write_text("a b\n", encoding="utf-8")

    found = find_sources(["b"])[-1]
    with open_source(found) as read:
        assert read(100) == b"a b\n"
    assert found.label == f"b/{name}"


@pytest.mark.usefixtures("tree")
def test_what_cannot_be_read_is_told():
    """A file that has gone since the folder was listed, and one that is a folder by now: exit 3."""
    for place, cause in (("gone.txt", "No such file"), ("b", "Is a directory")):
        with (
            pytest.raises(CorpusError, match=f"cannot read the corpus {place}: {cause}"),
            open_source(Source(place)) as read,
        ):
            read(1)
