"""Word vectors: what they promise, what their file keeps, and which files are refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.errors import DivergedError, UnknownWordError, VectorsError
from w2v_cli.vectors.keyed_vectors import BLOCK_ROWS, KeyedVectors, check_finite, load, save
from w2v_cli.vectors.safetensors import Tensor, save_tensors

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
VOCABULARIES = st.lists(WORDS, min_size=1, max_size=6, unique=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.text(), children, max_size=2),
    max_leaves=4,
)


@st.composite
def word_vectors_in_range(draw):
    words = draw(VOCABULARIES)
    values = st.floats(-65504, 65504, width=32)
    vectors = draw(arrays.arrays(np.float32, (len(words), draw(st.integers(1, 3))), elements=values))
    counts = draw(st.none() | arrays.arrays(np.int64, len(words), elements=st.integers(0, 2**62)))
    return KeyedVectors(vectors, words, counts, {"config": draw(JSON), "seed": draw(st.integers(0, 2**64 - 1))})


def example(**changes):
    parts = {
        "vectors": np.array([[1, 2], [3, 4], [5, 6]], np.float32),
        "words": ("the", "king", "Königin"),
        "counts": np.array([9, 2, 1]),
        "metadata": {"seed": 1},
    }
    return KeyedVectors(**parts | changes)


@settings(deadline=None, max_examples=50)  # each example waits for fsync
@given(original=word_vectors_in_range())
def test_saved_vectors_come_back_at_float16_precision(tmp_path_factory, original):
    """Words, counts and metadata come back as they were, vectors to 11 bits."""
    path = tmp_path_factory.mktemp("vectors") / "x.safetensors"
    save(path, original, overwrite=False)

    loaded = load(path)

    assert_allclose(loaded.vectors.astype(np.float64), original.vectors, rtol=2**-11, atol=2**-25)
    assert (list(loaded.words), loaded.metadata) == (original.words, original.metadata | {"format_version": 1})
    assert_array_equal(loaded.counts, original.counts)


@settings(deadline=None, max_examples=50)  # each example waits for fsync
@given(original=word_vectors_in_range())
def test_a_saved_loaded_saved_file_is_byte_identical(tmp_path_factory, original):
    """Nothing is lost or added by a second round."""
    folder = tmp_path_factory.mktemp("vectors")
    save(folder / "a.safetensors", original, overwrite=False)
    save(folder / "b.safetensors", load(folder / "a.safetensors"), overwrite=False)

    assert (folder / "a.safetensors").read_bytes() == (folder / "b.safetensors").read_bytes()


def test_loaded_vectors_are_mapped_not_read(tmp_path):
    """The rows are a read-only view of the file, as float16."""
    save(tmp_path / "x.safetensors", example(), overwrite=False)

    vectors = load(tmp_path / "x.safetensors").vectors

    assert (vectors.dtype, vectors.flags.writeable, vectors.flags.owndata) == (np.float16, False, False)


@pytest.mark.parametrize("value", [65504.01, -65520, 1e30, np.inf, -np.inf, np.nan])
def test_a_value_beyond_float16_is_refused_and_nothing_is_written(tmp_path, value):
    """The message names the word and the row, in whichever block it is; no file is left."""
    vectors = np.ones((BLOCK_ROWS + 2, 2), np.float32)
    vectors[-1, 1] = value
    words = [f"w{word_id}" for word_id in range(len(vectors))]

    with pytest.raises(DivergedError, match=rf"'w{BLOCK_ROWS + 1}' \(row 4,097\) holds .*lower the learning rate"):
        save(tmp_path / "x.safetensors", KeyedVectors(vectors, words), overwrite=False)

    assert list(tmp_path.iterdir()) == []


def test_the_largest_float16_is_kept(tmp_path):
    """65504 is in range, with either sign."""
    save(tmp_path / "x.safetensors", KeyedVectors(np.array([[65504, -65504]], np.float32), ["a"]), overwrite=False)

    assert load(tmp_path / "x.safetensors").vectors.tolist() == [[65504, -65504]]


def tensors(**changes):
    """Return valid tensors of the words a and é, with changes: None leaves a tensor out."""
    parts = {
        "counts": ("I64", [2, 1]),
        "offsets": ("I64", [0, 1, 3]),
        "vectors": ("F16", [[1, 2], [3, 4]]),
        "bytes": ("U8", list("aé".encode())),
    } | changes
    names = {"offsets": "vocabulary.offsets", "bytes": "vocabulary.bytes"}
    return {
        names.get(name, name): Tensor(part[0], np.shape(part[1]), [np.array(part[1])])
        for name, part in parts.items()
        if part
    }


REFUSED = {
    "no vectors": ({"vectors": None}, "expected"),
    "no words": ({"bytes": None}, "expected"),
    "one more": ({"moments": ("F16", [1])}, "expected"),
    "vectors of another type": ({"vectors": ("I64", [[1, 2], [3, 4]])}, "its vectors are"),
    "vectors in a row": ({"vectors": ("F16", [1, 2])}, "do not fit vectors"),
    "more vectors than words": ({"vectors": ("F16", [[1], [2], [3]]), "counts": None}, "for 3 vectors"),
    "more words than vectors": ({"offsets": ("I64", [0, 1, 2, 3])}, "its vocabulary.offsets are"),
    "more counts than words": ({"counts": ("I64", [3, 2, 1])}, "its counts are"),
    "counts of another type": ({"counts": ("U8", [2, 1])}, "its counts are"),
    "negative counts": ({"counts": ("I64", [2, -1])}, "counts of shape"),
    "words in two axes": ({"bytes": ("U8", [[97, 98, 99]])}, "its vocabulary.bytes are"),
    "offsets from 1": ({"offsets": ("I64", [1, 2, 3])}, "do not rise from 0 to 3"),
    "offsets short of the end": ({"offsets": ("I64", [0, 1, 2])}, "do not rise from 0 to 3"),
    "offsets beyond the end": ({"offsets": ("I64", [0, 1, 9])}, "do not rise from 0 to 3"),
    "falling offsets": ({"offsets": ("I64", [0, 9, 3])}, "do not rise from 0 to 3"),
    "an empty word": ({"offsets": ("I64", [0, 3, 3])}, "do not rise from 0 to 3"),
    "offsets that rise by overflowing": (
        {"offsets": ("I64", [0, 2**63 - 1, 1 - 2**63, -1, 3]), "vectors": ("F16", [[1]] * 4), "counts": None},
        "do not rise from 0 to 3",
    ),
    "invalid UTF-8": ({"bytes": ("U8", [97, 0xC3, 97])}, "codec can't decode"),
    "a character cut in two": ({"offsets": ("I64", [0, 2, 3])}, "codec can't decode"),
    "a word that comes twice": (
        {"offsets": ("I64", [0, 1, 2]), "bytes": ("U8", [97, 97])},
        "word 'a' occurs twice",
    ),
    "NaN": ({"vectors": ("F16", [[1, 2], [3, np.nan]])}, r"the vector of 'é' \(row 1\) is not finite"),
    "infinity": ({"vectors": ("F16", [[-np.inf, 2], [3, 4]])}, r"the vector of 'a' \(row 0\) is not finite"),
}


def test_the_example_of_the_refusals_is_valid(tmp_path):
    """What the refusals change is sound as long as nothing is changed."""
    save_tensors(tmp_path / "x.safetensors", tensors(), {}, overwrite=False)

    assert load(tmp_path / "x.safetensors").words == ("a", "é")


@pytest.mark.parametrize(("changes", "cause"), REFUSED.values(), ids=REFUSED.keys())
def test_tensors_that_do_not_belong_together_are_refused(tmp_path, changes, cause):
    """A valid digest does not help: the parts are checked against each other, and the file is named."""
    save_tensors(tmp_path / "x.safetensors", tensors(**changes), {}, overwrite=False)

    with pytest.raises(VectorsError, match=rf"x\.safetensors is damaged or not a file of w2v: .*{cause}"):
        load(tmp_path / "x.safetensors")


def test_float32_vectors_are_checked_for_nan_too(tmp_path):
    """Importers check vectors of either type."""
    word_vectors = KeyedVectors(np.array([[1, 2], [np.nan, 1]], np.float32), ["a", "b"])

    with pytest.raises(VectorsError, match="the vector of 'b'"):
        check_finite(tmp_path / "x.pkl", word_vectors)


@pytest.mark.parametrize(
    "changes",
    [
        {"words": ("a", "b")},
        {"words": ("a", "b", "a")},
        {"words": ("a", "b", "")},
        {"vectors": np.ones(3, np.float32)},
        {"vectors": np.ones((3, 0), np.float32)},
        {"vectors": np.ones((0, 2), np.float32), "words": (), "counts": None},
        {"counts": np.array([1, 2])},
        {"counts": np.array([1, 2, -3])},
    ],
    ids=str,
)
def test_parts_that_contradict_each_other_make_no_word_vectors(changes):
    """An object that exists is sound."""
    with pytest.raises(VectorsError):
        example(**changes)


def test_a_word_leads_to_its_row():
    """`word_id`, `in` and `len` agree with the words."""
    word_vectors = example()

    assert [word_vectors.word_id(word) for word in word_vectors.words] == [0, 1, 2]
    assert ("king" in word_vectors, "King" in word_vectors, len(word_vectors)) == (True, False, 3)


@pytest.mark.parametrize(
    ("asked", "suggestions"),
    [
        ("King", ("king",)),
        ("THE", ("the",)),
        ("königin", ("Königin",)),
        ("Ko\u0308nigin", ("Königin",)),
        ("kingg", ("king",)),
        ("zzz", ()),
        ("", ()),
    ],
)
def test_an_unknown_word_gets_the_words_it_may_have_meant(asked, suggestions):
    """Other cases and forms of the word come first, then near spellings; the message repeats them."""
    with pytest.raises(UnknownWordError) as refusal:
        example().word_id(asked)

    assert (refusal.value.word, refusal.value.suggestions) == (asked, suggestions)
    assert str(refusal.value).startswith(f"{asked!r} is not in the vocabulary (3 words). ")
    assert all(repr(word) in str(refusal.value) for word in suggestions)


def test_another_case_comes_before_nearer_spellings():
    """Where the lower-cased word exists it is the first suggestion, and there are three at most."""
    words = ["Kinga", "Kingb", "Kingc", "king"]

    with pytest.raises(UnknownWordError) as refusal:
        KeyedVectors(np.ones((4, 1), np.float32), words).word_id("King")

    assert refusal.value.suggestions[0] == "king"
    assert len(refusal.value.suggestions) == 3


def test_suggestions_for_a_large_vocabulary_stay_quick(monkeypatch):
    """Only the most frequent words are compared with an unknown one."""
    monkeypatch.setattr("w2v_cli.vectors.keyed_vectors.SUGGESTION_POOL", 2)
    words = ["".join(letters) for letters in itertools.product("abc", repeat=3)]

    with pytest.raises(UnknownWordError) as refusal:
        KeyedVectors(np.ones((27, 1), np.float32), words).word_id("aaac")

    assert set(refusal.value.suggestions) <= {"aaa", "aab"}
