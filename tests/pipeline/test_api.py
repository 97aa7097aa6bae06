"""The package as a library: what a notebook trains, loads and asks, and what it leaves alone."""

import doctest
import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import w2v_cli
from w2v_cli.config import keywords
from w2v_cli.config.schema import FIELDS
from w2v_cli.corpus.tokenizer import split_whitespace
from w2v_cli.errors import CorpusError
from w2v_cli.pipeline import api
from w2v_cli.pipeline.events import CorpusScanned, Progress, VectorsSaved
from w2v_cli.vectors import keyed_vectors

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
LINES = ["the king and the queen of the sea", "the man and the woman at the bread"] * 30
FAST = {"dim": 4, "epochs": 2, "backend": "numpy", "deterministic": True}


@pytest.fixture
def corpus(tmp_path):
    """Return the path of a small text."""
    path = tmp_path / "novels.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def rows():
    """Return three words whose cosines are known: king and queen 0.8, both 0.6 and 0 to bread."""
    matrix = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    return w2v_cli.WordVectors(matrix, ("king", "queen", "bread"), np.array([9, 5, 2]))


def test_training_gives_what_the_command_gives(corpus, tmp_path):
    """The same text and settings make the same bytes by `train()` and by `w2v train`."""
    trained = w2v_cli.train(corpus, output=tmp_path / "library.safetensors", **FAST)
    command = [sys.executable, "-m", "w2v_cli", "train", "novels.txt", "--output", "command.safetensors"]
    options = ["--dim", "4", "--epochs", "2", "--set", "training.backend=numpy", "--deterministic"]
    subprocess.run([*command, *options], check=True, cwd=tmp_path, capture_output=True)

    assert (tmp_path / "library.safetensors").read_bytes() == (tmp_path / "command.safetensors").read_bytes()
    assert trained.words == w2v_cli.load(tmp_path / "command.safetensors").words


