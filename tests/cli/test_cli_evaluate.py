"""`w2v evaluate` as a user meets it: tables for programs and people, what is left out, and what goes wrong."""

import json
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cli.running import NO_MOMENT, make_program, the_error
from faults.forking import forking
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

# Unit vectors on a circle, degrees: woman is to man as queen to king and, nearly, as mice to mouse.
DEGREES = {"man": 0, "woman": 30, "king": 60, "queen": 90, "mouse": 180, "mice": 250}
QUESTIONS = """: family
man woman king queen
man woman king mice
man woman king emperor
: gram1-plural
mouse mice man woman
"""
PAIRS = "man woman 9\nman king 5\nMan queen 7\nman mouse 1\nman x 0\n"
CHANGED = Path("data", "wordsim353", "wordsim353.tsv")
HERE = "import os\nos.environ['W2V_DATA_DIR'] = 'data'"
EXPECTED = """\
set section measure score low high asked skipped
questions.txt all add 0.6667 0.2077 0.9385 3 1
questions.txt semantic add 0.5000 0.0945 0.9055 2 1
questions.txt syntactic add 1.0000 0.2065 1.0000 1 0
questions.txt family add 0.5000 0.0945 0.9055 2 1
questions.txt gram1-plural add 1.0000 0.2065 1.0000 1 0
pairs.txt all spearman 0.8000 -0.8188 0.9975 4 1
"""


def save(path, words, counts=None):
    path.parent.mkdir(exist_ok=True)
    angles = np.radians([DEGREES[word.casefold()] for word in words])
    rows = np.column_stack((np.cos(angles), np.sin(angles))).astype(np.float32)
    keyed_vectors.save(path, KeyedVectors(rows, words, counts), overwrite=False)


def fill(folder):
    """Write vectors and sets into a folder."""
    save(folder / "w2v.safetensors", list(DEGREES), np.array([9, 8, 7, 6, 5, 4]))
    save(folder / "old" / "w2v.safetensors", ["woman", "man", "king"])
    (folder / "questions.txt").write_text(QUESTIONS, encoding="utf-8")
    (folder / "pairs.txt").write_text(PAIRS, encoding="utf-8")


@pytest.fixture(scope="module")
def _parent(tmp_path_factory):
    """Return the process whose children run `w2v`."""
    with forking(make_program(tmp_path_factory.mktemp("evaluating")).environment) as parent:
        yield parent


@pytest.fixture
def fork(_parent, tmp_path):
    """Return a Fork whose folder holds two vectors files, questions and pairs."""
    fill(tmp_path)
    _parent.folder = tmp_path
    return _parent


BOTH = ("--on", "questions.txt", "--on", "pairs.txt")


def rows(done):
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def whole(done):
    """Return the rows that are about whole sets, without the headings."""
    return [row for row in rows(done) if row[1] == "all"]


def test_a_table_for_programs(fork):
    """Each set, group and section has a line, with headings; the file of the current folder is the default."""
    done = fork.run("evaluate", *BOTH)

    assert rows(done) == [line.split() for line in EXPECTED.splitlines()]
    assert done.stderr == ""
    assert fork.run("evaluate", "w2v.safetensors", *BOTH).stdout == done.stdout


def test_files_of_one_name_are_told_apart_by_their_folders(fork):
    """Five columns a file; a file that lacks the words has no score, which is said, and is empty in the table."""
    done = fork.run("evaluate", "w2v.safetensors", "old/w2v.safetensors", *BOTH)

    names = ("w2v.safetensors", "old/w2v.safetensors")
    head, first, *_, last = rows(done)
    assert head[3:] == [f"{name} {column}" for name in names for column in ("score", "low", "high", "asked", "skipped")]
    assert first[8:] == ["", "", "", "0", "4"]
    assert last[8:] == ["1.0000", "", "", "2", "3"]
    assert done.stderr.splitlines() == [
        "warning: old/w2v.safetensors has no score on questions.txt: its vocabulary lacks the words.",
        "warning: the files answered different questions, so their scores are not comparable; use --shared.",
    ]


