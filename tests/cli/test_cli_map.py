"""`w2v map`: the page it leaves, what it tells, what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest

from cli.running import the_error
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors


def test_a_page_is_written(asked):
    """Without options the page is map.html, stdout stays empty, and the same vectors give the same bytes."""
    first = asked.run("map")
    second = asked.run("map", "-o", "again.html")

    assert (first.returncode, first.stdout) == (second.returncode, "") == (0, "")
    assert "Wrote map.html: 18 words, " in first.stderr
    page = (asked.folder / "map.html").read_bytes()
    assert page == (asked.folder / "again.html").read_bytes()
    assert page.startswith(b"<!doctype html>")
    assert b"<h1>w2v</h1>" in page


def test_options_reach_the_page(asked):
    """Words, neighbours, clusters, title and seed are as asked for."""
    numbers = ["--words", "6", "--neighbours", "2", "--clusters", "2", "--seed", "7"]
    done = asked.run("map", *numbers, "--title", "A & B", "--json")

    said = json.loads(done.stdout)
    assert (said["words"], said["neighbours"], len(said["clusters"]), said["projection"]) == (6, 2, 2, "pca")
    page = (asked.folder / "map.html").read_text(encoding="utf-8")
    assert "<h1>A &amp; B</h1>" in page
    assert said["size_bytes"] == len(page.encode())


def test_ten_thousand_words_are_less_than_three_megabytes(w2v):
    """Of a hundred dimensions, with the neighbours of each."""
    rng = np.random.default_rng(1)
    words = tuple(f"word{number:05d}" for number in range(10_000))
    rows = rng.standard_normal((10_000, 100), np.float32)
    keyed_vectors.save(w2v.folder / "w2v.safetensors", KeyedVectors(rows, words, None, {}), overwrite=False)

    done = w2v.run("map")

    assert done.returncode == 0, done.stderr
    assert 300_000 < (w2v.folder / "map.html").stat().st_size < 3_000_000


def test_an_existing_page_is_kept(asked):
    """What is there is refused before anything is computed, and replaced with --overwrite."""
    asked.write("map.html", "mine")

    assert "map.html already exists" in the_error(asked.run("map"), 2)
    assert (asked.folder / "map.html").read_text() == "mine"
    assert asked.run("map", "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "expected"),
    [
        (["absent.safetensors"], 4, "absent.safetensors not found; check the path, or train one: `w2v train TEXT`."),
        (["--output", "no/such/map.html"], 6, "cannot write no/such/map.html"),
        (["--output", "."], 2, "already exists"),
        (["--min-count", "1000000"], 2, "no word occurs 1,000,000 times"),
        (["--clusters", "33"], 2, "--clusters"),
        (["--words", "0"], 2, "--words"),
    ],
)
def test_what_cannot_be_drawn_is_told(asked, arguments, exit_code, expected):
    """A wrong file, place or number is one line, and nothing is left."""
    before = asked.files()

    assert expected in the_error(asked.run("map", *arguments), exit_code)
    assert asked.files() == before


@pytest.mark.parametrize("projection", ["umap", "tsne"])
def test_a_missing_extra_is_told_at_once(asked, projection):
    """Without the extra `map` nothing is computed; the line says how to install it."""
    hide = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("umap", "sklearn") else find(name, *rest)
"""

    message = the_error(asked.run("map", "--projection", projection, first=hide), 9)

    assert 'pip install "w2v-cli[map]"' in message


def test_the_wheel_s_files_are_all_used():
    """Each file of the page's folder is read by the program."""
    code = (
        "from w2v_cli.visual.word_map import page as w; from pathlib import Path;"
        "print(sorted(p.name for p in w._PAGE.iterdir()) == sorted([*w._SCRIPTS, 'map.html', 'map.css']))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
