"""Texts that are missing, odd or too small, and outputs in the way: the exit code, one line, nothing half-written."""

import pytest

from cli.running import FAST, TEXT, the_error

PARAGRAPH = TEXT.encode()


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        (b"", "the corpus holds no words"),
        (b"... --- !!!", "the corpus holds no words"),
        (b"sea sea sea sea sea sea", "needs at least 2 different words"),
        (b"the sea the sea a the", "the most frequent, 'the', occurs 3 times: lower --min-count"),
        ("the sea".encode("utf-16"), "is UTF-16 and UTF-8 is needed"),
        (b"sea\nthe\n" * 9, "no word of the corpus has a neighbour"),
    ],
    ids=["empty", "no word", "one word", "all rare", "utf-16", "no neighbours"],
)
def test_a_text_of_no_use_is_refused(w2v, corpus, expected):
    """A text that nothing can be learned from ends with exit code 3 and leaves the folder as it was."""
    w2v.write("corpus.txt", corpus)
    before = w2v.files()

    message = the_error(w2v.run("train", "corpus.txt", *FAST), 3)

    assert expected in message
    assert w2v.files() == before


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        ("no-such.txt", "neither a file nor a corpus name (demo, ptb)"),
        (".", "is a folder: name a text file"),
        ("ptb", "run `w2v download ptb` first"),
    ],
)
def test_a_missing_corpus_is_named(w2v, corpus, expected):
    """A corpus that is not there ends with exit code 3 and says what to do."""
    before = w2v.files()

    message = the_error(w2v.run("train", corpus, *FAST), 3)

    assert expected in message
    assert w2v.files() == before


def test_an_evaluation_set_is_no_corpus(w2v):
    """The name of an evaluation set in place of a corpus is a mistake in usage."""
    assert "evaluation set" in the_error(w2v.run("train", "wordsim353", *FAST), 2)


def test_invalid_utf8_is_replaced_with_a_warning(w2v):
    """Bytes that are no UTF-8 are read as U+FFFD and counted in one warning, also when quiet."""
    w2v.write("corpus.txt", b"the \xff sea \xfe\n" + PARAGRAPH)

    done = w2v.run("train", "corpus.txt", *FAST, "-q")

    assert done.returncode == 0
    assert done.stderr.startswith("warning: corpus.txt is not UTF-8 in 2 places")
    assert len(done.stderr.splitlines()) == 1


def test_invalid_utf8_is_refused_when_strict(w2v):
    """`corpus.invalid_utf8=strict` stops at the first such byte and tells its offset."""
    w2v.write("corpus.txt", PARAGRAPH + b"the \xff sea")
    before = w2v.files()

    message = the_error(w2v.run("train", "corpus.txt", *FAST, "--set", "corpus.invalid_utf8=strict"), 3)

    assert f"not UTF-8 at byte {len(PARAGRAPH) + 4:,}" in message
    assert w2v.files() == before


@pytest.mark.parametrize(
    "corpus",
    [
        PARAGRAPH.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PARAGRAPH,
        PARAGRAPH.replace(b" sat ", b"\0sat\0"),
        PARAGRAPH + b"x" * 3_000_000,
    ],
    ids=["CRLF", "BOM", "NUL", "huge word"],
)
def test_odd_bytes_do_no_harm(w2v, corpus):
    """Line ends of Windows, a byte order mark, NUL bytes and an endless word leave the vocabulary as it is."""
    w2v.write("corpus.txt", corpus)

    done = w2v.run("train", "corpus.txt", *FAST)

    assert done.returncode == 0
    assert "; kept 18 words with 810 occurrences" in done.stderr


def test_an_existing_output_is_kept(w2v):
    """An output that exists is refused before any work, and the way to replace it named."""
    w2v.write("w2v.safetensors", "precious")
    before = w2v.files()

    done = w2v.run("train", "text.txt", *FAST)

    assert "give --overwrite" in the_error(done, 2)
    assert len(done.stderr.splitlines()) == 1
    assert w2v.files() == before


@pytest.mark.parametrize("output", ["missing/w2v.safetensors", "text.txt/w2v.safetensors", ".", "data/"])
def test_an_output_that_cannot_be_written_is_found_before_training(w2v, output):
    """A folder that is missing, or that is none, ends with exit code 6 before the corpus is looked for."""
    w2v.write("data/kept.txt", "")
    before = w2v.files()

    done = w2v.run("train", "text.txt", *FAST, "--output", output, "--overwrite")

    assert "cannot write" in the_error(done, 6)
    assert len(done.stderr.splitlines()) == 1
    assert w2v.files() == before


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
    locked = "import w2v_cli.pipeline as p\ndef refuse(*_, **__): open('text.txt/x')\np.train_vectors = refuse"

    message = the_error(w2v.run("train", "text.txt", *FAST, first=locked), 6)

    assert message == "text.txt/x: Not a directory; check the name, permissions and disk."


def test_running_out_of_memory_is_told(w2v):
    """MemoryError ends with exit code 6 and what would need less."""
    no_memory = "import w2v_cli.pipeline as p\ndef full(*_, **__): raise MemoryError\np.train_vectors = full"

    message = the_error(w2v.run("train", "text.txt", *FAST, first=no_memory), 6)

    assert "--dim" in message
