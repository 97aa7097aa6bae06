"""What the machine around the program is like: locales, file names, a cache that cannot be written. Rows 47, 48."""

import json
import os
import sys

import pytest

from cli.running import FAST


@pytest.mark.fault(48)
@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}], ids=str)
def test_output_is_utf8_in_every_locale(asked, variables):
    """Words with accents are understood and come out as UTF-8, whatever the locale says."""
    listed = asked.run("similar", "king", "--top", "18", env=variables)
    unknown = asked.run("analogy", "río", "rí", "king", env=variables)

    assert listed.returncode == 0, listed.stderr
    assert "río\t" in listed.stdout
    assert unknown.stderr == "error: 'rí' is not in the vocabulary (18 words). Did you mean 'río'?\n"


@pytest.mark.fault(48)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows any byte in a file name")
def test_a_file_name_that_is_no_unicode_works(w2v):
    """A corpus and an output whose names are no UTF-8 are read, written, told and put into JSON."""
    w2v.write(os.fsdecode(b"c\xff.txt"), w2v.files()["text.txt"])
    output = os.fsdecode(b"v\xff")

    done = w2v.run("train", os.fsdecode(b"c\xff.txt"), *FAST, "--output", output, "--json")

    assert done.returncode == 0, done.stderr
    assert "Corpus: c\\udcff.txt\n" in done.stderr
    assert json.loads(done.stdout)["output"] == output
    assert output in w2v.files()


@pytest.mark.fault(47)
def test_a_cache_that_cannot_be_written_is_warned_of(w2v):
    """Where compiled code cannot be kept, a temporary folder serves, with one warning."""
    w2v.write("no-folder", "")
    variables = {
        "NUMBA_CACHE_DIR": None,
        "XDG_CACHE_HOME": str(w2v.folder / "no-folder"),
        "TMPDIR": str(w2v.folder.parent),
    }

    done = w2v.run("train", "text.txt", "--dim", "4", "--epochs", "1", "--algorithm", "minibatch", "-q", env=variables)

    [line] = done.stderr.splitlines()
    assert done.returncode == 0
    assert line.startswith("warning: cannot keep compiled code in ")
