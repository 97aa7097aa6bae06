"""Fixtures that every test may use."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from cli.running import FAST, TEXT, make_program
from cycle_text import write_cycle_text
from s3_server import serve_texts

settings.register_profile("w2v", deadline=None)  # no test is timed: compiled code is loaded at its first call
settings.load_profile("w2v")

ROOT = Path(__file__).resolve().parents[1]
_MARKED = {  # folders and files whose tests have a marker in common; those of cli/ start a process each
    "cluster": "cluster",
    "gpu": "gpu",
    **dict.fromkeys(("bench", "cli", "compatibility", "docs", "faults"), "slow"),
    **dict.fromkeys(("test_wheel.py", "test_phrases.py", "test_remote_s3.py", "test_memory.py"), "slow"),
    **dict.fromkeys(("test_public_surface.py", "test_asking.py"), "slow"),
}


def pytest_collection_modifyitems(items):
    """Mark the tests of a folder that are of one kind."""
    for item in items:
        for part in item.path.relative_to(ROOT).parts[1:]:
            if part in _MARKED:
                item.add_marker(_MARKED[part])


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of the developers' real data; skip where it is absent."""
    folder = Path(os.environ.get("W2V_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder} (W2V_TEST_DATA names another place): this check was NOT run")
    return folder


@pytest.fixture
def data_folder(tmp_path):
    """Return a folder without any dataset in it."""
    return tmp_path / "data"


@pytest.fixture
def topics_text(tmp_path):
    """Return a text of two topics of eight words, each line of one."""
    rng = np.random.default_rng(3)
    lines = [" ".join(f"{topic}{word}" for word in rng.integers(0, 8, 10)) for topic in ["sea", "sky"] * 150]
    path = tmp_path / "topics.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def cycle_text(tmp_path_factory):
    """Return a text of 21,000 words whose words of one class are alike in their contexts alone."""
    path = tmp_path_factory.mktemp("quality") / "cycle.txt"
    write_cycle_text(path)
    return path


@pytest.fixture(scope="session")
def zipf_text(tmp_path_factory):
    """Return a text of 60 sentences of 9 words out of 20, some of them frequent."""
    words = np.random.default_rng(2).zipf(1.4, size=(60, 9)) % 20
    path = tmp_path_factory.mktemp("zipf") / "x.txt"
    path.write_text("\n".join(" ".join(f"w{word}" for word in sentence) for sentence in words), encoding="utf-8")
    return path


@pytest.fixture
def w2v(tmp_path):
    """Return the Program with nothing in its folder but text.txt."""
    program = make_program(tmp_path)
    program.write("text.txt", TEXT)
    return program


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return the path of vectors that were trained on TEXT once, by the command."""
    program = make_program(tmp_path_factory.mktemp("trained"))
    program.write("text.txt", TEXT)
    done = program.run("train", "text.txt", *FAST)
    assert done.returncode == 0, done.stderr
    return program.folder / "w2v.safetensors"


@pytest.fixture
def asked(w2v, trained):
    """Return the Program with w2v.safetensors in its folder: ready to be asked."""
    shutil.copyfile(trained, w2v.folder / "w2v.safetensors")
    return w2v


@pytest.fixture(scope="module")
def s3_store():
    """Yield the environment that leads to a store with texts, and its file system; skip where none can be run."""
    with serve_texts() as store:
        yield store
