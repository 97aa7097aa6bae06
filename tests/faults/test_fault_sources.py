"""Texts that are missing, that change, that can be read once (faults 22, 23 and what stdin may do)."""

import gzip
import json
import os
import signal
import subprocess

import pytest

from cli.running import FAST, TEXT, the_error


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        ("no-such.txt", "no file and no corpus (demo, ptb) is called 'no-such.txt'; check the path."),
        ("none/*.txt", "the pattern 'none/*.txt' matches no file"),
        ("folder", "the folder folder holds no text"),
        ("ptb", "the corpus ptb is not downloaded; run `w2v download ptb`."),
    ],
)
def test_a_missing_corpus_is_named(w2v, corpus, expected):
    """A corpus that is not there, or a folder without text, ends with exit code 3 and says what to do."""
    w2v.write("folder/.hidden/text.txt", TEXT)
    w2v.write("folder/empty.txt", "")
    w2v.write("folder/old.safetensors", b"\x40" + bytes(7) + b'{"__metadata__":{}}')
    before = w2v.files()

    message = the_error(w2v.run("train", corpus, *FAST), 3)

    assert expected in message
    assert w2v.files() == before


def test_an_evaluation_set_is_no_corpus(w2v):
    """The name of an evaluation set in place of a corpus is a mistake in usage."""
    assert "evaluation set" in the_error(w2v.run("train", "wordsim353", *FAST), 2)


def test_files_folders_patterns_and_stdin_are_one_text(w2v):
    """All of them together have the words of one file with all the lines; what is no text in a folder is told."""
    w2v.write("folder/a/1.txt", TEXT)
    w2v.write("folder/2.txt.gz", gzip.compress(TEXT.encode()))
    w2v.write("folder/image.txt", b"\x89PNG\r\n\x1a\n")
    w2v.write("more-3.txt", TEXT.removesuffix("\n"))

    done = w2v.run("train", "text.txt", "folder", "more-*.txt", "-", *FAST, "--json", input=TEXT)

    assert done.returncode == 0, done.stderr
    assert "Corpus: text.txt, folder/2.txt.gz, folder/a/1.txt and 3 more files\n" in done.stderr
    assert "warning: left out of the corpus: folder/image.txt is a PNG image" in done.stderr
    assert "\n5 files, " in done.stderr
    assert "; also: 1 file of other data\n" in done.stderr
    assert json.loads(done.stdout)["corpus"]["words"] == 5 * 810
    assert "source: text.txt, folder, more-*.txt, stdin\n" in w2v.run("info").stdout


def test_stdin_is_named_once(w2v):
    """It can be read once: twice is a mistake in usage."""
    assert "stdin (-) can be read only once" in the_error(w2v.run("train", "-", "text.txt", "-", *FAST), 2)


def test_stdin_without_words_is_refused(w2v):
    """An empty stdin and a closed one end with exit code 3."""
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *w2v.command("train", "-", *FAST)]
    done = subprocess.run(
        closed, check=False, capture_output=True, encoding="utf-8", cwd=w2v.folder, env=w2v.environment
    )

    assert "the corpus holds no words" in the_error(w2v.run("train", "-", *FAST), 3)
    assert "stdin is closed" in the_error(done, 3)


@pytest.fixture
def slow_stdin():
    """Yield both ends of a pipe that does not wait for its writer, as some programs leave theirs."""
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    try:
        yield receiver, sender
    finally:
        os.close(receiver)
        os.close(sender)


def test_a_stdin_that_does_not_wait_is_waited_for(w2v, slow_stdin):
    """Where there is nothing to read yet, that is not the end."""
    receiver, sender = slow_stdin
    with w2v.started("train", "-", *FAST, stdin=receiver) as process:
        assert process.stderr.readline() == "Corpus: stdin\n"
        os.write(sender, TEXT.encode())
        os.dup2(os.open(os.devnull, os.O_WRONLY), sender)  # closes the pipe's last writing end
        _, said = process.communicate()

    assert process.returncode == 0, said
    assert said.startswith("Read 810 words")


def test_waiting_for_stdin_can_be_interrupted(w2v, slow_stdin):
    """Ctrl-C while nothing comes ends the program at once, with exit code 130 and nothing left behind."""
    before = w2v.files()
    with w2v.started("train", "-", *FAST, stdin=slow_stdin[0]) as process:
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in said
    assert w2v.files() == before


@pytest.mark.fault(22)
@pytest.mark.parametrize("change", ["file.write(b'more')", "file.truncate(9)"])
def test_a_text_that_changes_while_it_is_read_is_refused(w2v, change):
    """One of several files that somebody writes to, or cuts, ends the run with exit code 3; it is named."""
    first = f"""
import w2v_cli.corpus.sources as s
read = s._File.read
def read_and_change(self, size):
    data = read(self, size)
    if self._source.place == "b.txt" and data:
        with open("b.txt", "ab") as file: {change}
    return data
s._File.read = read_and_change
"""
    w2v.write("b.txt", TEXT)

    message = the_error(w2v.run("train", "text.txt", "b.txt", "text.txt", *FAST, first=first), 3)

    assert message == "b.txt changed while it was read: try again when no other program writes to it."
    assert "w2v.safetensors" not in w2v.files()


@pytest.mark.fault(46)
@pytest.mark.parametrize("missing", ["fsspec", "aiohttp"])
def test_without_the_extra_remote_the_way_to_it_is_told(w2v, missing):
    """A URL without the packages for it ends with exit code 9 and the install command."""
    no_package = f"import sys\nsys.modules[{missing!r}] = None"

    message = the_error(w2v.run("train", "https://127.0.0.1:9/x.txt", *FAST, first=no_package), 9)

    assert 'pip install "w2v-cli[remote]"' in message
    assert "x.txt" in message


@pytest.mark.fault(32)
def test_an_address_where_nobody_answers_is_told(w2v):
    """After some tries a URL that cannot be reached ends with exit code 5, and nothing is left behind."""
    pytest.importorskip("aiohttp", reason="the extra remote is not installed: NOT run")
    pytest.importorskip("fsspec", reason="the extra remote is not installed: NOT run")
    at_once = "import w2v_cli.corpus.urls as r\nr._RETRY_SECONDS = (0.0,)"
    before = w2v.files()

    message = the_error(w2v.run("train", "http://me:secret@127.0.0.1:9/x.txt", *FAST, first=at_once), 5)

    assert message.startswith("cannot read http://127.0.0.1:9/x.txt: ")
    assert "secret" not in message
    assert w2v.files() == before
