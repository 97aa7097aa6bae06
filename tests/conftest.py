"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of the developers' real data; skip where it is absent."""
    folder = Path(os.environ.get("W2V_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder} (W2V_TEST_DATA names another place): this check was NOT run")
    return folder
