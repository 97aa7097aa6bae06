"""The way from the command line to the compiled kernel is short enough to follow."""

import json
import subprocess
import sys

# Runs `w2v train` with a kernel that notes the frames of ours above it, in the main thread and in its own.
PROGRAM = """
import json, sys, threading, time
from pathlib import Path
import w2v_cli
from w2v_cli.cli.app import run
from w2v_cli.kernels.block import engine

PACKAGE = str(Path(w2v_cli.__file__).parent)
found = []

def ours(frame):
    names = []
    while frame:
        if frame.f_code.co_filename.startswith(PACKAGE):
            names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names[::-1]

kernel = engine.train_span

def note(*arguments):
    if threading.current_thread() is not threading.main_thread() and not found:
        while (main := ours(sys._current_frames()[threading.main_thread().ident]))[-1] != "prefetch_calls":
            time.sleep(0.01)
        found.append(main + ours(sys._getframe(1)))
    return kernel(*arguments)

note.stats, note.py_func = kernel.stats, kernel.py_func
engine.train_span = note
sys.exit(run(json.loads(sys.argv[1])) or print(json.dumps(found[0]), file=sys.stderr))
"""


def test_seven_frames_lie_between_the_program_and_the_kernel(tmp_path):
    """Options, command, pipeline, loop, trainer, prefetching threads, engine: nothing only passes on."""
    text = tmp_path / "text.txt"
    text.write_text("the sea and the sky\nthe sky and the land\n" * 40, encoding="utf-8")
    command = ["train", str(text), "--output", str(tmp_path / "x"), "--epochs", "1", "--subsample", "0", "--quiet"]

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(command)], capture_output=True, text=True, check=True
    )

    program, options, *chain = json.loads(done.stderr.splitlines()[-1])
    assert (program, options) == ("run", "run")  # cli/app.py, cli/train_options.py
    assert chain == ["train", "train_vectors", "fit", "steps", "prefetch_calls", "train_span"]
