"""Numbers that no training can have, for every setting there is. Row 27."""

import math
import re

import pytest

from cli.running import the_error
from faults.limits import needs_linux
from w2v_cli.config.schema import FIELDS, Config

pytestmark = needs_linux()

DEFAULTS = {
    f"{section}.{name}": value for section, values in Config().model_dump().items() for name, value in values.items()
}
NUMBERS = [key for key, value in DEFAULTS.items() if isinstance(value, int | float) and not isinstance(value, bool)] + [
    "training.learning_rate"
]
NEVER = {"-1": -1.0, ".nan": math.nan, ".inf": math.inf, "-.inf": -math.inf, "1e400": math.inf}


def lines_of(done):
    """Return the lines of stderr, all of them errors, by the setting that each names."""
    lines = done.stderr.splitlines()
    assert all(line.startswith("error: --set ") for line in lines), done.stderr
    return {line.removeprefix("error: --set ").partition(": ")[0]: line for line in lines}


@pytest.mark.fault(27)
@pytest.mark.parametrize("value", NEVER)
def test_no_number_may_be_negative_or_not_finite(fork, value):
    """Each setting that is a number is told in a line of its own, with the value and what is allowed."""
    before = fork.files()

    done = fork.run("train", "text.txt", *(f"--set={key}={value}" for key in NUMBERS))

    told = lines_of(done)
    assert done.returncode == 2
    assert sorted(told) == sorted(set(NUMBERS))
    for key, line in told.items():
        assert "must be " in line, key
        assert ", was " in line, key
    assert fork.files() == before


@pytest.mark.fault(27)
def test_no_size_may_be_zero(fork):
    """Zero epochs, dimensions, threads of a window and the like are refused, each with its range."""
    sizes = ["model.dim", "model.window", "training.epochs", "training.batch_size", "training.learning_rate"]
    assert set(sizes) <= set(FIELDS)

    done = fork.run("train", "text.txt", *(f"--set={key}=0" for key in sizes))

    assert done.returncode == 2
    assert sorted(lines_of(done)) == sorted(sizes)
    for key, line in lines_of(done).items():
        assert re.search(r"must be (from 1 to|above 0 and at most) \d+( or null)?, was 0", line), key


@pytest.mark.fault(27)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("output.snapshot_every", "-5m"),
        ("output.snapshot_every", "nan"),
        ("training.time_limit", "-1s"),
        ("training.time_limit", "infs"),
        ("sampling.seed", "18446744073709551616"),
        ("model.dim", "1" * 5000),
    ],
)
def test_durations_and_huge_numbers_are_checked_as_well(fork, key, value):
    """A negative time, one that is no number, and whole numbers beyond every limit: exit 2, one short line."""
    message = the_error(fork.run("train", "text.txt", "--set", f"{key}={value}"), 2)

    assert message.startswith(f"--set {key}: ")
    assert len(message) < 300
