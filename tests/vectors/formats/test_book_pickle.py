"""The book's checkpoint is read; no other pickle is, and nothing that one holds ever runs."""

import builtins
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from w2v_cli.errors import VectorsError
from w2v_cli.vectors.formats import book_pickle

ROWS = np.array([[1, 2], [3, 4], [5, 6.5]], np.float16)
WORDS = ["you", "i", "naïve"]


def checkpoint(**changes):
    parts = {
        "word_vecs": ROWS,
        "word_to_id": {word: word_id for word_id, word in enumerate(WORDS)},
        "id_to_word": dict(enumerate(WORDS)),
    }
    return parts | changes


def write(path, content, protocol=4):
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return path


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_the_books_own_file_is_read(shared_data):
    """The published checkpoint has 10,000 words and 100 dimensions."""
    word_vectors = book_pickle.load(shared_data / "book" / "cbow_params.pkl")

    assert (word_vectors.vectors.shape, word_vectors.vectors.dtype) == ((10_000, 100), np.float16)
    assert (word_vectors.word_id("you"), word_vectors.words[:3]) == (316, ("aer", "banknote", "berlitz"))
    assert word_vectors.counts is None


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_file_written_as_the_book_does_is_read(tmp_path, protocol):
    """Whatever Python and NumPy wrote it: protocol 5 is what today's readers of the book get."""
    word_vectors = book_pickle.load(write(tmp_path / "x.pkl", checkpoint(), protocol))

    assert_array_equal(word_vectors.vectors, ROWS)
    assert word_vectors.words == tuple(WORDS)


def test_older_numpy_names_are_read(tmp_path):
    """The array's constructor has moved from numpy.core to numpy._core: both are known."""
    content = pickle.dumps(checkpoint(), 3).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")

    word_vectors = book_pickle.load(write(tmp_path / "x.pkl", content))

    assert b"numpy._core" not in content
    assert_array_equal(word_vectors.vectors, ROWS)


def test_float32_rows_are_read(tmp_path):
    """A reader of the book may have left the rows as they were."""
    word_vectors = book_pickle.load(write(tmp_path / "x.pkl", checkpoint(word_vecs=ROWS.astype(np.float32))))

    assert word_vectors.vectors.dtype == np.float32


FOREIGN = {
    "os.system": (os.system, "touch"),
    "builtins.eval": (eval, "open('owned', 'w')"),
    "builtins.exec": (builtins.exec, "open('owned', 'w')"),
    "builtins.getattr": (getattr, "text", "upper"),
    "numpy.load": (np.load, "owned"),
}


