"""`w2v phrases`: from a text to joined words in a vocabulary, and what stands in the way."""

import json
import os
import signal
import time

import pytest

from cli.running import FAST, TEXT, the_error
from documented import read_page

CITIES = "New York.\nBank of America.\nYork.\nNew!\nA bank?\n" * 10
JOIN = ("--threshold", "0.5", "--connectors", "of,the")


@pytest.fixture
def cities(w2v):
    """Return the Program with cities.txt in its folder."""
    w2v.write("cities.txt", CITIES)
    return w2v


def test_what_is_joined_is_trained_on(cities):
    """The output of `phrases` is the input of `train`, whose vocabulary then holds the joined words."""
    done = cities.run("phrases", "cities.txt", "-o", "joined.txt", *JOIN)

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "joined in " in done.stderr
    assert done.stderr.endswith("`w2v train joined.txt --set corpus.tokens=whitespace`\n")
    text = (cities.folder / "joined.txt").read_text()
    assert "bank_of_america" in text
    assert "new_york" in text
    assert text.count("\n") == CITIES.count("\n")
    settings = ("--set", "corpus.tokens=whitespace", "--set", "corpus.sentences=stream", "--subsample", "0")
    assert cities.run("train", "joined.txt", *FAST, *settings).returncode == 0
    assert "new_york\t10" in cities.run("vocabulary").stdout


def test_without_an_output_the_phrases_are_shown(cities):
    """Programs get phrase, score and three counts with tabs between, the best first; nothing is written."""
    before = cities.files()

    done = cities.run("phrases", "cities.txt", *JOIN, "-q")

    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert {len(row) for row in rows} == {5}
    assert [float(row[1]) for row in rows] == sorted((float(row[1]) for row in rows), reverse=True)
    assert ["10", "20", "20"] in [row[2:] for row in rows if row[0] == "new_york"]
    assert cities.files() == before


def test_the_list_and_stdout(cities):
    """`-o -` sends the text through a pipe, and `--list` keeps the same rows as are shown without an output."""
    shown = cities.run("phrases", "cities.txt", *JOIN, "-q").stdout

    done = cities.run("phrases", "-", "-o", "-", "--list", "found.tsv", *JOIN, "-q", input=CITIES)

    assert done.returncode == 0, done.stderr
    assert (cities.folder / "found.tsv").read_text() == shown
    assert "new_york" in done.stdout
    assert done.stdout.count("\n") == CITIES.count("\n")


def test_on_a_terminal_the_scores_stand_below_each_other(cities):
    """A terminal has a heading, and the columns aligned."""
    code, shown = cities.run_on_terminal("phrases", "cities.txt", *JOIN, "-q")

    heading, *rows = shown.splitlines()
    assert code == 0
    assert heading.split() == ["phrase", "score", "count"]
    assert {len(row) for row in rows} == {len(heading)}


def test_no_phrase_is_told(cities):
    """Where nothing scores above the threshold the user hears what to lower."""
    done = cities.run("phrases", "cities.txt", "--threshold", "1000000", "-q")

    assert (done.returncode, done.stdout) == (0, "")
    assert "lower --threshold" in done.stderr


def test_json_says_what_was_joined(cities):
    """The object is as docs/reference/json.md has it."""
    done = cities.run("phrases", "cities.txt", *JOIN, "-o", "joined.txt", "--json", "-q")

    content = json.loads(done.stdout)
    read_page("json.md").check(content, "phrases")
    assert content["output"] == "joined.txt"
    assert content["words"] == len((cities.folder / "joined.txt").read_text().split())


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["absent.txt"], 3, "absent.txt"),
        (["empty.txt"], 3, "holds no words"),
        (["text.txt", "-o", "text.txt"], 2, "text.txt already exists"),
        (["text.txt", "-o", "new.txt", "--list", "new.txt"], 2, "are the same file"),
        (["text.txt", "-o", "absent/new.txt"], 6, "absent/new.txt"),
        (["text.txt", "-o", ".", "--overwrite"], 6, "it is a folder"),
        (["text.txt", "--threshold", "-1"], 2, "--threshold must be 0 or more for word2phrase, was -1."),
        (["text.txt", "--threshold", "nan"], 2, "--threshold must be 0 or more"),
        (["text.txt", "--score", "npmi", "--threshold", "2"], 2, "from -1 to 1"),
        (["text.txt", "--delimiter", " "], 2, "--delimiter must be"),
        (["text.txt", "--min-count", "0"], 2, "--min-count"),
        (["text.txt", "--passes", "0"], 2, "--passes"),
    ],
)
def test_what_stands_in_the_way_is_one_line(w2v, arguments, code, expected):
    """A mistake is told in one line with the right exit code, and leaves nothing behind."""
    w2v.write("empty.txt", "")
    before = w2v.files()

    assert expected in the_error(w2v.run("phrases", *arguments), code)
    assert w2v.files() == before


def test_a_full_disk_is_told(cities):
    """Where stdout is full the error names it, with the exit code of a disk."""
    if not os.path.exists("/dev/full"):  # noqa: PTH110  a device
        pytest.skip("no /dev/full here: NOT run")
    with open("/dev/full", "wb") as full:  # noqa: PTH123  as above
        done = cities.run("phrases", "cities.txt", "-o", "-", "-q", stdout=full)

    assert done.returncode == 6
    assert "cannot write to stdout" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_closed_pipe_and_a_signal_leave_nothing(cities):
    """A reader that is gone ends it quietly; Ctrl-C amid the text leaves no file."""
    cities.write("long.txt", TEXT * 300)
    before = cities.files()
    with cities.started("phrases", "long.txt", "-o", "-", "-q") as process:
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == ""
    with cities.started("phrases", "-", "-o", "joined.txt", stdin=-1) as process:
        process.stdin.write(CITIES)
        process.stdin.flush()
        assert process.stderr.readline() == "Corpus: stdin\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        process.stdin = None
        assert process.wait(60) == 130

    assert cities.files() == before
