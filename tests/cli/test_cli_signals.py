"""Signals in the middle of a training: the exit code, one line, and a folder as it was."""

import json
import signal
import subprocess
import sys

import pytest

from cli.running import FAST

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX")

ENDLESS = (*FAST, "--epochs", "100000", "--learning-rate", "0.0001", "--overwrite")
IN_A_CALLBACK = """
import ctypes, os, signal, time
from w2v_cli.cli import app

app._raise_on_signals()
ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(1))()
time.sleep(100)
"""


def start_training(program, *options, first=""):
    """Start an endless training and return its process once the second epoch is over."""
    process = program.start("train", "text.txt", *ENDLESS, *options, first=first)
    for line in process.stderr:
        if line.startswith("epoch 2 of"):
            return process
    raise AssertionError("the training ended by itself")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_training_tidily(w2v, name):
    """The exit code is 128 + the signal, stderr ends with one line, the old output is intact, no file is left over."""
    w2v.write("w2v.safetensors", "precious")
    before = w2v.files()
    process = start_training(w2v)

    process.send_signal(getattr(signal, name))
    out, told = process.communicate(timeout=30)

    others = [line for line in told.splitlines() if not line.endswith(" left")]
    assert process.returncode == 128 + getattr(signal, name)
    assert others == [f"error: stopped by {name}."]
    assert out == ""
    assert w2v.files() == before


def test_a_signal_is_an_object_for_a_script(w2v):
    """With --json a stopped training writes one object."""
    process = start_training(w2v, "--json")

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)

    [line] = out.splitlines()
    assert json.loads(line)["error"] == {"exit_code": 143, "message": "stopped by SIGTERM."}


def test_an_ignored_signal_stays_ignored(w2v):
    """Under nohup, which has SIGHUP ignored, a hang-up does not end the training."""
    process = start_training(w2v, first="import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)")

    process.send_signal(signal.SIGHUP)
    went_on = any(line.startswith("epoch 100 of") for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert went_on
    assert process.returncode == 143


def test_a_signal_in_a_callback_of_c_is_not_lost():
    """Python drops an exception that is raised while C code calls back (LLVM does); the signal comes again."""
    command = [sys.executable, "-c", IN_A_CALLBACK]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)

    assert done.returncode == 143, done.stderr
    assert done.stderr == ""
