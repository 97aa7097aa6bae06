"""Files of earlier versions: today's reads each of them, gives the same answers, and goes on with the same trainings.

make.py has written them, a folder a version. Only the command line and the public names of w2v_cli are used here.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import w2v_cli

HERE = Path(__file__).parent
TEXT = HERE / "text.txt"
FOLDERS = sorted(path.parent for path in HERE.glob("*/expected.json"))
EXPECTED = {folder: json.loads((folder / "expected.json").read_text(encoding="utf-8")) for folder in FOLDERS}
ROUNDED = 2e-3  # rows stand in expected.json with four digits, and float16 has three


def every(kind):
    """Return a test's parameters: each folder with each file of this kind."""
    pairs = [(folder, name) for folder in FOLDERS for name in EXPECTED[folder][kind]]
    return pytest.mark.parametrize(("folder", "name"), pairs, ids=[f"{folder.name}-{name}" for folder, name in pairs])


every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


@pytest.fixture
def w2v(tmp_path):
    """Return a function that runs `w2v` in an empty folder, with the text as stdin, and returns its JSON objects."""

    def run(*arguments):
        command = [sys.executable, "-m", "w2v_cli", *map(str, arguments)]
        with TEXT.open("rb") as text:
            done = subprocess.run(command, cwd=tmp_path, stdin=text, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()] if "--json" in arguments else []

    return run


def check_answers(path, expected):
    """Assert that a vectors file says what an earlier version has said of it."""
    vectors = w2v_cli.load(path)
    assert list(vectors.words) == expected["words"]
    assert (None if vectors.counts is None else vectors.counts.tolist()) == expected["counts"]
    if "rows" in expected:
        rows = np.array([row.split() for row in expected["rows"]], np.float32)
        np.testing.assert_allclose(vectors.vectors.astype(np.float32), rows, rtol=ROUNDED, atol=ROUNDED)
    for question, nearest in expected["neighbours"].items():
        scores = {one.word: one.score for one in vectors.similar(question, top=len(vectors))}
        found = vectors.similar(question, top=len(nearest))
        assert [one.score for one in found] == pytest.approx([score for _, score in nearest], abs=ROUNDED)
        assert [scores[word] for word, _ in nearest] == pytest.approx([score for _, score in nearest], abs=ROUNDED)


def contains(found, expected):
    """Return whether all that was said is said again; later versions may say more."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and contains(found[key], value) for key, value in expected.items()
        )
    return found == expected


@every_folder
def test_a_set_is_whole(folder):
    """A set holds files of every kind, takes little room, and has snapshots of both algorithms."""
    kinds = EXPECTED[folder]
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    assert size < 300_000
    assert all(kinds[kind] for kind in ("vectors", "snapshots", "exports", "configs", "logs", "phrases"))


@every("vectors")
def test_vectors_give_the_same_answers(folder, name):
    """A vectors file of an earlier version has the same words, counts, rows, neighbours and losses."""
    expected = EXPECTED[folder]["vectors"][name]

    check_answers(folder / name, expected)
    assert w2v_cli.load(folder / name).metadata["epoch_losses"] == expected["epoch_losses"]


@every("snapshots")
def test_snapshots_resume_to_the_same_end(folder, name, tmp_path, w2v):
    """A training that an earlier version began comes to the same vectors; a deterministic one to the same bytes."""
    expected = EXPECTED[folder]["snapshots"][name]
    shutil.copyfile(folder / f"{name}.snapshot", tmp_path / f"{name}.snapshot")

    w2v("train", "-", "--resume", "--time-limit", "1h", "-o", name, "--quiet")

    check_answers(tmp_path / name, expected)
    found = w2v_cli.load(tmp_path / name)
    if name == "deterministic.safetensors":
        assert hashlib.sha256(found.vectors.tobytes()).hexdigest() == expected["rows_sha256"]
        if found.metadata["package_version"] == expected["package_version"]:
            assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == expected["sha256"]


@every_folder
def test_exports_are_imported(folder, tmp_path, w2v):
    """What an earlier version has exported, in any format, is imported with the same words, counts and neighbours."""
    for name, expected in EXPECTED[folder]["exports"].items():
        output = f"{name}-imported.safetensors"
        [told] = w2v("import", folder / name, "-o", output, "--dtype", "float32", "--quiet", "--json")

        assert contains(told | {"file": name, "output": "imported.safetensors"}, expected["told"])
        check_answers(tmp_path / output, expected | {"words": EXPECTED[folder]["vectors"]["cbow.safetensors"]["words"]})


@every("configs")
def test_settings_mean_the_same(folder, name, w2v):
    """YAML of an earlier version, its shipped configs among it, resolves to the same settings."""
    [found] = w2v("config", "show", "--config", folder / name, "--json")

    assert contains(found["config"], EXPECTED[folder]["configs"][name])


@every_folder
def test_logs_are_plotted(folder, w2v):
    """`plot` reads the same losses, held-out losses and scores from the logs of an earlier version."""
    expected = EXPECTED[folder]["logs"]

    found = w2v("plot", *(folder / curve["log"] for curve in expected), "--json")

    assert [contains(one | {"log": Path(one["log"]).name}, curve) for one, curve in zip(found, expected, strict=True)]
    assert all(curve["epochs"] for curve in found)


@every_folder
def test_phrases_are_joined_alike(folder, tmp_path, w2v):
    """The text joined by an earlier version, and the list of its phrases, come out the same."""
    w2v("phrases", "-", "-o", "joined.txt", "--list", "phrases.tsv", "--quiet", *EXPECTED[folder]["phrases"])

    assert (tmp_path / "joined.txt").read_bytes() == (folder / "joined.txt").read_bytes()
    assert (tmp_path / "phrases.tsv").read_bytes() == (folder / "phrases.tsv").read_bytes()


@every_folder
def test_joined_text_is_trained_on(folder, tmp_path, w2v):
    """A text that an earlier version has joined is trained on with its phrases as words."""
    never = ("--set", "training.backend=numpy", "--snapshot-every", "never", "--quiet")
    tokens = ("--set", "corpus.tokens=whitespace", "--min-count", "1")
    w2v("train", folder / "joined.txt", *tokens, "--dim", "2", "--epochs", "1", "-o", "joined.safetensors", *never)

    joined = [word for word in (folder / "joined.txt").read_text(encoding="utf-8").split() if "_" in word]
    assert joined
    assert set(joined) <= set(w2v_cli.load(tmp_path / "joined.safetensors").words)