def test_only_what_all_files_know_may_be_asked(fork):
    """Then all are asked the same, and nothing needs a warning."""
    done = fork.run("evaluate", "w2v.safetensors", "old/w2v.safetensors", "--on", "pairs.txt", "--shared")

    assert [row[3:] for row in whole(done)] == [["1.0000", "", "", "2", "3"] * 2]
    assert done.stderr == ""


def test_methods_stand_below_each_other(fork):
    """Each has its lines; one that is given twice is asked once."""
    done = fork.run("evaluate", "--on", "questions.txt", *(f"--method={name}" for name in ("mul", "add", "mul", "dot")))

    assert [row[2] for row in whole(done)] == ["mul", "add", "dot"]


def test_only_frequent_words_are_asked(fork):
    """By number or by count; a file without counts is taken in its order, which is said."""
    assert [row[6:] for row in whole(fork.run("evaluate", *BOTH, "--restrict", "4"))] == [["1", "3"], ["3", "2"]]
    assert [row[6:] for row in whole(fork.run("evaluate", *BOTH, "--min-count", "7"))] == [["0", "4"], ["2", "3"]]
    done = fork.run("evaluate", "old/w2v.safetensors", "--on", "pairs.txt", "--restrict", "2")
    assert [row[6] for row in whole(done)] == ["1"]
    assert done.stderr.splitlines() == [
        "warning: old/w2v.safetensors has no counts: --restrict uses its first 2 words.",
        "warning: w2v.safetensors has no score on pairs.txt: too few pairs, or all are equal.",
    ]
    refused = fork.run("evaluate", "old/w2v.safetensors", "--on", "pairs.txt", "--min-count", "2")
    assert "--min-count needs counts" in the_error(refused, 2)


def test_capitals_may_make_no_difference(fork):
    """A vocabulary with capitals answers questions without, and the other way round."""
    save(fork.folder / "mixed.safetensors", ["Man", "WOMAN", "king", "queen", "Queen"])

    apart = fork.run("evaluate", "mixed.safetensors", "--on", "questions.txt")
    together = fork.run("evaluate", "mixed.safetensors", "--on", "questions.txt", "--ignore-case")

    assert [row[3] for row in whole(apart)] == [""]
    assert [row[3:4] + row[6:] for row in whole(together)] == [["1.0000", "1", "3"]]


def test_without_on_it_takes_what_is_downloaded(fork):
    """Sets that are not there are named, one that was changed is told, and in JSON the former stand, too."""
    installed = fork.folder / CHANGED
    installed.parent.mkdir(parents=True)
    shutil.copyfile(fork.folder / "pairs.txt", installed)

    done = fork.run("evaluate", first=HERE)
    told = json.loads(fork.run("evaluate", "--json", first=HERE).stdout)

    assert [row[0] for row in whole(done)] == ["wordsim353"]
    assert done.stderr.splitlines() == [
        "warning: skipping questions-words, which is not downloaded: run `w2v download questions-words`.",
        "warning: skipping simlex999, which is not downloaded: run `w2v download simlex999`.",
        f"warning: {CHANGED} differs from the published set: its scores are not comparable with published ones.",
    ]
    assert told["sets_left_out"] == ["questions-words", "simlex999"]


