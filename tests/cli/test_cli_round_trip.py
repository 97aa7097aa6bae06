"""Train, ask, look: the way of most users, as text and as JSON."""

import json
import re

import numpy as np
import pytest

from cli.running import FAST
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors


def objects(done):
    """Return the JSON objects that a run wrote, one a line."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_train_tells_what_it_does_on_stderr(w2v):
    """Corpus, counts, backend, each epoch and the file are told on stderr; stdout stays empty."""
    done = w2v.run("train", "text.txt", "--dim", "4", "--epochs", "2", "--deterministic", "--threads", "2")

    assert done.returncode == 0
    assert done.stdout == ""
    told = [
        r"Corpus: text\.txt",
        r"Read 810 words in \d\.\d s\. Vocabulary: 18 words \(100\.0 % of the text\)",
        r"1 file, 3\.5 kB, \d+ sentences(; also: .*)?",
        r"Training: block algorithm on numba, 2 threads",
        r"Epoch 1 of 2: loss \d\.\d{4}, [\d,]+ words/s, .* left",
        r"Epoch 2 of 2: loss \d\.\d{4}, [\d,]+ words/s, 0 s left",
        r"Wrote w2v\.safetensors: 18 words, trained in \d+\.\d s",
        r"Kept w2v\.safetensors\.snapshot for --resume .*",
    ]
    # What only a slow machine says, and one that has to compile first.
    lines = [
        line
        for line in done.stderr.splitlines()
        if " %: " not in line and not line.startswith(("Compiling", "Reading"))
    ]
    assert len(lines) == len(told)
    assert [line for line, pattern in zip(lines, told, strict=True) if not re.fullmatch(pattern, line)] == []


def test_quiet_training_says_nothing(w2v):
    """`-q` leaves both streams empty, and the vectors are there."""
    done = w2v.run("train", "text.txt", *FAST, "-q")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(w2v.files()) == ["text.txt", "w2v.safetensors", "w2v.safetensors.snapshot"]


def test_training_answers_a_script(w2v):
    """`train --json` writes one object: the file, the number of words, the loss of each epoch."""
    [answer] = objects(w2v.run("train", "text.txt", *FAST, "--epochs", "2", "--output", "a.safetensors", "--json"))

    assert (answer["schema"], answer["command"], answer["output"], answer["words"]) == (1, "train", "a.safetensors", 18)
    assert len(answer["epoch_losses"]) == 2


def test_similar_writes_words_and_scores(asked):
    """Words and scores come tab-separated, best first, as many as asked for, the word itself left out."""
    done = asked.run("similar", "king", "--top", "3")

    rows = [line.split("\t") for line in done.stdout.splitlines()]
    scores = [float(score) for _, score in rows]
    assert (done.returncode, done.stderr, len(rows)) == (0, "", 3)
    assert scores == sorted(scores, reverse=True)
    assert "king" not in [word for word, _ in rows]


def test_similar_answers_a_script(asked):
    """`similar --json` writes one object with the words and cosines that the text shows rounded."""
    text = asked.run("similar", "río", "-n", "2", "-v", "w2v.safetensors")

    done = asked.run("similar", "río", "-n", "2", "--json")

    [answer] = objects(done)
    assert '"word": "río"' in done.stdout
    assert (answer["schema"], answer["command"], answer["word"]) == (1, "similar", "río")
    shown = [f"{neighbour['word']}\t{neighbour['similarity']:.4f}" for neighbour in answer["neighbours"]]
    assert shown == text.stdout.splitlines()


@pytest.mark.parametrize("method", ["add", "mul", "dot"])
def test_analogy_answers_without_its_three_words(asked, method):
    """Each method gives all other words, none of the question, in one object."""
    question = ["analogy", "king", "man", "queen", "--method", method, "--top", "18"]

    [answer] = objects(asked.run(*question, "--json"))

    words = [found["word"] for found in answer["answers"]]
    assert len(words) == 18 - 3
    assert not {"king", "man", "queen"} & set(words)
    assert (answer["a"], answer["b"], answer["c"], answer["method"]) == ("king", "man", "queen", method)


def test_analogy_reads_its_words_in_order(w2v):
    """`analogy king man queen` asks for what is to queen as man is to king."""
    words = {"king": (1, 1, 0), "man": (1, 0, 0), "queen": (0, 1, 1), "woman": (0, 0, 1), "sea": (1, 1, 1)}
    keyed_vectors.save(
        w2v.folder / "w2v.safetensors", KeyedVectors(np.array([*words.values()]), tuple(words)), overwrite=False
    )

    done = w2v.run("analogy", "king", "man", "queen", "--top", "1")

    assert done.stdout == "woman\t0.9239\n"


def test_analogy_takes_a_word_twice(asked):
    """A word may come twice in the question; it is struck out once."""
    done = asked.run("analogy", "king", "king", "queen", "--top", "18")

    assert len(done.stdout.splitlines()) == 18 - 2


def test_a_word_may_look_like_an_option(asked):
    """After `--` a word with a dash is a word: here one that the vocabulary has not."""
    done = asked.run("similar", "--", "--json")

    assert done.returncode == 7
    assert "'--json' is not in the vocabulary" in done.stderr
    assert done.stdout == ""


def test_info_says_how_the_file_was_made(asked):
    """`info` shows size, words, settings and losses as lines of text."""
    shown = asked.run("info").stdout

    assert "\nwords: 18\ndim: 4\nnumber_format: float16\nfrequent_words: the, and, went, " in shown
    assert "\n  training:\n    algorithm: block\n    backend: numpy\n" in shown
    assert "\n  source: text.txt\n" in shown
    assert "\n    subsample: 0.001\n" in shown


def test_info_answers_a_script(asked):
    """`info --json` writes one object: the facts, and the file's metadata apart from them."""
    [answer] = objects(asked.run("info", "w2v.safetensors", "--json"))

    size = (asked.folder / "w2v.safetensors").stat().st_size
    assert (answer["schema"], answer["command"], answer["size_bytes"], answer["words"]) == (1, "info", size, 18)
    assert answer["metadata"]["config"]["model"]["dim"] == 4
    assert answer["metadata"]["corpus"]["words"] == 810