@pytest.mark.parametrize("place", ["alone", "among the words", "as the array"])
@pytest.mark.parametrize("call", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_function_in_a_pickle_is_named_and_not_called(tmp_path, monkeypatch, call, place):
    """Wherever it stands, the file is refused before anything of it runs."""
    monkeypatch.chdir(tmp_path)
    function, *arguments = call
    if function is os.system:
        arguments = ["touch owned"]
    evil = Calls(function, *arguments)
    content = {
        "alone": evil,
        "among the words": checkpoint(id_to_word={0: evil}),
        "as the array": checkpoint(word_vecs=evil),
    }[place]
    name = f"{function.__module__}.{function.__name__}"

    with pytest.raises(
        VectorsError, match=rf"evil\.pkl is a pickle, .*holds '{name}', which is not part of the book's layout"
    ):
        book_pickle.load(write(tmp_path / "evil.pkl", content))

    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.pkl"]


def test_an_allowed_name_builds_nothing(tmp_path):
    """numpy.ndarray is known, but calling it with a shape of 8 TB takes no memory: a stand-in answers."""
    tracemalloc.start()

    with pytest.raises(VectorsError, match="not a NumPy matrix"):
        book_pickle.load(write(tmp_path / "x.pkl", checkpoint(word_vecs=Calls(np.ndarray, (10**6, 10**6)))))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


WRONG = {
    "a list": ([1, 2], "opcode EMPTY_LIST"),
    "a text": ("vectors", "it holds a str, expected a dict"),
    "no array": ({"word_to_id": {}, "id_to_word": {}}, "expected a dict of id_to_word, word_to_id, word_vecs"),
    "one key more": (checkpoint(moments=None), "expected a dict of"),
    "object array": (checkpoint(word_vecs=np.array([["a"], ["b"], ["c"]], object)), "opcode EMPTY_LIST"),
    "float64": (checkpoint(word_vecs=ROWS.astype(np.float64)), "have the type .*f8"),
    "int16": (checkpoint(word_vecs=ROWS.astype(np.int16)), "have the type .*i2"),
    "big-endian": (checkpoint(word_vecs=ROWS.astype(">f2")), "have the type .*f2"),
    "column order": (checkpoint(word_vecs=np.asfortranarray(ROWS)), "not a NumPy matrix in row order"),
    "one axis": (checkpoint(word_vecs=ROWS[0]), "not a NumPy matrix"),
    "three axes": (checkpoint(word_vecs=ROWS[None]), "not a NumPy matrix"),
    "no rows": (checkpoint(word_vecs=ROWS[:0]), "claim 0 x 2 values"),
    "fewer rows than words": (checkpoint(word_vecs=ROWS[:2]), "3 words do not fit"),
    "words that are no dict": (checkpoint(word_to_id=3), "not both dicts"),
    "no words": (checkpoint(word_to_id={}, id_to_word={}), "does not map numbers to strings"),
    "ids that are texts": (checkpoint(id_to_word={"0": "you"}), "does not map numbers to strings"),
    "an id that is a truth": (
        checkpoint(id_to_word={0: "you", True: "i", 2: "naïve"}),
        "does not map numbers to strings",
    ),
    "words that are numbers": (checkpoint(id_to_word={0: 1, 1: 2, 2: 3}), "does not map numbers to strings"),
    "ids with a gap": (checkpoint(id_to_word={0: "you", 1: "i", 3: "naïve"}), "its ids are not 0 to 2"),
    "a word with two ids": (checkpoint(id_to_word={0: "you", 1: "i", 2: "i"}), "contradict"),
    "ids exchanged": (checkpoint(word_to_id={"you": 1, "i": 0, "naïve": 2}), "contradict"),
    "an empty word": (checkpoint(word_to_id={"you": 0, "i": 1, "": 2}, id_to_word={0: "you", 1: "i", 2: ""}), "empty"),
    "half a character": (
        checkpoint(word_to_id={"you": 0, "i": 1, "\ud800": 2}, id_to_word={0: "you", 1: "i", 2: "\ud800"}),
        "surrogates not allowed",
    ),
    "a nested dict": (checkpoint(word_to_id={"you": {}, "i": 1, "naïve": 2}), "contradict"),
}


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize(("content", "cause"), WRONG.values(), ids=WRONG.keys())
def test_another_layout_is_refused(tmp_path, content, cause, protocol):
    """Every part of the layout is checked, and the message says which is wrong."""
    with pytest.raises(VectorsError, match=cause):
        book_pickle.load(write(tmp_path / "x.pkl", content, protocol))


def test_a_vector_that_is_not_finite_is_refused(tmp_path):
    """The word is named."""
    rows = ROWS.copy()
    rows[1, 0] = np.nan

    with pytest.raises(VectorsError, match="the vector of 'i'"):
        book_pickle.load(write(tmp_path / "x.pkl", checkpoint(word_vecs=rows)))


HOSTILE = {
    "a frame of 8 EB": b"\x80\x04\x95" + struct.pack("<Q", 2**63 - 1),
    "a frame of 16 EB": b"\x80\x04\x95" + b"\xff" * 8,
    "a frame of 1 TB": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"}.",
    "bytes of 2 GB": b"\x80\x04B" + struct.pack("<I", 2**31 - 1) + b".",
    "a bytearray of 1 TB": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "a memo of 2 billion objects": b"\x80\x04}r" + struct.pack("<I", 2**31 - 1) + b".",
    "a million nested tuples": b"\x80\x04}" + b"(" + b")" + b"\x85" * 1_000_000 + b"K\x01u.",
    "a persistent id": b"\x80\x04Pnumber 1\n.",
    "a build of a class": b"\x80\x04cnumpy\nndarray\n}b.",
    "a name with a backslash": b"\x80\x04cnumpy\n\\Ydtype\n.",
    "an empty stack": b"\x80\x04u.",
    "nothing but a marker": b"\x80\x04",
    "text instead of opcodes": b"\x80\x04 what is this?",
    "a protocol of the future": b"\x80\x7f}.",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_pickle_is_refused_without_taking_memory(tmp_path, content):
    """Lengths that a file claims are believed only as far as its bytes reach."""
    tracemalloc.start()

    with pytest.raises(VectorsError, match=r"x\.pkl is a pickle"):
        book_pickle.load(write(tmp_path / "x.pkl", content))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_truncation_is_refused(tmp_path, protocol):
    """A checkpoint cut anywhere is refused, never half read."""
    content = pickle.dumps(checkpoint(), protocol)

    for length in range(2, len(content)):
        with pytest.raises(VectorsError, match=r"x\.pkl is a pickle"):
            book_pickle.load(write(tmp_path / "x.pkl", content[:length]))


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path, monkeypatch):
    """The book's file is small; a huge one is refused by its size."""
    monkeypatch.setattr(book_pickle, "MAX_BYTES", 100)

    with pytest.raises(VectorsError, match="more than 100"):
        book_pickle.load(write(tmp_path / "x.pkl", checkpoint()))


def test_no_altered_byte_ends_in_another_error(tmp_path):
    """Any byte may be anything: the file loads or is refused, and never crashes the program."""
    content = pickle.dumps(checkpoint(), 4)
    outcomes = set()
    for position in range(len(content)):
        for byte in (0, 0x28, 0x52, 0x62, 0x85, 0x93, 0xFF):
            altered = bytearray(content)
            altered[position] = byte
            try:
                book_pickle.load(write(tmp_path / "x.pkl", bytes(altered)))
            except VectorsError:
                outcomes.add("refused")
            else:
                outcomes.add("loaded")

    assert outcomes == {"refused", "loaded"}
