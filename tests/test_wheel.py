"""What pip installs: the wheel, built from the source distribution, works away from the source tree."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Return the wheel that is built from the source distribution, with the build tools that are installed here."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """Return a function that runs Python on the unpacked wheel: our code from there, its dependencies from here."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)

    def run(*arguments, cwd):
        environment = {**os.environ, "PYTHONPATH": str(folder), "W2V_DATA_DIR": str(cwd / "data")}
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)

    return run


def test_the_wheel_holds_what_the_program_reads(wheel):
    """The configs, the table of datasets, the mark of typed packages, the man page and the licence are inside."""
    names = zipfile.ZipFile(wheel).namelist()

    for name in ("configs/book-cbow.yaml", "configs/book-skipgram.yaml", "configs/default.yaml"):
        assert f"w2v_cli/{name}" in names
    assert "w2v_cli/datasets/datasets.yaml" in names
    assert {"w2v_cli/visual/word_map/assets/map.html", "w2v_cli/visual/word_map/assets/main.js"} <= set(names)
    assert {"w2v_cli/py.typed", "w2v_cli/kernels/block/block.cu"} <= set(names)
    assert any(name.endswith(".data/data/share/man/man1/w2v.1") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_trains_and_answers_away_from_the_source_tree(installed, tmp_path):
    """Code of the wheel, run in an empty folder, trains with a shipped config by its name and answers a question."""
    (tmp_path / "text.txt").write_text("the cat sat on the mat and the dog sat on the rug\n" * 50, encoding="utf-8")

    where = installed("-c", "import w2v_cli; print(w2v_cli.__file__)", cwd=tmp_path)
    options = ["--config", "book-skipgram", "--epochs", "1", "--dim", "8", "--window", "1"]
    trained = installed("-m", "w2v_cli", "train", "text.txt", *options, cwd=tmp_path)
    asked = installed("-m", "w2v_cli", "similar", "cat", "--top", "2", cwd=tmp_path)

    assert str(ROOT) not in where.stdout
    assert trained.returncode == 0, trained.stderr
    assert len(asked.stdout.splitlines()) == 2