def test_the_same_seed_gives_the_same_file(w2v):
    """The bytes are the same on one thread and on three, by block and by minibatch."""
    compiled = ["--set", "training.backend=numba", "--deterministic"]
    for algorithm in ("block", "minibatch"):
        for threads in ("1", "3"):
            options = [*compiled, "--algorithm", algorithm, "--threads", threads, "--output", algorithm + threads]
            done = w2v.run("train", "text.txt", *FAST, *options, "-q")
            assert done.returncode == 0, done.stderr

    files = w2v.files()
    assert files["block1"] == files["block3"] != files["minibatch1"] == files["minibatch3"]


def test_overwrite_replaces_the_file(asked):
    """With `--overwrite` an existing output gives way to the new one."""
    before = asked.files()["w2v.safetensors"]

    done = asked.run("train", "text.txt", *FAST, "--seed", "9", "--overwrite")

    assert done.returncode == 0
    assert asked.files()["w2v.safetensors"] != before


def test_the_book_s_pickle_is_asked_like_any_vectors(w2v, shared_data):
    """The book's own checkpoint is read by `info` and answers its analogy with the book's method."""
    file = str(shared_data / "book" / "cbow_params.pkl")

    facts = w2v.run("info", file).stdout
    [answer] = objects(w2v.run("analogy", "take", "took", "go", "-v", file, "--method", "dot", "--json"))

    assert "\nwords: 10000\ndim: 100\n" in facts
    assert "\nfirst_words: aer, banknote, berlitz" in facts
    assert answer["answers"][0]["word"] == "went"
