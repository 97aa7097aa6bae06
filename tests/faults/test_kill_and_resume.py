"""The short form of benchmarks/kill_and_resume.py: some kills at random instants of a training."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills and forks are those of Linux: NOT tried")

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "kill_and_resume.py"
SETTINGS = (
    "--deterministic",
    "--dim",
    "4",
    "--epochs",
    "20",
    "--set",
    "training.backend=numpy",
    "--snapshot-every",
    "1w",
)
KILLS = 12


@pytest.mark.fault(1, 2)
def test_nothing_is_lost_by_kills_at_random_instants(fork):
    """Each time the last snapshot loads, and every training that comes to its end gives the same bytes."""
    specification = importlib.util.spec_from_file_location("kill_and_resume", SCRIPT)
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    instants = random.Random(3)  # noqa: S311  no secret
    trial = script.Trial(fork.folder, SETTINGS, instants, lambda _, arguments: fork.started(*arguments))
    trial.prepare(words=2000)
    while trial.counts["kills"] < KILLS:
        trial.kill_and_check()
    trial.finish()

    report = trial.report()
    assert report["losses"] == []
    assert report["kills"] == KILLS == report["snapshots_loaded"] + report["kills_before_the_first_snapshot"]
    assert report["equal_files"] > 0
