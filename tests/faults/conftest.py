"""Fixtures: `w2v` in cheap processes, a text, and a folder for each test."""

import pytest

from cli.running import TEXT, make_program
from faults.forking import forking


@pytest.fixture(scope="session")
def _parent(tmp_path_factory):
    """Return the process whose children run `w2v`, in an environment that says nothing of the user."""
    with forking(make_program(tmp_path_factory.mktemp("faults")).environment) as parent:
        yield parent


@pytest.fixture
def fork(_parent, tmp_path):
    """Return a Fork whose folder holds nothing but text.txt."""
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    _parent.folder = tmp_path
    return _parent
