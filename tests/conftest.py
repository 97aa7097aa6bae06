"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("w2v", deadline=None)  # no test is timed: compiled code is loaded at its first call
settings.load_profile("w2v")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of the developers' real data; skip where it is absent."""
    folder = Path(os.environ.get("W2V_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder} (W2V_TEST_DATA names another place): this check was NOT run")
    return folder