def test_nothing_is_kept_without_an_output(corpus, tmp_path, monkeypatch):
    """A training without output leaves no file, and its vectors are those that a file would hold."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = sorted(tmp_path.rglob("*"))

    trained = w2v_cli.train(corpus, **FAST)

    assert sorted(tmp_path.rglob("*")) == before
    kept = w2v_cli.load(w2v_cli.train(corpus, **FAST).save(tmp_path / "kept.safetensors"))
    assert (trained.vectors == kept.vectors).all()
    assert (trained.counts == kept.counts).all()
    assert (list(trained), trained.metadata) == (list(kept), kept.metadata)


def test_texts_in_memory_are_trained_on_like_files(corpus):
    """Strings give the vectors that a file with the same lines gives; so do lists of their words."""
    from_file = w2v_cli.train(corpus, **FAST)
    from_strings = w2v_cli.train(texts=iter(LINES), **FAST)
    from_words = w2v_cli.train(texts=(line.split() for line in LINES), **FAST)

    assert (from_file.vectors == from_strings.vectors).all()
    assert (from_file.vectors == from_words.vectors).all()
    assert from_words.metadata["config"]["corpus"]["tokens"] == "whitespace"
    assert from_words.metadata["corpus"]["source"] == "texts"


def test_lists_of_words_keep_their_words():
    """A word is what the program gives: with capitals, hyphens and spaces that are no ASCII white space."""
    trained = w2v_cli.train(texts=[["New\u00a0York", "x-y", "É", "a.b"]] * 20, **FAST, subsample=0)

    assert sorted(trained) == sorted(["New\u00a0York", "x-y", "É", "a.b"])


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4), max_size=4))
def test_words_come_back_from_their_file_or_are_refused(tmp_path_factory, sentences):
    """Whatever words a program gives, the line that is written holds exactly them, or the word at fault is named."""
    path = tmp_path_factory.mktemp("texts") / "texts"
    are_words = all(split_whitespace(word) == [word] for sentence in sentences for word in sentence)

    if not are_words:
        with pytest.raises(CorpusError, match=r"texts\[\d+\] holds"):
            api._write_texts(sentences, path)
        return
    api._write_texts(sentences, path)
    assert list(map(split_whitespace, path.read_bytes().decode().split("\n")[:-1])) == sentences


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"corpus": "missing.txt"}, "CorpusError", "missing.txt"),
        ({"texts": []}, "CorpusError", "words"),
        ({"texts": ["a b", ["a"]]}, "CorpusError", r"texts\[1\]: strings and lists of words are mixed"),
        ({"texts": [[1, 2]]}, "CorpusError", r"texts\[0\] is neither a string nor a list of words, but \[1, 2\]"),
        ({"texts": [["new york"]]}, "CorpusError", "'new york'"),
        ({"texts": LINES, "corpus": "demo"}, "ConfigError", "one of them"),
        ({"texts": LINES, "epoch": 3}, "ConfigError", r"epoch: unknown setting; did you mean training\.epochs\?"),
        ({"texts": LINES, "epochs": 0}, "ConfigError", "epochs: must be from 1 to 100000, was 0"),
        ({"texts": LINES, "dim": 2.5}, "ConfigError", r"dim: must be a whole number, was 2\.5"),
        ({"corpus": [["a", "b"]]}, "ConfigError", "text or a list of texts"),
        ({"texts": LINES, "resume": True}, "ConfigError", "output is missing"),
        ({"texts": LINES, "config": "book"}, "ConfigError", "book-cbow"),
        ({"texts": LINES, "config": {"training": 3}}, "ConfigError", "config training: must be a mapping"),
        ({"texts": LINES, "config": {"training": {"epoch": 3}}}, "ConfigError", r"config training\.epoch: unknown"),
        ({"texts": LINES, "backend": "cupy"}, "MissingDependencyError", "GPU|CuPy|cupy"),
    ],
    ids=str,
)
def test_what_is_wrong_raises_its_exception(arguments, kind, message):
    """Each mistake is the exception of its kind, with the command's message; never SystemExit."""
    with pytest.raises(getattr(w2v_cli, kind), match=message):
        w2v_cli.train(**arguments)


def test_an_output_that_exists_is_kept(corpus, tmp_path):
    """Vectors are replaced with overwrite=True alone."""
    output = tmp_path / "x.safetensors"
    w2v_cli.train(corpus, output=output, **FAST)
    before = output.read_bytes()

    with pytest.raises(w2v_cli.ConfigError, match="already exists"):
        w2v_cli.train(corpus, output=output, **FAST, seed=2)
    assert output.read_bytes() == before
    w2v_cli.train(corpus, output=output, **FAST, seed=2, overwrite=True)
    assert output.read_bytes() != before


def test_settings_come_from_keywords_then_the_config(corpus, tmp_path, monkeypatch):
    """A keyword is stronger than a mapping or a file, and they than the default; the environment is not read."""
    monkeypatch.setenv("W2V_MODEL__DIM", "7")
    (tmp_path / "my.yaml").write_text("model: {dim: 3, window: 2}\n", encoding="utf-8")
    fast = {"epochs": 1, "backend": "numpy"}

    assert w2v_cli.train(corpus, **fast).dim == 100
    for config in (tmp_path / "my.yaml", str(tmp_path / "my.yaml"), {"model": {"dim": 3, "window": 2}}):
        assert w2v_cli.train(corpus, config=config, **fast).dim == 3
        trained = w2v_cli.train(corpus, config=config, dim=5, **fast)
        assert (trained.dim, trained.metadata["config"]["model"]["window"]) == (5, 2)


