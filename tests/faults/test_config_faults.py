"""A config with every kind of mistake. Rows 28 to 30."""

import pytest

MISTAKES = """\
training:
  epochs: 3
  epochs: 4
  learning_rate: -0.1
  batch_sise: 7
model: [1]
sampling:
  exponent: .nan
  seed: "one"
  negatives: *few
"""


@pytest.mark.fault(28, 29, 30)
def test_all_mistakes_in_a_file_are_told_at_once(w2v):
    """Duplicate and unknown keys, wrong types, NaN and aliases come together, each with file, line and column."""
    w2v.write("bad.yaml", MISTAKES)
    before = w2v.files()

    done = w2v.run("train", "text.txt", "--config", "bad.yaml")

    places = [line.split(" ")[1] for line in done.stderr.splitlines()]
    assert done.returncode == 2
    assert [place.removeprefix("bad.yaml:") for place in places] == [
        "3:3",
        "4:18",
        "5:3",
        "6:8",
        "8:13",
        "9:9",
        "10:14",
    ]
    assert "did you mean training.batch_size?" in done.stderr
    assert "training.epochs: given twice, first in line 2" in done.stderr
    assert w2v.files() == before
