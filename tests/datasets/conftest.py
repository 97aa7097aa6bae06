"""Fixtures: a scripted server, where its file goes, and what a download tells."""

import pytest

from downloading import Recorder
from http_server import running_server


@pytest.fixture
def server(monkeypatch):
    """Return a running ScriptedServer, asked directly whatever proxy the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_server() as running:
        yield running


@pytest.fixture
def destination(tmp_path):
    """Return where the file is to go, in a folder that does not exist yet."""
    return tmp_path / "data" / "file.txt"


@pytest.fixture
def recorder():
    return Recorder()
