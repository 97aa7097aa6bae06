"""The stand-in for CuPy, in this process and in those of the command."""

import os
import subprocess
import sys
from pathlib import Path

import emulator
import pytest
import strict_cuda
import strict_cupy

HERE = Path(__file__).parent
TAKES_THE_PLACE = "import sys, strict_cupy; sys.modules['cupy'] = strict_cupy"


@pytest.fixture
def cupy(monkeypatch):
    """Return the stand-in, which `import cupy` finds during the test."""
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
    strict_cupy.counts.waits = strict_cupy.counts.uploads = 0
    strict_cuda.launches.clear()
    return strict_cupy


@pytest.fixture(scope="session")
def compiler(tmp_path_factory):
    """Let the emulator compile kernels into a folder of this run; skip where there is no compiler."""
    if emulator.find_compiler() is None:
        pytest.skip(emulator.NO_COMPILER)
    os.environ.setdefault("W2V_EMULATOR_CACHE", str(tmp_path_factory.getbasetemp().parent / "emulator"))


@pytest.fixture
def w2v(tmp_path):
    """Return a function that runs `w2v` in a process of its own in which `import cupy` finds the stand-in."""
    folder = tmp_path / "stand-in"
    folder.mkdir()
    (folder / "cupy.py").write_text(TAKES_THE_PLACE, encoding="utf-8")
    paths = [str(folder), str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def run(*arguments):
        command = [sys.executable, "-c", "from w2v_cli.cli import main; main()", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run
