"""`w2v train` while it trains and before it does: --evaluate, --log and --dry-run as a user meets them."""

import json
import re

import pytest

from cli.running import FAST, TEXT, make_program, the_error
from faults.forking import forking
from w2v_cli.evaluation import metrics
from w2v_cli.evaluation.sets import read_sets
from w2v_cli.vectors import keyed_vectors

PAIRS = "king queen 8\nman woman 7\nking sea 1\nx y 1\n"
QUESTIONS = ": family\nking queen man woman\nqueen king woman man\n: none\nx y z king\n"


@pytest.fixture(scope="module")
def _parent(tmp_path_factory):
    """Return the process whose children run `w2v`."""
    with forking(make_program(tmp_path_factory.mktemp("watching")).environment) as parent:
        yield parent


@pytest.fixture
def fork(_parent, tmp_path):
    """Return a Fork whose folder holds a text and two evaluation fork."""
    for name, content in {"text.txt": TEXT, "pairs.txt": PAIRS, "questions.txt": QUESTIONS}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    _parent.folder = tmp_path
    return _parent


def test_scores_are_shown_told_and_kept(fork):
    """After each epoch in the progress, at the end in JSON, and in the file, with who gave them: the file's own."""
    done = fork.run(
        "train", "text.txt", *FAST, "--epochs", "2", "--evaluate", "pairs.txt", "--evaluate", "questions.txt", "--json"
    )

    told = json.loads(done.stdout)
    line = r"^Epoch \d of 2: .*pairs\.txt (\S+) \(75 %\), questions\.txt (\S+) \(67 %\),"
    lines = re.findall(line, done.stderr, re.MULTILINE)
    saved = keyed_vectors.load(fork.folder / "w2v.safetensors")
    [pairs, questions] = read_sets([str(fork.folder / name) for name in ("pairs.txt", "questions.txt")], fork.folder)
    expected = {
        "pairs.txt": metrics.similarity_correlation(saved, pairs.pairs).correlation,
        "questions.txt": metrics.analogy_accuracy(saved, questions.sections).total.accuracy,
    }
    kept = saved.metadata["evaluation"]
    assert {name: score.get("correlation", score.get("accuracy")) for name, score in kept["scores"].items()} == expected
    assert kept["evaluator"].startswith("w2v ")
    assert told["evaluation"] == kept
    assert [after["epoch"] for after in told["epoch_evaluations"]] == [1, 2]
    assert told["epoch_evaluations"][-1]["scores"] == kept["scores"]
    assert [float(score) for score in lines[-1]] == pytest.approx(list(expected.values()), abs=5e-4)
    assert "evaluate" not in saved.metadata["config"]["training"]


def test_without_sets_nothing_is_said_of_scores(fork):
    """Neither in JSON nor in the file."""
    told = json.loads(fork.run("train", "text.txt", *FAST, "--json").stdout)

    assert not {"evaluation", "epoch_evaluations"} & set(told)
    assert "evaluation" not in keyed_vectors.load(fork.folder / "w2v.safetensors").metadata


def test_a_downloaded_set_is_known_by_its_name(w2v):
    """As a corpus is; in the environment and in --set names stand between commas."""
    w2v.write("data/wordsim353/wordsim353.tsv", PAIRS)
    w2v.write("more.txt", PAIRS)
    variables = {"W2V_TRAINING__EVALUATE": "wordsim353, more.txt"}

    told = json.loads(w2v.run("train", "text.txt", *FAST, "--json", env=variables).stdout)

    assert set(told["evaluation"]["scores"]) == {"wordsim353", "more.txt"}


@pytest.mark.parametrize(
    ("name", "exit_code", "cause"),
    [
        ("wordsim353", 3, "wordsim353 is not downloaded; run `w2v download wordsim353`."),
        ("wordsim", 3, "the evaluation set 'wordsim' is neither a file nor one of questions-words, wordsim353, "),
        ("-", 2, "an evaluation set cannot be read from stdin (-); name a file"),
        ("ptb", 2, "ptb is a corpus, not an evaluation set; choose one of questions-words"),
        ("text.txt", 3, "text.txt:1: expected a section of analogy questions (': name') or two words and a number"),
        ("bad.txt", 3, "bad.txt:3: expected two words and a finite number, found 'king sea'."),
    ],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["train", "dry run"])
def test_what_is_no_set_is_found_before_the_text_is_read(fork, name, exit_code, cause, more):
    """With its line where it is a file; nothing is written."""
    (fork.folder / "bad.txt").write_text("# a remark\nking queen 8\nking sea\n", encoding="utf-8")
    done = fork.run("train", "text.txt", *FAST, "--evaluate", name, *more)

    assert the_error(done, exit_code).startswith(cause)
    assert "corpus:" not in done.stderr
    assert sorted(fork.files()) == ["bad.txt", "pairs.txt", "questions.txt", "text.txt"]


def test_a_log_goes_on_where_training_does(fork):
    """A stopped run and the one that resumes it share a log; what the second is not told it knows from the first."""
    whole = ("--epochs", "3", "--log", "run.jsonl", "--evaluate", "pairs.txt")
    fork.run("train", "text.txt", *FAST, *whole, "--time-limit", "0.001s")
    resumed = fork.run("train", "text.txt", "--resume", "--json")

    events = [json.loads(line) for line in fork.files()["run.jsonl"].splitlines()]
    names = [event["event"] for event in events]
    assert names.count("start") == names.count("saved") == 2
    assert [event["is_complete"] for event in events if event["event"] == "saved"] == [False, True]
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2, 3]
    assert [after["epoch"] for after in json.loads(resumed.stdout)["epoch_evaluations"]] == [1, 2, 3]


