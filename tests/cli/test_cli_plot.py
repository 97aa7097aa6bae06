"""`w2v plot`: logs of whole, resumed, running and damaged trainings, on a terminal, in a pipe and as a picture."""

import importlib.util
import json

import pytest

from cli.running import FAST, the_error
from documented import read_page


def events(*named):
    """Return a log of (event, fields)."""
    common = {"schema": 1, "time": "2026-11-27T00:00:00+00:00", "seconds": 1.0}
    return "".join(json.dumps({**common, "event": event, **fields}) + "\n" for event, fields in named)


def reports(*points, epochs=4, base=4.0):
    """Return a progress event at each share of the training, and an epoch's where one is over."""
    named = []
    for progress in points:
        done = progress * epochs
        fields = {"epoch": max(1, round(done)), "epochs": epochs, "progress": progress, "mean_loss": base - done / 2}
        if done == int(done):
            over = {"epoch_mean_loss": base - done / 2, "validation_loss": base, "scores": {"s": {"accuracy": 0.5}}}
            named.append(("epoch", fields | over))
        else:
            named.append(("progress", fields))
    return named


START = ("start", {"is_resumed": False})
WHOLE = events(START, *reports(0.125, 0.25, 0.5, 0.75, 1.0), ("saved", {}))


def rows(done):
    """Return the cells that a run wrote."""
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_a_training_s_log_is_shown(w2v):
    """What `train --log` writes, with held-out loss and scores, comes out as rows of log, epoch, measure and value."""
    w2v.write("pairs.txt", "king queen 8\nman woman 7\nsea home 2\n")
    measured = ("--log", "run.jsonl", "--validation", "0.2", "--evaluate", "pairs.txt")
    done = w2v.run("train", "text.txt", *FAST, *measured, "--json", "-q")
    trained = json.loads(done.stdout)

    found = rows(w2v.run("plot", "run.jsonl"))

    assert [row[:3] for row in found] == [["run.jsonl", "1", name] for name in ("loss", "held_out", "pairs.txt")]
    assert found[0][3] == f"{trained['epoch_losses'][0]:.4f}"
    assert found[1][3] == f"{trained['validation_losses'][0]:.4f}"


def test_a_resumed_run_goes_on_where_it_had_come_to(w2v):
    """What a killed run did after its last snapshot is replaced by what the resumed run did instead."""
    resumed = ("resumed", {"progress": 0.25, "epoch": 1, "epochs": 4})
    again = (("start", {"is_resumed": True}), resumed, *reports(0.5, 0.75, 1.0, base=3.0), ("saved", {}))
    w2v.write("run.jsonl", events(START, *reports(0.125, 0.25, 0.375, 0.5)) + events(*again))

    losses = [row[1::2] for row in rows(w2v.run("plot", "run.jsonl")) if row[2] == "loss"]
    content = json.loads(w2v.run("plot", "run.jsonl", "--json").stdout)

    assert losses == [["1", "3.5000"], ["2", "2.0000"], ["3", "1.5000"], ["4", "1.0000"]]
    assert [place for place, _ in content["points"]] == [0.5, 1.0, 2.0, 3.0, 4.0]


def test_a_run_that_is_still_going_on_is_shown(w2v):
    """A last line that is cut is left out and told; so is that there is no end."""
    w2v.write("run.jsonl", events(START, *reports(0.125, 0.25)) + '{"schema": 1, "event": "prog')

    done = w2v.run("plot", "run.jsonl")

    assert [row[1:3] for row in rows(done)] == [["1", "loss"], ["1", "held_out"], ["1", "s"]]
    assert "skipped 1 incomplete or damaged line." in done.stderr
    assert "unfinished" in w2v.run_on_terminal("plot", "run.jsonl")[1]


@pytest.mark.parametrize(
    ("log", "told"),
    [(events(START), "no loss logged yet"), (events(START, *reports(0.125)), "no epoch complete yet")],
)
def test_a_log_without_an_epoch_is_told(w2v, log, told):
    """A training that has just begun is no failure."""
    w2v.write("run.jsonl", log)

    done = w2v.run("plot", "run.jsonl")

    assert rows(done) == []
    assert told in done.stderr


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_a_terminal_shows_a_curve_of_its_width(w2v, columns):
    """The grid is as wide as the terminal, each log has its mark, and the legend its figures."""
    w2v.write("a.jsonl", WHOLE)
    w2v.write("b.jsonl", events(START, *reports(0.25, 0.5, 0.75, 1.0, base=5.0), ("stopped", {})))

    code, shown = w2v.run_on_terminal("plot", "a.jsonl", "b.jsonl", columns=columns)

    *grid, first, second = shown.splitlines()
    assert code == 0
    assert max(map(len, grid)) == columns
    assert {"*", "o"} <= set("".join(grid))
    assert first == "* a.jsonl: 4 of 4 epochs, loss 2.0000, held out 4.0000, s 0.500"
    assert second == "o b.jsonl: 4 of 4 epochs, loss 3.0000, held out 5.0000, s 0.500, stopped"


def test_json_is_as_the_page_says(w2v):
    """An object for each log, as docs/reference/json.md has it."""
    w2v.write("run.jsonl", WHOLE)

    first, second = map(json.loads, w2v.run("plot", "run.jsonl", "run.jsonl", "--json").stdout.splitlines())

    read_page("json.md").check(first, "plot")
    assert first == second
    assert first["ending"] == "saved"


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed: NOT run")
def test_a_picture_is_drawn_and_kept(w2v):
    """Several logs make one picture; it is not replaced without --overwrite."""
    w2v.write("a.jsonl", WHOLE)
    w2v.write("b.jsonl", events(START))

    done = w2v.run("plot", "a.jsonl", "b.jsonl", "-o", "loss.png")

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (w2v.folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "loss.png already exists" in the_error(w2v.run("plot", "a.jsonl", "-o", "loss.png"), 2)
    assert w2v.run("plot", "a.jsonl", "-o", "loss.png", "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("The king and the man.\n", "is not a training log"),
        ("[1, 2]\n", "is not a training log"),
        ('{"event": "saved"}\n', "is not a training log"),
        ("", "is empty"),
        (b"\xff\xfe\x00", "is not a training log"),
        (None, "cannot read the log run.jsonl: No such file"),
    ],
)
def test_what_is_no_log_is_one_line(w2v, content, expected):
    """A file of another kind, an empty and a missing one are told in a line, exit code 2."""
    if content is not None:
        w2v.write("run.jsonl", content)

    assert expected in the_error(w2v.run("plot", "run.jsonl"), 2)


def test_another_ending_is_refused_by_its_option(w2v):
    """The message names --output, not the option of train."""
    w2v.write("run.jsonl", WHOLE)

    assert the_error(w2v.run("plot", "run.jsonl", "-o", "loss.txt"), 2).startswith("--output writes .png")
