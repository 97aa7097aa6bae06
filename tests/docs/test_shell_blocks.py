"""The shell blocks of the README and the tutorials run as they stand, and print what stands below them.

Blocks marked `sh` are run in order, in an empty folder; a block marked `output` is what the one before it prints.
Blocks marked `text` are not run: here they install packages, and nothing else.
"""

import os
import re
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from w2v_cli.datasets import demo

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "index.md", *sorted((ROOT / "docs" / "tutorial").glob("*.md"))]
ON_DEMO = [page for page in PAGES if page.name != "from-the-book.md"]
TRAINING = "w2v train demo --deterministic\n"  # run once for all pages, as it gives the same bytes
SHELL = shutil.which("sh")

pytestmark = pytest.mark.skipif(SHELL is None, reason="there is no sh: the blocks of the documents were NOT run")


def blocks_of(page):
    """Return the fenced blocks of a page: (language, content)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(block, folder, **environment):
    """Return what a block prints to stdout."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        [SHELL, "-eu", "-c", block],
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"PATH": path} | environment,
    )
    assert done.returncode == 0, (block, done.stderr)
    return done.stdout


def assert_prints(printed, expected):
    """Assert that lines have the same words, and numbers that differ by rounding at most."""
    found, wanted = ([line.split() for line in text.splitlines()] for text in (printed, expected))
    assert [len(fields) for fields in found] == [len(fields) for fields in wanted], (printed, expected)
    for have, want in zip(chain(*found), chain(*wanted), strict=True):
        is_number = re.fullmatch(r"-?\d+\.\d+", want)
        assert float(have) == pytest.approx(float(want), abs=0.002) if is_number else have == want, (printed, expected)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_whether_it_is_run(page):
    """Blocks are sh, output, python, or text that installs packages; none is indented, and none is unmarked."""
    kinds = {language for language, _ in blocks_of(page)}
    installing = [line for language, content in blocks_of(page) if language == "text" for line in content.splitlines()]

    assert kinds <= {"sh", "output", "python", "text"}
    assert [line for line in installing if not line.startswith("pip install ")] == []
    assert re.findall(r"\n\n {4}(?:\$ )?w2v ", page.read_text(encoding="utf-8")) == []


@pytest.mark.skipif(not demo.is_installed(), reason='the extra "demo" is not installed: the blocks were NOT run')
def test_blocks_run_and_print_what_the_pages_say(tmp_path):
    """Each page is pasted into an empty folder, from its first block to its last."""
    trained = tmp_path / "trained"
    trained.mkdir()
    run(TRAINING, trained, W2V_TRAINING__THREADS="1")  # the same bytes, and no thread that waits for a busy core
    for page in ON_DEMO:
        folder = tmp_path / page.stem
        folder.mkdir()
        printed = ""
        for language, content in blocks_of(page):
            if language == "output":
                assert_prints(printed, content)
            elif language == "sh":
                if content.startswith(TRAINING):
                    shutil.copytree(trained, folder, dirs_exist_ok=True)
                printed = run(content.removeprefix(TRAINING), folder)
    assert "Speeches and plays" in (tmp_path / "first-map" / "map.html").read_text(encoding="utf-8")


def test_the_books_tutorial_runs(shared_data, tmp_path):
    """Its blocks run on PTB with fewer epochs and dimensions; what is downloaded already is not fetched."""
    environment = {"W2V_DATA_DIR": str(tmp_path / "data"), "W2V_TRAINING__EPOCHS": "1", "W2V_MODEL__DIM": "10"}
    run(f"w2v download ptb --from '{shared_data / 'ptb'}'", tmp_path, **environment)
    for language, content in blocks_of(ROOT / "docs" / "tutorial" / "from-the-book.md"):
        if language == "sh":
            run(content, tmp_path, **environment)

    assert {"ptb.safetensors", "ptb-skipgram.safetensors", "loss.png"} <= {path.name for path in tmp_path.iterdir()}
