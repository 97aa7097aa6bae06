"""Signals in the middle of a training: the exit code, one line, and what was learnt so far (see tests/faults, too)."""

import json
import signal
import sys
import time

import pytest

from cli.running import FAST, the_error

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX")

ENDLESS = (*FAST, "--epochs", "100000", "--learning-rate", "0.0001", "--overwrite")
# Trainings that do not hear a signal: C code that takes minutes, and a callback in which Python drops exceptions.
DEAF = """
import hashlib, sys, threading
import w2v_cli.cli.signals as s, w2v_cli.pipeline.train as p
def train(*_, **__):
    threading.Timer(0.2, sys.stderr.write, ["deaf\\n"]).start()
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2**31 - 1)
p.train_vectors = train
s._PATIENCE_SECONDS = {patience}
"""
IN_A_CALLBACK = """
import ctypes, os, signal, time
import w2v_cli.cli.signals as s, w2v_cli.pipeline.train as p
def train(*_, **__):
    ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(1))()
    time.sleep(100)
p.train_vectors = train
s._PATIENCE_SECONDS = 0.1
"""


def end(process, *names):
    """Send signals, by their names, each a wish of its own; return what the process writes: stdout and stderr."""
    for i, name in enumerate(names):
        time.sleep(0.5 if i else 0)
        process.send_signal(getattr(signal, name))
    return process.communicate(timeout=30)


def has_begun(process, line):
    """Read stderr up to a line that begins with `line`; return whether there was one."""
    return any(told.startswith(line) for told in process.stderr)


GO_ON = "w2v.safetensors holds the vectors after "


@pytest.mark.fault(38)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_training_tidily(w2v, name):
    """The exit code is 128 + the signal, stderr ends with one line, and nothing but vectors and snapshot is left."""
    with w2v.started("train", "text.txt", *ENDLESS) as process:
        assert has_begun(process, "Epoch 2 of")
        out, told = end(process, name)

    *others, line = [line for line in told.splitlines() if not line.endswith(" left")]
    assert process.returncode == 128 + getattr(signal, name)
    assert [line.split(": ")[0] for line in others] == ["Wrote w2v.safetensors"]
    assert line.startswith(f"error: stopped by {name}. {GO_ON}")
    assert out == ""
    assert sorted(w2v.files()) == ["text.txt", "w2v.safetensors", "w2v.safetensors.snapshot"]


def test_a_signal_is_an_object_for_a_script(w2v):
    """With --json a stopped training writes one object."""
    with w2v.started("train", "text.txt", *ENDLESS, "--json") as process:
        assert has_begun(process, "Epoch 2 of")
        out, _ = end(process, "SIGTERM")

    [line] = out.splitlines()
    error = json.loads(line)["error"]
    assert (error["exit_code"], error["message"][:19]) == (143, "stopped by SIGTERM.")
    assert error["message"].endswith("To continue: `w2v train text.txt --resume`")


def test_an_ignored_signal_stays_ignored(w2v):
    """Under nohup, which has SIGHUP ignored, a hang-up does not end the training."""
    nohup = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)"

    with w2v.started("train", "text.txt", *ENDLESS, first=nohup) as process:
        assert has_begun(process, "Epoch 2 of")
        process.send_signal(signal.SIGHUP)
        went_on = has_begun(process, "Epoch 100 of")
        end(process, "SIGTERM")

    assert went_on
    assert process.returncode == 143


@pytest.mark.fault(38)
def test_a_deaf_training_ends_all_the_same(w2v):
    """While C code runs, Python raises nothing; the program ends nevertheless, with its line and object."""
    with w2v.started("train", "text.txt", "--json", first=DEAF.format(patience=0.1)) as process:
        assert has_begun(process, "deaf")
        out, told = end(process, "SIGTERM")

    assert process.returncode == json.loads(out)["error"]["exit_code"] == 143
    assert told == "error: stopped by SIGTERM.\n"


@pytest.mark.fault(38)
def test_the_second_signal_ends_at_once(w2v):
    """Whoever asks twice is not made to wait."""
    with w2v.started("train", "text.txt", first=DEAF.format(patience=1000)) as process:
        assert has_begun(process, "deaf")
        _, told = end(process, "SIGINT", "SIGTERM")

    assert process.returncode == 130
    assert told == "error: stopped by SIGINT.\n"


def test_a_signal_that_python_drops_is_not_lost(w2v):
    """An exception that is raised in a callback of C code goes nowhere; the program ends nevertheless."""
    message = the_error(w2v.run("train", "text.txt", first=IN_A_CALLBACK), 143)

    assert message == "stopped by SIGTERM."
