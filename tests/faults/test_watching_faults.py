"""Trainings that are scored, logged or rehearsed where memory, disk, pipe or terminal refuse, and that diverge.

Each test is a row of the list of faults, its number in the docstring. The processes, limits and devices are real.
"""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from cli.running import FAST, the_error

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these faults are produced as on Linux: NOT tried")
# So many bytes of addresses more than there are in use now.
LIMIT = """
import resource
from w2v_cli.system import machine
used = machine._read_fields(machine.Path("/proc/self/status"))["VmSize"]
resource.setrlimit(resource.RLIMIT_AS, (used + {more}, used + {more}))
"""
PAIRS = "king queen 8\nman woman 7\nking sea 1\nx y 1\n"
EVERYTHING = ("--evaluate", "pairs.txt", "--log", "run.jsonl")


@pytest.fixture
def pairs(fork):
    """Return the Fork with an evaluation set in its folder."""
    (fork.folder / "pairs.txt").write_text(PAIRS, encoding="utf-8")
    return fork


def many_words(count):
    """Return a text of so many different words, each of which occurs five times."""
    return (
        "".join(" ".join(f"word{i:07d}" for i in range(first, first + 10)) + "\n" for first in range(0, count, 10)) * 5
    )


@pytest.mark.fault(31)
@pytest.mark.parametrize("output", ["none/x", "/sys/x"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["train", "dry run"])
def test_a_folder_that_refuses_files_is_found_before_training(fork, output, more):
    """Row 31: a missing folder, and one in which not even root may write: exit 6 before the text is read."""
    done = fork.run("train", "text.txt", *FAST, "--output", output, *more)

    assert the_error(done, 6).startswith(f"cannot write {output}: ")
    assert "corpus:" not in done.stderr


@pytest.mark.fault(31)
def test_a_log_in_a_folder_that_refuses_files_is_found_before_training(fork):
    """Row 31: the log's folder is looked at, too."""
    done = fork.run("train", "text.txt", *FAST, "--log", "/sys/run.jsonl")

    assert the_error(done, 6).startswith("cannot write /sys/run.jsonl: ")
    assert sorted(fork.files()) == ["text.txt"]


@pytest.mark.fault(40)
def test_a_plan_into_a_closed_pipe_is_quiet(fork):
    """Row 40: exit 141 and not a word of it; nothing is left behind."""
    with fork.started("train", "text.txt", *FAST, "--dry-run", "-q") as child:
        child.stdout.close()
        told = child.stderr.read()

        assert (child.wait(), told) == (141, "")
    assert sorted(fork.files()) == ["text.txt"]


@pytest.mark.fault(41)
@pytest.mark.parametrize("arguments", [["--dry-run"], ["--json"]])
def test_a_full_disk_behind_stdout_is_told(fork, arguments):
    """Row 41: exit 6 with the cause; vectors that were trained are there all the same."""
    full = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    done = fork.run("train", "text.txt", *FAST, "-q", *arguments, first=full)

    assert (
        the_error(done, 6) == "cannot write to stdout: No space left on device; redirect the output to another place."
    )
    assert ("w2v.safetensors" in fork.files()) == ("--json" in arguments)


@pytest.mark.fault(4)
def test_a_full_disk_behind_the_log_is_told_before_training(fork):
    """Row 41: a log whose first line cannot be written ends the run with exit 6."""
    done = fork.run("train", "text.txt", *FAST, "--log", "/dev/full")

    assert the_error(done, 6).startswith("cannot write /dev/full: No space left on device")
    assert sorted(fork.files()) == ["text.txt"]


@pytest.mark.fault(5)
def test_a_log_that_fills_its_disk_stops_no_training(pairs):
    """Row 41: where the log cannot grow any further, one warning says so, and the vectors are written."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))"
    done = pairs.run(
        "train", "text.txt", *FAST, "--snapshot-every", "never", "--epochs", "20", *EVERYTHING, first=limit
    )

    assert done.returncode == 0
    warning = "warning: cannot write the log run.jsonl: "
    assert [line for line in done.stderr.splitlines() if line.startswith("warning:")] == [
        f"{warning}the disk is full; training continues without it."
    ]
    assert len(pairs.files()["run.jsonl"]) == 4000
    assert "w2v.safetensors" in pairs.files()


@pytest.mark.fault(42)
@pytest.mark.parametrize("variables", ["TERM='dumb'", "NO_COLOR='1'", "COLUMNS='20'"])
def test_scores_and_plans_are_plain_where_the_terminal_is(pairs, variables):
    """Row 42: without a terminal, in 20 columns, without colour, nothing is redrawn, and JSON is whole."""
    setting = f"import os; os.environ.update({variables})"
    done = pairs.run("train", "text.txt", *FAST, "--evaluate", "pairs.txt", "--json", first=setting)
    plan = pairs.run("train", "text.txt", *FAST, "--output", "y", "--dry-run", "--json", first=setting)

    assert (done.returncode, plan.returncode) == (0, 0)
    assert "\x1b" not in done.stderr + plan.stderr
    assert "\r" not in done.stderr + plan.stderr
    line = r"^Epoch 1 of 1: .*, pairs\.txt -?[\d.]+ \(75 %\), [\d,]+ words/s, 0 s left$"
    assert re.search(line, done.stderr, re.MULTILINE)
    assert json.loads(done.stdout)["evaluation"]["scores"]["pairs.txt"]["asked"] == 3
    assert json.loads(plan.stdout)["dry_run"] is True


@pytest.mark.fault(43)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["train", "dry run"])
def test_too_little_memory_is_found_before_it_is_taken(fork, more):
    """Row 43: under a real limit of addresses, exit 6 with need against limit and what to lower; nothing is left."""
    (fork.folder / "text.txt").write_text(many_words(20_000), encoding="utf-8")
    done = fork.run("train", "text.txt", *FAST, "--dim", "2000", *more, first=LIMIT.format(more=400_000_000))

    message = the_error(done, 6)
    found = re.match(
        r"training 20,000 words takes (\d+) MB of memory more, and there is room for (\d+) MB "
        r"\(limit: address space \(ulimit -v\)\): lower --dim \(2000\), raise --min-count \(5\)",
        message,
    )
    assert found, message
    need, room = found.groups()
    assert 640 < int(need) < 1200  # four matrices of 160 MB each
    assert 250 < int(room) <= 400
    assert "algorithm:" not in done.stderr
    assert sorted(fork.files()) == ["text.txt"]


@pytest.mark.fault(43)
def test_enough_memory_is_enough(fork):
    """Row 43: the same limit lets a training go through that fits below it."""
    done = fork.run("train", "text.txt", *FAST, first=LIMIT.format(more=400_000_000))

    assert done.returncode == 0, done.stderr


@pytest.mark.fault(43)
@pytest.mark.parametrize("more", [3_000_000, 20_000_000, 60_000_000, 75_000_000])
def test_memory_that_ends_anywhere_is_one_line(fork, more):
    """Row 43: while the text is read, or when a thread is to start: exit 6, one line, nothing half-written."""
    (fork.folder / "text.txt").write_text(many_words(200_000), encoding="utf-8")
    done = fork.run("train", "text.txt", *FAST, "-q", first=LIMIT.format(more=more))

    assert "memory" in the_error(done, 6)
    assert len(done.stderr.splitlines()) == 1
    assert sorted(fork.files()) == ["text.txt"]


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("--learning-rate", "5"), r"The learning rate 5 is 100 times what is usual for cbow"),
        (
            ("--model", "skipgram", "--learning-rate", "5"),
            r"The learning rate 5 is 200 times what is usual for skip",
        ),
        (
            ("--algorithm", "minibatch", "--set", "training.batch_size=100000", "--learning-rate", "0.07"),
            r"A step sums the gradients of training\.batch_size = 100,000 examples",
        ),
    ],
    ids=["cbow", "skipgram", "batch"],
)
def test_a_diverged_training_writes_nothing(fork, arguments, cause):
    """Row 44: exit 1, the likely cause with its value; the file that was to be replaced is whole; the log says why."""
    (fork.folder / "w2v.safetensors").write_bytes(b"old")
    long = ("--epochs", "400", "--subsample", "0", "--set", "training.decay=constant", "--snapshot-every", "never")
    done = fork.run("train", "text.txt", *FAST, *long, *arguments, "--overwrite", "--log", "run.jsonl", "-q")

    message = the_error(done, 1)
    assert re.match(r"training diverged in epoch \d+ of 400: ", message)
    assert re.search(cause, message)
    assert fork.files()["w2v.safetensors"] == b"old"
    assert sorted(fork.files()) == ["run.jsonl", "text.txt", "w2v.safetensors"]
    last = json.loads(fork.files()["run.jsonl"].splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("error", 1)
    assert last["message"].split(": try ")[0] == message.split(": try ")[0]  # then each has its own name of the setting


def test_a_device_is_no_place_that_fills_up():
    """The tests above need a /dev/full that is one."""
    assert Path("/dev/full").is_char_device()
    with pytest.raises(OSError, match="No space left"):
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")
