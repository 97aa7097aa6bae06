"""`w2v export` and `w2v import` as they are typed."""

import bz2
import gzip
import json
import lzma
import re
import sys

import pytest

from cli.running import NO_MOMENT, the_error

GLOVE = "the 0.5 -1\nsea 2 0.1\n"


def test_vectors_go_out_and_come_back(asked):
    """The name says the format; a note says what was done; stdout stays empty."""
    done = asked.run("export", "w2v.safetensors", "x.vec")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Wrote x.vec: 18 words, 4 dimensions, fastText's .vec, float32\n"

    done = asked.run("import", "x.vec", "-o", "y.safetensors")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Wrote y.safetensors: 18 words, 4 dimensions from word2vec's text, float16\n"
    answers = [asked.run("similar", "king", "-v", name).stdout for name in ("w2v.safetensors", "y.safetensors")]
    assert answers[0] == answers[1] != ""


def test_stdin_is_imported_and_asked(w2v):
    """A pipe is read once, and what rounding did is told."""
    done = w2v.run("import", "-", input=GLOVE)

    assert (
        done.stderr
        == "Wrote w2v.safetensors: 2 words, 2 dimensions from GloVe's text, float16, largest rounding error 2.4e-05\n"
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

    assert "out.vec already exists" in the_error(asked.run(*command), 2)
    assert (asked.folder / "out.vec").read_text() == "mine"
    assert asked.run(*command, "--overwrite").returncode == 0
    assert (asked.folder / "out.vec").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["export", "w2v.safetensors", "x.txt"], 2, "does not say its format; add --format with one of word2vec, "),
        (
            ["export", "w2v.safetensors", "x.npz.gz"],
            2,
            "x.npz.gz: NumPy's .npz cannot be compressed: its parts are looked up; ",
        ),
        (["export", "w2v.safetensors", "x.gz", "--format", "book"], 2, "its parts are looked up; drop .gz."),
        (
            ["export", "w2v.safetensors", "x", "--format", "vec"],
            2,
            "'vec' is not one of 'word2vec', 'word2vec-binary', ",
        ),
        (
            ["export", "w2v.safetensors", "x.bin", "--dtype", "int8"],
            2,
            "--dtype int8: word2vec's binary file can be written",
        ),
        (["export", "w2v.safetensors", "none/x.bin"], 6, "cannot write none/x.bin"),
        (["export", "none", "x.bin"], 4, "none not found; check the path, or train one: `w2v train TEXT`."),
        (["import", "none"], 4, "none not found; check the path, or use - to read stdin."),
        (["import", "text.txt"], 4, "text.txt looks like none of the formats that w2v imports"),
        (["import", "bad.txt"], 4, "bad.txt, line 2: 'x' is not a number; expected 2 after the word."),
        (["import", "bad.txt", "-o", "none/y"], 6, "cannot write none/y"),
        (["import", "."], 4, "vectors.tsv not found; check the path, or use - to read stdin."),
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

    assert "Convert it first: `w2v import x.vec -o x.safetensors`" in the_error(
        w2v.run("similar", "the", "-v", "x.vec"), 4
    )


@pytest.mark.parametrize(
    ("name", "magic"),
    [("x.vec.gz", b"\x1f\x8b"), ("x.bin.bz2", b"BZh"), ("x.glove.XZ", b"\xfd7zXZ"), ("x.txt.zst", b"\x28\xb5")],
)
def test_what_is_named_so_is_compressed(asked, name, magic):
    """By --format as by the name; it comes back as it was, and a second export gives the same bytes."""
    form = ["--format", "glove"] if name == "x.txt.zst" else []
    assert asked.run("export", "w2v.safetensors", name, *form).returncode == 0
    first = (asked.folder / name).read_bytes()
    assert asked.run("export", "w2v.safetensors", name, *form, "--overwrite").returncode == 0
    assert asked.run("import", name, "-o", "y.safetensors", "-q").returncode == 0

    assert first == (asked.folder / name).read_bytes()
    assert first.startswith(magic)
    words = [asked.run("vector", "king", "man", "-v", one).stdout for one in ("w2v.safetensors", "y.safetensors")]
    assert words[0] == words[1] != ""


@pytest.mark.parametrize("unpack", [gzip.decompress, bz2.decompress, lzma.decompress])
def test_others_unpack_it(asked, unpack):
    """Python's own readers give the same text as a plain export."""
    name = {"gzip": "x.vec.gz", "bz2": "x.vec.bz2", "lzma": "x.vec.xz"}[unpack.__module__]
    for out in (name, "x.vec"):
        assert asked.run("export", "w2v.safetensors", out, "-q").returncode == 0

    assert unpack((asked.folder / name).read_bytes()) == (asked.folder / "x.vec").read_bytes()


COMMANDS = {
    "export": (["export", "w2v.safetensors", "x.vec"], "writing x.vec"),
    "import": (["import", "in.txt", "-o", "x"], "writing x"),
    "map": (["map", "-o", "x"], "finding neighbours"),
}


@pytest.mark.parametrize(("command", "doing"), COMMANDS.values(), ids=COMMANDS)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows: NOT run")
def test_progress_is_a_bar_on_a_terminal(asked, command, doing):
    """What is done, and how much of it; not with --quiet, and not where all is done in a moment."""
    asked.write("in.txt", GLOVE)
    _, shown = asked.run_on_terminal(*command, first=NO_MOMENT)
    _, quiet = asked.run_on_terminal(*command, "--overwrite", "--quiet", first=NO_MOMENT)
    _, short = asked.run_on_terminal(*command, "--overwrite")

    assert re.search(rf"\r +\d+ % \|.*\| {doing}", shown)
    assert quiet == ""
    assert "\r" not in short
    assert len(short.splitlines()) <= 2  # wrapped at 80 columns


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS.values()], ids=COMMANDS)
def test_quiet_commands_say_nothing(asked, command):
    """Nor do others draw anything where stderr is no terminal."""
    asked.write("in.txt", GLOVE)
    often = f"{NO_MOMENT}; b._SECONDS_BETWEEN_LINES = 0"
    told = asked.run(*command, first=often)
    quiet = asked.run(*command, "--overwrite", "--quiet", first=often)

    assert len(told.stderr.splitlines()) == 1
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows: NOT run")
def test_one_is_no_plural(asked):
    """Of words, dimensions and whatever else is counted."""
    asked.write("in.txt", "king 1\n")

    assert "Wrote x: 1 word, 1 dimension from GloVe's text" in asked.run("import", "in.txt", "-o", "x").stderr
    assert "'kin' is not in the vocabulary (1 word)." in asked.run("similar", "kin", "-v", "x").stderr
