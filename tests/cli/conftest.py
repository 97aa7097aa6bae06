"""Fixtures: the program in an empty home, a text, and vectors that were trained once."""

import shutil

import pytest

from cli.running import FAST, TEXT, make_program


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