def test_events_and_stopping(corpus, tmp_path):
    """The listener hears of scanning, progress and the end; a training that is told to stop can be resumed."""
    output, events = tmp_path / "x.safetensors", []
    stopped = w2v_cli.train(corpus, output=output, **FAST, is_stop_wanted=lambda: True, on_event=events.append)
    resumed = w2v_cli.train(corpus, output=output, **FAST, resume=True)
    whole = w2v_cli.train(corpus, **FAST)

    kinds = [type(event) for event in events]
    assert {CorpusScanned, Progress, VectorsSaved} <= set(kinds)
    assert kinds[-1] is VectorsSaved
    assert stopped.metadata["stopped_early"]["epochs"] == 2
    assert (resumed.vectors == whole.vectors).all()


def test_questions_have_known_answers(rows):
    """Similar words, analogies, similarity, the odd word, membership, length and rows are what the numbers say."""
    assert [(found.word, round(found.score, 6)) for found in rows.similar("king")] == [("queen", 0.8), ("bread", 0.0)]
    assert [found.word for found in rows.similar("king - queen + bread", 1)] == []
    assert [found.word for found in rows.similar("king", restrict=2)] == ["queen"]
    assert [found.word for found in rows.similar("bread", min_count=9)] == ["king"]
    assert rows.analogy("king", "queen", "bread") == []
    assert rows.similarity("king", "queen") == pytest.approx(0.8)
    assert rows.similarity("king + bread", "queen") == pytest.approx(1.4 / 2**0.5)
    assert rows.odd(["king", "queen", "bread"]) in {"king", "bread"}
    assert rows["queen"].tolist() == pytest.approx([0.8, 0.6])
    assert rows["king + bread"].tolist() == [1, 1]
    assert ("queen" in rows, "prince" in rows, 3 in rows) == (True, False, False)
    assert (len(rows), rows.dim, list(rows)) == (3, 2, ["king", "queen", "bread"])
    assert repr(rows) == "<WordVectors: 3 words, 2 dimensions>"
    with pytest.raises(w2v_cli.UnknownWordError) as caught:
        rows.similar("quen")
    assert caught.value.suggestions == ("queen",)


def test_several_questions_have_an_answer_each(rows):
    """A list or a tuple of them is answered in its order, as each alone; none has none."""
    questions = ["king", "king - queen + bread", "bread"]

    assert rows.similar(questions) == rows.similar(tuple(questions)) == [rows.similar(one) for one in questions]
    assert rows.similar(["king"]) == [rows.similar("king")]
    assert rows.similar([]) == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows.similar(3),
        lambda rows: rows.similar(None),
        lambda rows: rows.similar([["king"]]),
        lambda rows: rows.similar([3]),
        lambda rows: rows.analogy("king", "queen", 3),
        lambda rows: rows.similarity(["king"], "queen"),
        lambda rows: rows[0],
        lambda rows: rows.odd("king queen bread"),
        lambda rows: rows.odd(3),
    ],
)
def test_what_is_no_text_is_told_so(rows, ask):
    """A TypeError says what a question is, and what was given."""
    with pytest.raises(TypeError, match=r"(a question is a text|several words are a list) such as .*, this is "):
        ask(rows)


@pytest.mark.parametrize(
    ("fail", "message"),
    [
        (lambda rows, _: rows.similar("king", top=0), "top must be at least 1, was 0."),
        (lambda rows, _: rows.similar("king", restrict=0), "restrict must be at least 1, was 0."),
        (
            lambda rows, _: w2v_cli.WordVectors(rows.vectors, rows.words).similar("king", min_count=2),
            "min_count needs counts, and these vectors have none; use restrict.",
        ),
        (
            lambda rows, path: rows.save(path),
            "w2v.safetensors already exists. Use overwrite to replace it, or choose another output.",
        ),
        (
            lambda _, path: w2v_cli.train(texts=["a b"] * 9, output=path),
            "Use overwrite to replace it, resume to continue, or choose another output.",
        ),
        (
            lambda *_: w2v_cli.train(texts=["a b"] * 9, backend="cupy", deterministic=True),
            'deterministic does not work with backend="cupy", because a GPU adds floats in any order: use one',
        ),
        (lambda _, path: w2v_cli.load(path.with_name("none")), "none not found; check the path, or train one"),
    ],
)
def test_messages_name_keywords(rows, tmp_path, fail, message):
    """What a program cannot give, an option of the command line, stands in none of them."""
    path = rows.save(tmp_path / "w2v.safetensors")

    with pytest.raises(w2v_cli.W2vError) as caught:
        fail(rows, path)

    assert message in str(caught.value)
    assert "--" not in str(caught.value)


