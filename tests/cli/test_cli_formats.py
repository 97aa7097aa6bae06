"""`w2v export` and `w2v import` as they are typed."""

import gzip
import json

import pytest

from cli.running import the_error

GLOVE = "the 0.5 -1\nsea 2 0.1\n"


def test_vectors_go_out_and_come_back(asked):
    """The name says the format; a note says what was done; stdout stays empty."""
    done = asked.run("export", "w2v.safetensors", "x.vec")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "x.vec: 18 words of 4 dimensions as fastText's .vec, float32.\n"

    done = asked.run("import", "x.vec", "-o", "y.safetensors")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "y.safetensors: 18 words of 4 dimensions from word2vec's text, float16.\n"
    answers = [asked.run("similar", "king", "-v", name).stdout for name in ("w2v.safetensors", "y.safetensors")]
    assert answers[0] == answers[1] != ""


def test_stdin_is_imported_and_asked(w2v):
    """A pipe is read once, and what rounding did is told."""
    done = w2v.run("import", "-", input=GLOVE)

    assert (
        done.stderr
        == "w2v.safetensors: 2 words of 2 dimensions from GloVe's text, float16, rounded by 2.4e-05 at the most.\n"
    )
    assert w2v.run("similar", "the", "--json").returncode == 0
    assert json.loads(w2v.run("info", "--json").stdout)["metadata"]["imported"]["format"] == "glove"


def test_float32_is_kept_where_it_is_asked_for(w2v):
    """`info` says what the numbers are."""
    w2v.write("x.txt.gz", gzip.compress(GLOVE.encode()))

    assert w2v.run("import", "x.txt.gz", "-o", "y", "--dtype", "float32").returncode == 0
    assert "number_format: float32" in w2v.run("info", "y").stdout
    assert w2v.run("vector", "sea", "-v", "y").stdout == "sea\t2.0\t0.1\n"


@pytest.mark.parametrize("command", [["export", "w2v.safetensors", "out.vec"], ["import", "in.txt", "-o", "out.vec"]])
def test_an_output_that_exists_is_kept(asked, command):
    """Unless --overwrite is given."""
    asked.write("in.txt", GLOVE)
    asked.write("out.vec", "mine")

    assert "out.vec exists already and is kept" in the_error(asked.run(*command), 2)
    assert (asked.folder / "out.vec").read_text() == "mine"
    assert asked.run(*command, "--overwrite").returncode == 0
    assert (asked.folder / "out.vec").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["export", "w2v.safetensors", "x.txt"], 2, "does not say its format: give --format, one of word2vec, "),
        (["export", "w2v.safetensors", "x.vec.gz"], 2, "x.vec.gz: w2v writes no compressed exports: leave out .gz"),
        (["export", "w2v.safetensors", "x", "--format", "vec"], 2, "--format 'vec' is none: there are word2vec, "),
        (
            ["export", "w2v.safetensors", "x.bin", "--dtype", "int8"],
            2,
            "--dtype int8: word2vec's binary file is written",
        ),
        (["export", "w2v.safetensors", "none/x.bin"], 6, "cannot write none/x.bin"),
        (["export", "none", "x.bin"], 4, "none does not exist"),
        (["import", "none"], 4, "none does not exist: name a file of vectors, or - for stdin."),
        (["import", "text.txt"], 4, "text.txt begins like no format that w2v imports"),
        (["import", "bad.txt"], 4, "bad.txt, line 2: 'x' is no number, and 2 are to follow its word."),
        (["import", "bad.txt", "-o", "none/y"], 6, "cannot write none/y"),
        (["import", "."], 4, "vectors.tsv does not exist: name a file of vectors, or - for stdin."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_line(asked, arguments, exit_code, message):
    """With the exit code that says whose fault it is, and nothing left behind."""
    asked.write("bad.txt", "the 0.5 -1\nsea 2 x\n")
    before = asked.files()

    assert message in the_error(asked.run(*arguments, *(["--overwrite"] * ("-o" not in arguments))), exit_code)
    assert asked.files() == before


def test_a_format_that_can_be_imported_is_told_so(w2v):
    """Who asks another tool's file hears what makes it one of w2v."""
    w2v.write("x.vec", "2 2\n" + GLOVE)

    assert "`w2v import x.vec` makes one of it" in the_error(w2v.run("similar", "the", "-v", "x.vec"), 4)