def test_scores_of_a_training_that_was_stopped_within_an_epoch_are_not_told(fork):
    """They were of other vectors; those of the epochs before are told as such."""
    text = "\n".join("king queen man woman sea sky land" for _ in range(4000))
    (fork.folder / "text.txt").write_text(text, encoding="utf-8")
    arguments = ("--algorithm", "minibatch", "--set", "training.batch_size=8", "--epochs", "1000")
    stop = ("--time-limit", "0.5s", "--evaluate", "pairs.txt", "--json")
    told = json.loads(fork.run("train", "text.txt", *FAST, *arguments, *stop).stdout)

    is_whole = told["stopped_early"]["progress"] * 1000 == told["stopped_early"]["whole_epochs"]
    assert ("evaluation" in told) == is_whole


def test_a_plan_says_what_would_happen(fork):
    """Text, vocabulary, algorithm, files, memory, disk and time on stdout; nothing is written."""
    before = fork.files()
    arguments = ("--evaluate", "pairs.txt", "--log", "run.jsonl", "--output", "new.safetensors")
    done = fork.run("train", "text.txt", *FAST, "--dry-run", *arguments)

    assert done.returncode == 0, done.stderr
    subjects = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(subjects) == ["corpus", "vocabulary", "model", "training", "files", "memory", "disk", "time"]
    assert subjects["corpus"] == "text.txt; 1 file, 810 words"
    assert subjects["vocabulary"] == "18 words, which occur 810 times"
    assert subjects["files"] == "new.safetensors, new.safetensors.snapshot, run.jsonl"
    assert re.match(r"about \d+ s, estimated from a short trial at [\d,]+ words/s", subjects["time"])
    assert fork.files() == before


def test_a_plan_is_an_object_for_a_script(fork):
    """With --json, the same numbers; the words a second are measured."""
    plan = json.loads(fork.run("train", "text.txt", *FAST, "--dry-run", "--json", "-q").stdout)

    assert (plan["schema"], plan["command"], plan["dry_run"]) == (1, "train", True)
    assert (plan["algorithm"], plan["backend"], plan["vocabulary"]) == ("block", "numpy", 18)
    assert plan["corpus"]["words"] == 810
    assert plan["words_per_second"] > 0
    assert plan["estimated_seconds"] >= 0
    assert plan["memory_bytes"] > sum(plan["memory_parts"].values()) > 0
    assert plan["snapshot_bytes"] == 2 * 4 * 18 * 4
    assert plan["files"] == {"vectors": "w2v.safetensors", "snapshot": "w2v.safetensors.snapshot"}


@pytest.mark.parametrize("name", ["w2v.safetensors", "w2v.safetensors.snapshot", "run.jsonl"])
def test_a_plan_tells_what_is_in_the_way(fork, name):
    """An output that exists: the plan, what to give, and exit 2 as without --dry-run; --overwrite plans, too."""
    (fork.folder / name).write_bytes(b'{"schema": 1, "event": "start"}\n')
    before = fork.files()
    arguments = ("train", "text.txt", *FAST, "--dry-run", "--log", "run.jsonl")
    refused = fork.run(*arguments)
    for_script = fork.run(*arguments, "--json")
    planned = fork.run(*arguments, "--overwrite")

    [error] = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: {name} already exists. Use --overwrite to replace it, ")
    assert "--overwrite" in error
    assert (refused.returncode, for_script.returncode, planned.returncode) == (2, 2, 0), planned.stderr
    subjects = [[line.partition(":")[0] for line in done.stdout.splitlines()] for done in (refused, planned)]
    assert (
        subjects[0] == subjects[1] == ["corpus", "vocabulary", "model", "training", "files", "memory", "disk", "time"]
    )
    assert json.loads(for_script.stdout)["refusals"] == [error.removeprefix("error: ")]
    assert fork.files() == before


def test_a_plan_tells_of_a_picture_in_the_way(fork):
    """What else is refused is told without a plan."""
    pytest.importorskip("matplotlib")
    (fork.folder / "x.png").write_bytes(b"old")
    refused = fork.run("train", "text.txt", *FAST, "--dry-run", "--plot", "x.png")

    assert "error: x.png already exists. Use --overwrite to replace it, or choose another --plot." in refused.stderr
    assert (refused.returncode, refused.stdout.count("\n")) == (2, 8)
    assert the_error(fork.run("train", "text.txt", *FAST, "--dry-run", "--output", "none/x"), 6)


def test_a_plan_of_going_on_counts_what_is_left(fork):
    """--resume --dry-run says how much is done, and leaves the snapshot as it is."""
    fork.run("train", "text.txt", *FAST, "--epochs", "4", "--time-limit", "0.001s")
    before = fork.files()

    plan = json.loads(fork.run("train", "text.txt", "--resume", "--dry-run", "--json").stdout)

    assert plan["progress"] == 0.25
    assert fork.files() == before


def test_a_narrow_terminal_shows_scores_and_plan(w2v):
    """On 20 columns nothing is redrawn, the scores have their lines, and training goes on to its end."""
    pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows: NOT run")
    w2v.write("pairs.txt", PAIRS)
    arguments = ("train", "text.txt", *FAST, "--epochs", "3", "--evaluate", "pairs.txt")

    exit_code, shown = w2v.run_on_terminal(*arguments, columns=20)
    planned, plan = w2v.run_on_terminal(*arguments, "--overwrite", "--dry-run", columns=20)

    assert (exit_code, planned) == (0, 0)
    assert "\r" not in shown
    assert len(re.findall(r"pairs\.txt -?\d\.\d{3} \(75 %\)", shown)) == 3
    assert "time: about" in plan
