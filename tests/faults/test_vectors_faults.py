"""Vectors that are missing, damaged, hostile or of another kind, and words that they have not."""

import json
import pickle

import numpy as np
import pytest

from cli.running import the_error
from w2v_cli.vectors.safetensors import Tensor, save_tensors

ASK = {
    "similar": ["similar", "king", "--vectors"],
    "analogy": ["analogy", "king", "man", "queen", "--vectors"],
    "info": ["info"],
}


class Hostile:
    """An object whose unpickling would run a command."""

    def __reduce__(self):
        """Return what pickle is to call."""
        return (open, ("was-run", "w"))


def flip_bit(content, index):
    """Return `content` with one bit of one byte turned."""
    changed = bytearray(content)
    changed[index] ^= 1
    return bytes(changed)


DAMAGES = {
    "truncated header": lambda content: content[:100],
    "truncated data": lambda content: content[:-7],
    "bit of the header": lambda content: flip_bit(content, 60),
    "bit of the data": lambda content: flip_bit(content, len(content) - 30),
    "text": lambda _content: b"18 4\nthe 0.1 0.2 0.3 0.4\n",
}


@pytest.mark.fault(6, 7)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_vectors_are_refused(w2v, trained, damage):
    """A file that was cut, altered or is of another kind ends with exit code 4."""
    w2v.write("bad.safetensors", damage(trained.read_bytes()))

    assert "bad.safetensors is damaged" in the_error(w2v.run(*ASK["similar"], "bad.safetensors"), 4)


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("command", "name", "expected"),
    [
        ("similar", "missing", "missing not found; check the path, or train one: `w2v train TEXT`."),
        ("info", "missing", "missing not found; check the path, or train one: `w2v train TEXT`."),
        ("analogy", "bad.safetensors", "is damaged"),
        ("info", "bad.safetensors", "is damaged"),
        ("info", ".", "is a folder or a device"),
    ],
)
def test_every_command_refuses_bad_vectors(w2v, trained, command, name, expected):
    """Each command that reads vectors names a bad file, a missing one and a folder, and says what to do."""
    w2v.write("bad.safetensors", trained.read_bytes()[:-1])

    message = the_error(w2v.run(*ASK[command], name), 4)

    assert message.startswith(name)
    assert expected in message


@pytest.mark.fault(8)
def test_a_newer_format_is_refused(w2v, trained):
    """A file of a later format names both versions and the way out."""
    newer = trained.read_bytes().replace(b'"format_version":"1"', b'"format_version":"2"')
    w2v.write("newer.safetensors", newer)

    message = the_error(w2v.run("info", "newer.safetensors"), 4)

    assert "format version '2', this w2v reads '1'; upgrade" in message


@pytest.mark.fault(9)
@pytest.mark.parametrize(
    ("vectors", "words", "expected"),
    [
        (np.full((2, 3), np.nan, np.float16), b"ab", "is not finite"),
        (np.full((2, 3), np.inf, np.float16), b"ab", "is not finite"),
        (np.ones((3, 3), np.float16), b"ab", "for 3 vectors"),
        (np.ones((2, 3), np.float16), b"aa", "occurs twice"),
    ],
    ids=["NaN", "infinite", "sizes", "twice"],
)
def test_vectors_that_make_no_sense_are_refused(w2v, vectors, words, expected):
    """NaN, infinity, sizes that differ and a word that comes twice are found behind a right checksum."""
    offsets = np.arange(len(words) + 1, dtype=np.int64)
    text = np.frombuffer(words, np.uint8)
    tensors = {
        "vocabulary.offsets": Tensor("I64", offsets.shape, [offsets]),
        "vectors": Tensor("F16", vectors.shape, [vectors]),
        "vocabulary.bytes": Tensor("U8", text.shape, [text]),
    }
    save_tensors(w2v.folder / "odd.safetensors", tensors, {}, overwrite=False)

    assert expected in the_error(w2v.run("similar", "a", "-v", "odd.safetensors"), 4)


@pytest.mark.fault(10)
@pytest.mark.parametrize("name", ["model.pkl", "model.safetensors"])
def test_a_hostile_pickle_is_never_run(w2v, name):
    """A pickle that would open a file is refused by what it names, and opens none."""
    w2v.write(name, pickle.dumps(Hostile()))
    before = w2v.files()

    message = the_error(w2v.run("info", name), 4)

    assert "is a pickle" in message
    assert w2v.files() == before


@pytest.mark.fault(39)
@pytest.mark.parametrize(("word", "suggestion"), [("King", "king"), ("kinng", "king"), ("RÍO", "río")])
def test_an_unknown_word_gets_suggestions(asked, word, suggestion):
    """A word that is written otherwise in the vocabulary ends with exit code 7 and the likely one."""
    message = the_error(asked.run("similar", word), 7)

    assert message == f"{word!r} is not in the vocabulary (18 words). Did you mean {suggestion!r}?"


def test_an_unknown_word_of_an_analogy_is_named(asked):
    """The one word of three that is missing is the one that is named."""
    assert "'xylophone' is not in the vocabulary" in the_error(asked.run("analogy", "king", "man", "xylophone"), 7)


@pytest.mark.fault(39)
def test_an_unknown_word_is_an_object_for_a_script(asked):
    """With --json the error is one object on stdout, the line on stderr remains, and the exit code too."""
    done = asked.run("similar", "kinng", "--json")

    [line] = done.stdout.splitlines()
    error = json.loads(line)["error"]
    assert done.returncode == error["exit_code"] == 7
    assert (error["word"], error["suggestions"]) == ("kinng", ["king"])
    assert done.stderr == f"error: {error['message']}\n"


@pytest.mark.parametrize("command", ["similar king", "map", "vocabulary", "evaluate", "info"])
def test_without_any_vectors_it_says_where_they_come_from(w2v, command):
    """The message names the file and what writes it; evaluation sets are not looked for."""
    message = the_error(w2v.run(*command.split()), 4)

    assert message == "w2v.safetensors not found; check the path, or train one: `w2v train TEXT`."