def test_load_reads_what_save_wrote(rows, tmp_path):
    """Vectors come back from their file with words, counts and metadata; what is no vectors file is refused."""
    path = rows.save(tmp_path / "three.safetensors")
    loaded = w2v_cli.load(str(path))

    assert isinstance(loaded, keyed_vectors.KeyedVectors)
    assert (list(loaded), loaded.counts.tolist()) == (list(rows), [9, 5, 2])
    assert loaded["queen"].dtype == np.float32
    with pytest.raises(w2v_cli.ConfigError, match="exists"):
        rows.save(path)
    (tmp_path / "text.txt").write_text("words", encoding="utf-8")
    with pytest.raises(w2v_cli.VectorsError, match="text"):
        w2v_cli.load(tmp_path / "text.txt")


def test_a_training_leaves_the_process_as_it_was(corpus):
    """No signal handler, no environment variable, no output, and no setting of Numba is other than before."""
    code = f"""
import os, signal, sys
import numba
def state():
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    return handlers, dict(os.environ), numba.config.CACHE_DIR, numba.get_num_threads(), sys.excepthook, os.getcwd()
before = state()
import w2v_cli
w2v_cli.train({str(corpus)!r}, dim=4, epochs=1).similar("king")
assert state() == before
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process: what Ctrl-C does here was NOT tested")
def test_an_interrupt_is_a_keyboard_interrupt(corpus, tmp_path):
    """Ctrl-C ends a training with KeyboardInterrupt; the program goes on, and nothing half-written is left."""
    code = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
import w2v_cli
try:
    w2v_cli.train({str(corpus)!r}, output="x.safetensors", dim=4, epochs=100_000, snapshot_every="never",
                  on_event=lambda event: print(type(event).__name__, flush=True))
except KeyboardInterrupt:
    print("interrupted", w2v_cli.train({str(corpus)!r}, dim=4, epochs=1).dim)
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.stdout.readline() != "Progress\n":
            assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=120)

    assert (shown.splitlines()[-1], errors, process.returncode) == ("interrupted 4", "", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["novels.txt"]


def test_keywords_are_the_settings():
    """Every setting but corpus.source and output.path is a keyword of `train`, of the type that the config has."""
    declared = keywords.Settings.__annotations__

    assert list(declared) == list(keywords.KEYS)
    assert set(FIELDS) - set(keywords.KEYS.values()) == {"corpus.source", "output.path"}
    for name, kind in declared.items():
        field = FIELDS[keywords.KEYS[name]].annotation
        assert kind == field or "str" in str(kind), name


@pytest.mark.parametrize("name", ["w2v_cli", "w2v_cli.pipeline.api", "w2v_cli.queries.word_vectors"])
def test_examples_in_docstrings_hold(name):
    """The examples of the public docstrings give what stands there."""
    results = doctest.testmod(importlib.import_module(name))

    assert results.attempted > 0
    assert results.failed == 0


def test_snippet_of_the_readme_runs(corpus, monkeypatch):
    """The README's lines for notebooks run as they stand."""
    monkeypatch.chdir(corpus.parent)
    found = {}

    exec(re.search(r"```python\n(import w2v_cli\n.*?)```", README, re.DOTALL).group(1), found)  # noqa: S102  our own README

    assert isinstance(found["vectors"], w2v_cli.WordVectors)


def test_one_string_is_not_taken_for_many_texts():
    """Its letters would be the texts."""
    with pytest.raises(CorpusError, match="single string: pass a list"):
        w2v_cli.train(texts="hello world", dim=4)
