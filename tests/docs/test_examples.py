"""The scripts of examples/ do what they say, as a whole, with a shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from w2v_cli.datasets import demo

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.skipif(not demo.is_installed(), reason='the extra "demo" is not installed: the study was NOT run')
def test_the_study_compares_two_centuries(tmp_path):
    """Phrases, two trainings, neighbours side by side, a score, losses and a map: every step gives what it names."""
    shell = shutil.which("sh")
    if shell is None:
        pytest.skip("there is no sh: the study was NOT run")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    done = subprocess.run(
        [shell, EXAMPLES / "study.sh", tmp_path / "study"],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"PATH": path},
    )

    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert len([row for row in rows if row[0] in {"labor", "war", "business"}]) == 15
    [scores] = [row for row in rows if row[:2] == ["plurals.txt", "all"]]
    assert 0 < float(scores[3]) < 1
    losses = [line.split("\t") for line in (tmp_path / "study" / "losses.tsv").read_text(encoding="utf-8").splitlines()]
    assert [(row[0], row[1]) for row in losses] == [(f"{c}.jsonl", str(n)) for c in (18, 19) for n in range(1, 6)]
    page = (tmp_path / "study" / "map.html").read_text(encoding="utf-8")
    assert "Words of US presidents, 1900-1999" in page
