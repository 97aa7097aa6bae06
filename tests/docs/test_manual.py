"""The man page says what the commands say of themselves, and is one that `man` can show."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "man" / "w2v.1"
MANDOC = shutil.which("mandoc")


@pytest.mark.skipif(MANDOC is None, reason="there is no mandoc: that the man page is sound was NOT checked")
def test_man_page_is_sound():
    """Mandoc finds no error in it; it has no date, which would make each build another one."""
    done = subprocess.run([MANDOC, "-Tlint", str(PAGE)], capture_output=True, text=True, check=False)

    problems = [line for line in done.stdout.splitlines() if "STYLE" not in line and "missing date" not in line]
    assert problems == []


@pytest.mark.skipif(MANDOC is None, reason="there is no mandoc: what the man page shows was NOT checked")
def test_man_page_shows_every_command_as_it_is_typed():
    """Commands and options come out with their hyphens, so that they can be copied."""
    done = subprocess.run([MANDOC, "-Tascii", str(PAGE)], capture_output=True, text=True, check=True)

    plain = re.sub(".\b", "", done.stdout)  # bold is a letter over itself
    for shown in ("w2v train [OPTIONS] CORPUS", "w2v config show", "--min-count N", "--json < words.txt"):
        assert shown in plain, shown