def test_json_has_every_digit(fork):
    """The numbers are those of the table, unrounded; what has no meaning is null."""
    told = json.loads(fork.run("evaluate", "w2v.safetensors", "old/w2v.safetensors", *BOTH, "--json").stdout)

    parts = [(score["part"], score["name"], score["method"]) for score in told["scores"]]
    assert parts == [
        ("set", "questions.txt", "add"),
        ("group", "semantic", "add"),
        ("group", "syntactic", "add"),
        ("section", "family", "add"),
        ("section", "gram1-plural", "add"),
        ("set", "pairs.txt", None),
    ]
    first, second = told["scores"][0]["files"]
    assert (first["score"], first["correct"], first["coverage"]) == (2 / 3, 2, 3 / 4)
    assert [second[name] for name in ("score", "low", "high", "correct", "coverage")] == [None, None, None, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (
            [],
            3,
            "no evaluation sets in data: run `w2v download questions-words wordsim353 simlex999`, or pass ",
        ),
        (["--on", "none.txt"], 3, "the evaluation set 'none.txt' is neither a file nor one of questions-words, "),
        (["--on", "wordsim353"], 3, "wordsim353 is not downloaded; run `w2v download wordsim353`."),
        (["--on", "ptb"], 2, "ptb is a corpus, not an evaluation set"),
        (["--on", "empty.txt"], 3, "empty.txt holds nothing"),
        (["--on", "cut.txt"], 3, "cut.txt:3: a question has 4 words, found 2"),
        (["--on", "binary.txt"], 3, "binary.txt:1 is not UTF-8 text"),
        (["--on", "w2v.safetensors"], 3, "w2v.safetensors"),
        (["--on", "pairs.txt", "--on", "pairs.txt"], 2, "two evaluation sets are called 'pairs.txt'"),
        (["--on", "pairs.txt", "--restrict", "0"], 2, "--restrict"),
        (
            ["--on", "pairs.txt", "none.safetensors"],
            4,
            "none.safetensors not found; check the path, or train one: `w2v train TEXT`.",
        ),
        (["none.safetensors"], 4, "none.safetensors not found; check the path, or train one: `w2v train TEXT`."),
        (["--on", "-"], 2, "an evaluation set cannot be read from stdin (-); name a file"),
        (["--on", "pairs.txt", "--method", "sum"], 2, "'sum' is not one of 'add', 'mul', 'dot'."),
        (["w2v.safetensors", "pairs.txt", "--on", "pairs.txt"], 4, "pairs.txt is text"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_measured_is_told_in_a_line(fork, arguments, exit_code, message):
    """Nothing is computed where one of the vectors or sets is wrong; a file called - is not read, either."""
    (fork.folder / "-").write_text(PAIRS, encoding="utf-8")
    (fork.folder / "empty.txt").write_text("# nothing\n", encoding="utf-8")
    (fork.folder / "cut.txt").write_text(": x\na b c d\na b", encoding="utf-8")
    (fork.folder / "binary.txt").write_bytes(b"\xff\xfe\0\0")

    done = fork.run("evaluate", *arguments, first=HERE)

    assert message in the_error(done, exit_code)


def test_damaged_vectors_among_others_stop_everything(fork):
    """One of several files is damaged: exit code 4 before any table."""
    content = bytearray((fork.folder / "w2v.safetensors").read_bytes())
    content[-5] ^= 1
    (fork.folder / "bad.safetensors").write_bytes(content)

    assert "bad.safetensors" in the_error(fork.run("evaluate", "w2v.safetensors", "bad.safetensors", *BOTH), 4)


@pytest.mark.parametrize("signum", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_long_evaluation(fork, signum):
    """It ends within moments, with its exit code and one line, whatever threads are at."""
    slow = "import time\nimport w2v_cli.evaluation.analogies_numba as f\n"
    slow += "f._search_rows = lambda *_: time.sleep(0.2) or f._Best.none(3)\n"
    tasks = "f.TASK_ROWS = f.LEAST_TASK_ROWS = 1\n"
    many = KeyedVectors(np.ones((3000, 2)), [*DEGREES, *(f"w{number}" for number in range(2994))])
    keyed_vectors.save(fork.folder / "many.safetensors", many, overwrite=False)
    number = getattr(signal, signum)

    with fork.started("evaluate", "many.safetensors", "--on", "questions.txt", first=slow + tasks) as child:
        time.sleep(1.5)
        child.send_signal(number)
        _, errors = child.communicate()

    assert child.returncode == 128 + number
    assert errors.splitlines()[-1] == f"error: stopped by {signum}."


ONE_FILE = """\
                    score          95 %   asked
questions.txt, add  0.667   0.208–0.939  3 of 4
  semantic          0.500   0.095–0.905  2 of 3
  syntactic         1.000   0.207–1.000  1 of 1
  family            0.500   0.095–0.905  2 of 3
  gram1-plural      1.000   0.207–1.000  1 of 1
pairs.txt           0.800  -0.819–0.998  4 of 5
"""
BESIDE = """\
           w2v.safetensors           old/w2v.safetensors
           score         95 % asked  score 95 % asked
pairs.txt  0.800 -0.819–0.998  80 %  1.000       40 %
"""
WITHOUT_INTERVALS = """\
           w2v.safetensors  old/w2v.safetensors
           score asked      score asked
pairs.txt  0.800  80 %      1.000  40 %
"""
BELOW = """\
w2v.safetensors
           score          95 %   asked
pairs.txt  0.800  -0.819–0.998  4 of 5
old/w2v.safetensors
           score  95 %   asked
pairs.txt  1.000        2 of 5
"""
LISTS = """\
w2v.safetensors
pairs.txt
    0.800
    -0.819–0.998
    4 of 5
old/w2v.safetensors
pairs.txt
    1.000
    2 of 5
"""
TWO_FILES = ["w2v.safetensors", "old/w2v.safetensors", "--on", "pairs.txt"]


@pytest.mark.fault(42)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows: NOT run")
@pytest.mark.parametrize(
    ("columns", "arguments", "expected"),
    [
        (80, BOTH, ONE_FILE),
        (80, TWO_FILES, BESIDE),
        (50, TWO_FILES, WITHOUT_INTERVALS),
        (40, TWO_FILES, BELOW),
        (20, TWO_FILES, LISTS),
    ],
    ids=["one file", "side by side", "without intervals", "below each other", "as lists"],
)
def test_a_table_for_people(tmp_path, columns, arguments, expected):
    """In the widest form that the terminal has room for; on 20 columns nothing is cut."""
    program = make_program(tmp_path)
    fill(program.folder)

    exit_code, shown = program.run_on_terminal("evaluate", *arguments, "--quiet", "--no-color", columns=columns)

    assert exit_code == 0
    assert re.sub(r"^warning: .*\n(?:  \S.*\n)*", "", shown, flags=re.MULTILINE) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows: NOT run")
def test_progress_is_a_bar_that_goes(tmp_path):
    """It names the file and the questions, and leaves nothing behind."""
    program = make_program(tmp_path)
    fill(program.folder)

    _, shown = program.run_on_terminal("evaluate", "--on", "questions.txt", first=NO_MOMENT)

    assert re.match(r"\r  0 % \| +\| w2v.safetensors: questions.txt, add", shown)
    assert shown.rpartition("\r")[2].split() == ONE_FILE.partition("pairs.txt")[0].split()


SLOW = f"{NO_MOMENT}; b._SECONDS_BETWEEN_LINES = 0"


@pytest.mark.fault(42)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows: NOT run")
@pytest.mark.parametrize(
    ("columns", "variables"),
    [(80, {"NO_COLOR": "1"}), (80, {"TERM": "dumb"}), (20, {})],
    ids=["NO_COLOR", "dumb", "20"],
)
def test_a_poor_terminal_gets_lines(tmp_path, columns, variables):
    """Nothing is redrawn without colour, on a dumb terminal and on 20 columns; a line now and then takes its place."""
    program = make_program(tmp_path)
    fill(program.folder)

    _, shown = program.run_on_terminal("evaluate", "--on", "questions.txt", columns=columns, env=variables, first=SLOW)

    assert "\r" not in shown
    assert "\x1b" not in shown
    assert "w2v.safetensors: questions.txt, add: 100 %\n" in shown


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["no terminal", "quiet"])
def test_progress_is_off_without_a_terminal(fork, more):
    """Stderr stays empty, however long it takes."""
    done = fork.run("evaluate", "--on", "questions.txt", *more, first=SLOW)

    assert (done.returncode, done.stderr) == (0, "")
