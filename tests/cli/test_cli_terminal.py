"""What a person sees on a terminal, wide, narrow or dumb, with and without colour."""

import re

import numpy as np
import pytest

from cli.running import FAST
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows: NOT run")

RED_ERROR = "\x1b[31m\x1b[1merror:\x1b[0m "
LONG = (*FAST, "--epochs", "3")


def test_training_moves_a_bar(w2v):
    """A terminal shows a bar that is redrawn in place, the epochs above it, and no bar when all is done."""
    exit_code, shown = w2v.run_on_terminal("train", "text.txt", *LONG)

    assert exit_code == 0
    assert re.search(r"\r +67 % \|.*\| loss \d\.\d{3}, [\d,]+ words/s, 0 s left", shown)
    assert [int(epoch) for epoch in re.findall(r"\rEpoch (\d) of 3: loss", shown)] == [1, 2, 3]
    assert re.search(
        r"\r +\rWrote w2v.safetensors: 18 words, trained in \d\.\d s\nKept w2v.safetensors.snapshot .*\n  .*\n$", shown
    )


@pytest.mark.fault(42)
def test_a_bar_keeps_within_its_line(w2v):
    """On 40 columns, the fewest that have one."""
    exit_code, shown = w2v.run_on_terminal("train", "text.txt", *LONG, columns=40)

    bars = re.findall(r"\r([^\r\n]*%[^\r\n]*)", shown)
    assert exit_code == 0
    assert bars
    assert max(len(bar) for bar in bars) <= 40


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    ("columns", "variables"),
    [(80, {"TERM": "dumb"}), (80, {"NO_COLOR": "1"}), (20, {})],
    ids=["dumb", "NO_COLOR", "20"],
)
def test_a_poor_terminal_gets_plain_lines(w2v, columns, variables):
    """Nothing is redrawn or coloured on a dumb or a narrow terminal and without colour; each epoch has its line."""
    exit_code, shown = w2v.run_on_terminal("train", "text.txt", *LONG, columns=columns, env=variables)

    assert exit_code == 0
    assert "\r" not in shown
    assert "\x1b" not in shown
    assert len(re.findall(r"^Epoch \d of 3: loss", shown, re.MULTILINE)) == 3


def test_quiet_training_shows_nothing(w2v):
    """`-q` holds on a terminal too."""
    assert w2v.run_on_terminal("train", "text.txt", *FAST, "--quiet") == (0, "")


def test_an_error_is_red(asked):
    """The word `error:` is coloured on a terminal."""
    exit_code, shown = asked.run_on_terminal("similar", "kinng")

    assert exit_code == 7
    assert shown == f"{RED_ERROR}'kinng' is not in the vocabulary (18 words). Did you mean 'king'?\n"


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
    ids=["--no-color", "NO_COLOR", "dumb"],
)
def test_colour_can_be_declined(asked, arguments, variables):
    """An option, a variable and a dumb terminal each take the colour away."""
    _, shown = asked.run_on_terminal("similar", "kinng", *arguments, env=variables)

    assert shown.startswith("error: 'kinng'")


def test_a_sum_without_quotes_does_not_wait_for_questions(asked):
    """A `-` among words on a terminal is a forgotten quote, and is told at once."""
    exit_code, shown = asked.run_on_terminal("similar", "king", "-", "man", "+", "woman")

    assert exit_code == 2
    assert "A sum is one argument, in quotes: 'king - man + woman'." in " ".join(shown.split())


def test_no_color_may_be_empty(asked):
    """NO_COLOR without a value declines nothing, as no-color.org has it."""
    _, shown = asked.run_on_terminal("similar", "kinng", env={"NO_COLOR": ""})

    assert shown.startswith(RED_ERROR)


def test_answers_stand_in_columns(w2v):
    """Words are aligned under a heading, those of double width too, on 20 columns as on 80."""
    words = ("sea", "a", "日本語", "water")
    keyed_vectors.save(w2v.folder / "w2v.safetensors", KeyedVectors(np.eye(4), words), overwrite=False)

    exit_code, shown = w2v.run_on_terminal("similar", "sea", columns=20)

    assert exit_code == 0
    assert shown.splitlines() == [
        "word    similarity",
        "a           0.0000",
        "日本語      0.0000",
        "water       0.0000",
    ]


SIDE_BY_SIDE = ["similar", "sea", "a", "-n", "2", "-v", "w2v.safetensors", "-v", "b.safetensors"]


@pytest.fixture
def two_files(w2v):
    """Return the Program with w2v.safetensors and b.safetensors, some of whose words are wide."""
    keyed_vectors.save(w2v.folder / "w2v.safetensors", KeyedVectors(np.eye(3), ("sea", "a", "日本語")), overwrite=False)
    keyed_vectors.save(w2v.folder / "b.safetensors", KeyedVectors(np.eye(3), ("sea", "y", "water")), overwrite=False)
    return w2v


def without_warnings(shown):
    """Return what a terminal shows but for warnings, which may be wrapped."""
    return re.sub(r"^[^\n]*warning:.*\n(?:  '.*\n)*", "", shown, flags=re.MULTILINE)


def test_files_stand_side_by_side(two_files):
    """Under their names, a question above them; a file that lacks the word has an empty column and a warning."""
    exit_code, shown = two_files.run_on_terminal(*SIDE_BY_SIDE)

    assert exit_code == 0
    assert [line.rstrip() for line in without_warnings(shown).splitlines()] == [
        "sea",
        "  w2v.safetensors   b.safetensors",
        "  a       0.0000    y      0.0000",
        "  日本語  0.0000    water  0.0000",
        "a",
        "  w2v.safetensors   b.safetensors",
        "  sea     0.0000",
        "  日本語  0.0000",
    ]
    assert "b.safetensors: 'a' is not in the vocabulary" in shown


def test_files_stand_below_each_other_on_a_narrow_terminal(two_files):
    """20 columns are too few for two files, and nothing is cut."""
    _, shown = two_files.run_on_terminal(*SIDE_BY_SIDE[:2], *SIDE_BY_SIDE[3:], columns=20)

    assert [line.rstrip() for line in shown.splitlines()] == [
        "w2v.safetensors",
        "a       0.0000",
        "日本語  0.0000",
        "b.safetensors",
        "y      0.0000",
        "water  0.0000",
    ]


@pytest.mark.fault(42)
def test_json_on_a_terminal_is_one_line(asked):
    """`--json` writes the same on 20 columns: nothing is cut or broken."""
    _, shown = asked.run_on_terminal("info", "--json", columns=20)

    assert shown == asked.run("info", "--json").stdout


def test_help_fits_a_narrow_terminal(w2v):
    """The help is there on 20 columns too."""
    exit_code, shown = w2v.run_on_terminal("train", "--help", columns=20)

    assert exit_code == 0
    assert "--learning-rate RATE" in shown
