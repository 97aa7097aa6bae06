"""Outputs in the way, and trainings that go wrong: the exit code, one line, nothing half-written."""

import pytest

from cli.running import FAST, the_error


@pytest.mark.fault(49)
def test_an_existing_output_is_kept(w2v):
    """An output that exists is refused before any work, and the way to replace it named."""
    w2v.write("w2v.safetensors", "precious")
    before = w2v.files()

    done = w2v.run("train", "text.txt", *FAST)

    assert "Use --overwrite" in the_error(done, 2)
    assert len(done.stderr.splitlines()) == 1
    assert w2v.files() == before


@pytest.mark.fault(31)
@pytest.mark.parametrize("output", ["missing/w2v.safetensors", "text.txt/w2v.safetensors", ".", "data/"])
def test_an_output_that_cannot_be_written_is_found_before_training(w2v, output):
    """A folder that is missing, or that is none, ends with exit code 6 before the corpus is looked for."""
    w2v.write("data/kept.txt", "")
    before = w2v.files()

    done = w2v.run("train", "text.txt", *FAST, "--output", output, "--overwrite")

    assert "cannot write" in the_error(done, 6)
    assert len(done.stderr.splitlines()) == 1
    assert w2v.files() == before


@pytest.mark.fault(44)
def test_a_training_that_diverges_writes_nothing(w2v):
    """A loss that is no number any more ends with exit code 1, the remedy named, an existing output untouched."""
    w2v.write("w2v.safetensors", "precious")
    before = w2v.files()

    done = w2v.run("train", "text.txt", *FAST, "--learning-rate", "10", "--epochs", "50", "--overwrite")

    assert "--learning-rate" in the_error(done, 1)
    assert w2v.files() == before


def test_the_plot_s_ending_is_checked_before_training(w2v):
    """A picture of a kind that is not drawn is refused, and nothing is trained."""
    pytest.importorskip("matplotlib", reason="without matplotlib --plot is refused for that: NOT run")
    before = w2v.files()

    message = the_error(w2v.run("train", "text.txt", *FAST, "--plot", "loss.gif"), 2)

    assert ".png, .svg, .pdf" in message
    assert w2v.files() == before


def test_what_the_system_refuses_is_told(w2v):
    """An error of the system that no stage has words for is no bug: exit code 6, the file, the system's words."""
    locked = "import w2v_cli.pipeline.train as p\ndef refuse(*_, **__): open('text.txt/x')\np.train_vectors = refuse"

    message = the_error(w2v.run("train", "text.txt", *FAST, first=locked), 6)

    assert message == "text.txt/x: Not a directory; check the name, the permissions and the disk."


@pytest.mark.fault(43)
def test_running_out_of_memory_is_told(w2v):
    """MemoryError ends with exit code 6 and what would need less."""
    no_memory = "import w2v_cli.pipeline.train as p\ndef full(*_, **__): raise MemoryError\np.train_vectors = full"

    message = the_error(w2v.run("train", "text.txt", *FAST, first=no_memory), 6)

    assert "--dim" in message
