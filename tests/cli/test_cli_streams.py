"""Pipes, full disks, odd locales, foreign bytes: what comes out of the program, and how it ends."""

import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest

from cli.running import FAST, the_error
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

EVIL = "\x1b[2Jse\na\u202e"  # clears the screen, breaks the line, turns the text round
HAS_DEV_FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110  str
A_BUG = "import w2v_cli.queries.search as q\nq.sum_scorer = lambda *_, **__: 1 / 0"


@pytest.fixture
def evil(w2v):
    """Return the Program with vectors whose words and metadata try to steer the terminal."""
    metadata = {"remark": EVIL, EVIL: [EVIL, {"a": EVIL}], "schema": 99, "loss": [1.5] * 30}
    odd = KeyedVectors(np.eye(3, dtype=np.float32), ("sea", EVIL, "語"), None, metadata)
    keyed_vectors.save(w2v.folder / "w2v.safetensors", odd, overwrite=False)
    return w2v


def test_foreign_bytes_are_escaped_in_text(evil):
    """Control characters of a file's words and metadata never reach the terminal, nor break a line."""
    shown = evil.run("similar", "sea").stdout + evil.run("info").stdout

    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jse\\na\\u202e\t0.0000\n" in shown
    assert "語\t0.0000\n" in shown


def test_foreign_bytes_are_themselves_in_json(evil):
    """JSON carries every word as it is, and a file's metadata cannot pass for our own keys."""
    words = json.loads(evil.run("similar", "sea", "--json").stdout)["neighbours"]
    answer = json.loads(evil.run("info", "--json").stdout)

    assert [neighbour["word"] for neighbour in words] == [EVIL, "語"]
    assert answer["schema"] == 1
    assert answer["metadata"]["remark"] == EVIL
    assert len(answer["metadata"]["loss"]) == 30


def test_no_other_word_is_no_error(w2v):
    """Where nothing is left to answer with, stdout stays empty, and stderr says why."""
    keyed_vectors.save(w2v.folder / "w2v.safetensors", KeyedVectors(np.eye(3), ("a", "b", "c")), overwrite=False)

    done = w2v.run("analogy", "a", "b", "c")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No other word to show.\n")


@pytest.mark.fault(40)
@pytest.mark.parametrize("arguments", [["--help"], ["similar", "king"]])
def test_a_closed_pipe_ends_quietly(asked, arguments):
    """A reader that has gone away ends the program with exit code 141 and not a word."""
    ours, theirs = os.pipe()
    os.close(ours)

    done = asked.run(*arguments, stdout=theirs)
    os.close(theirs)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.fault(40)
def test_a_closed_pipe_of_stderr_ends_quietly(w2v):
    """The same where both streams go into one pipe."""
    ours, theirs = os.pipe()
    os.close(ours)

    done = w2v.run("train", "text.txt", *FAST, stdout=theirs, stderr=theirs)
    os.close(theirs)

    assert done.returncode == 141
    assert sorted(w2v.files()) == ["text.txt"]


@pytest.mark.fault(41)
@HAS_DEV_FULL
@pytest.mark.parametrize("unbuffered", [None, "1"])
@pytest.mark.parametrize("arguments", [["--help"], ["similar", "king"]])
def test_a_full_disk_behind_stdout_is_told(asked, arguments, unbuffered):
    """Output that cannot be written ends with exit code 6 and the cause."""
    with open("/dev/full", "w") as full:  # noqa: PTH123  a device
        done = asked.run(*arguments, stdout=full, env={"PYTHONUNBUFFERED": unbuffered})

    assert done.returncode == 6
    assert (
        done.stderr == "error: cannot write to stdout: No space left on device; redirect the output to another place.\n"
    )


@pytest.mark.fault(41)
@HAS_DEV_FULL
def test_a_full_disk_behind_stderr_stops_no_training(w2v):
    """Progress that cannot be written is lost; the vectors are not."""
    with open("/dev/full", "w") as full:  # noqa: PTH123  a device
        done = w2v.run("train", "text.txt", *FAST, stderr=full)

    assert done.returncode == 0
    assert "w2v.safetensors" in w2v.files()


@pytest.mark.skipif(sys.platform == "win32", reason="closing a stream beforehand is a shell's trick on POSIX")
@pytest.mark.parametrize(("closed", "exit_code"), [(1, 6), (2, 0)])
def test_a_closed_stream_is_no_bug(asked, closed, exit_code):
    """Data that nobody can receive are an error; messages that nobody can receive are none."""
    close_and_run = f"import os, sys\nos.close({closed})\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = ["-c", close_and_run, "-m", "w2v_cli", "similar", "king"]

    done = asked.run(first=f"import os, sys\nos.execv(sys.executable, [sys.executable, *{command!r}])")

    assert done.returncode == exit_code
    assert done.stderr in {"", "error: cannot write to stdout: it is closed; redirect the output to another place.\n"}


def test_an_error_stays_on_its_line(w2v):
    """A file name with a line break and a terminal code is escaped in the one line of the error."""
    message = the_error(w2v.run("info", "no\n\x1b[2Jfile"), 4)

    assert message.startswith("no\\n\\x1b[2Jfile not found")


def test_a_bug_is_one_line(asked):
    """An exception that nobody expects ends with exit code 1, one line that says where to see more, and an object."""
    done = asked.run("similar", "king", first=A_BUG)
    for_script = asked.run("similar", "king", "--json", first=A_BUG)

    assert the_error(done, 1) == (
        "bug in w2v: ZeroDivisionError: division by zero; run `w2v --debug …` for the traceback."
    )
    assert json.loads(for_script.stdout)["error"]["exit_code"] == for_script.returncode == 1


@pytest.mark.parametrize("arguments", [["--debug", "similar", "kinng"], ["similar", "kinng", "--debug"]])
def test_debug_shows_the_traceback(asked, arguments):
    """`--debug`, before or behind the command, shows where an error came from; line and exit code stay."""
    done = asked.run(*arguments)

    assert done.returncode == 7
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert done.stderr.splitlines()[-1].startswith("error: 'kinng' is not in the vocabulary")


@pytest.fixture
def many(w2v):
    """Return the Program with vectors of more words than a pipe holds."""
    words = tuple(f"word{number:08d}" for number in range(20_000))
    rows = KeyedVectors(np.ones((20_000, 2), np.float16), words, None, {})
    keyed_vectors.save(w2v.folder / "w2v.safetensors", rows, overwrite=False)
    return w2v


@pytest.mark.fault(40)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_midway_ends_it(many, unbuffered):
    """Also where PYTHONUNBUFFERED is set, and Python itself would take what was not written for written."""
    environment = many.environment | {"PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "w2v_cli", "similar", "word00000000", "--top", "15000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    with subprocess.Popen(command, cwd=many.folder, env=environment, **pipes) as process:
        process.stdout.read(10)
        process.stdout.close()
        told = process.stderr.read()

    assert (process.returncode, told) == (141, b"")


@pytest.mark.fault(41)
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_a_file_cannot_hold_is_no_success(many, unbuffered):
    """A limit in the middle of the output ends in exit 6, as a full disk does."""
    limited = f"ulimit -f 50; exec {shlex.quote(sys.executable)} -m w2v_cli similar word00000000 --top 15000 > out.txt"
    environment = many.environment | {"PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        ["/bin/sh", "-c", limited], check=False, cwd=many.folder, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 6
    assert done.stderr == "error: cannot write to stdout: File too large; redirect the output to another place.\n"
