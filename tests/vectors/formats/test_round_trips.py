"""What is exported comes back: each word and each number, through every format."""

import hashlib

import numpy as np
import pytest
from exchanging import WORDS, example, export, import_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from w2v_cli.errors import ConfigError, VectorsError
from w2v_cli.vectors.formats.escaping import escape, unescape
from w2v_cli.vectors.formats.registry import FORMATS
from w2v_cli.vectors.keyed_vectors import KeyedVectors

HAS_SEPARATORS = [name for name, form in FORMATS.items() if form.separators]
EVERY_FLOAT16 = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE_FLOAT16 = EVERY_FLOAT16[np.isfinite(EVERY_FLOAT16)]


ARRAYS = ("npz", "safetensors", "book")  # which hold float16 as it is


def bits(vectors):
    return vectors.view({2: np.uint16, 4: np.uint32}[vectors.itemsize])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "finalfusion"])  # whose rows have length 1
def test_words_and_numbers_come_back(tmp_path, name, dtype):
    """Emoji, combining marks, words of 10,000 characters and every bit of the numbers, whatever type they have."""
    original = example(dtype=dtype)

    export(original, tmp_path / "x", name, dtype=dtype if name in ARRAYS else None)
    found, told = import_file(tmp_path / "x", tmp_path / "y", name, dtype=dtype)

    assert tuple(found.words) == WORDS
    assert found.vectors.dtype == dtype
    assert_array_equal(bits(found.vectors), bits(original.vectors))
    assert told.largest_rounding_error == 0


@pytest.mark.parametrize("name", FORMATS)
def test_every_float16_comes_back(tmp_path, name):
    """Zeros of both signs and subnormals among them."""
    words = [f"w{row}" for row in range(len(FINITE_FLOAT16) // 2)]
    original = KeyedVectors(FINITE_FLOAT16.reshape(-1, 2), words)

    export(original, tmp_path / "x", name)
    found, _ = import_file(tmp_path / "x", tmp_path / "y", name)

    assert_array_equal(bits(found.vectors), bits(original.vectors))
    assert found.words == words


@pytest.mark.parametrize("name", ["word2vec", "glove"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\v\f\r"), min_size=1),
        min_size=1,
        unique=True,
    ),
    st.data(),
)
def test_any_words_and_float32_come_back_through_text(tmp_path, name, words, data):
    """The shortest text of a number gives that number, and lines end only where they should."""
    rows = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3)
    vectors = np.array(data.draw(st.lists(rows, min_size=len(words), max_size=len(words))), np.float32)

    export(KeyedVectors(vectors, words), tmp_path / "x", name, overwrite=True)
    found, _ = import_file(tmp_path / "x", tmp_path / "y", name, dtype="float32")

    assert found.words == words
    assert_array_equal(bits(found.vectors), bits(vectors))


@given(st.text(), st.sampled_from([" \n", " \t\n\v\f\r"]))
def test_escaping_is_undone_exactly(word, separators):
    """What was escaped holds no separator, and comes back, backslashes as well."""
    escaped = escape(word, separators)

    assert not set(escaped) & set(separators)
    assert unescape(escaped) == word


@pytest.mark.parametrize("name", HAS_SEPARATORS)
def test_a_word_that_a_format_cannot_hold_is_refused_by_name_or_escaped(tmp_path, name):
    """The message says which word, why, and what --escape would make of it; escaped words come back."""
    word = f"new{FORMATS[name].separators[0]}york\\"
    original = example(("the", word))

    with pytest.raises(VectorsError, match=r"mine: the word 'new.*york.*' \(row 1\) contains .*--escape writes it as"):
        export(original, tmp_path / "x", name)
    told = export(original, tmp_path / "x", name, escaped=True)
    found, _ = import_file(tmp_path / "x", tmp_path / "y", name, unescape=True)

    assert told.escaped_words == 1
    assert tuple(found.words) == ("the", word)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if "float16" in form.dtypes])
def test_float16_that_would_be_infinite_is_refused(tmp_path, name):
    """Nothing becomes infinite in silence."""
    original = KeyedVectors(np.array([[1, 65520]], np.float32), ("the",))

    with pytest.raises(VectorsError, match=r"mine: the vector of 'the' \(row 0\) has a number beyond 65504"):
        export(original, tmp_path / "x", name, dtype="float16")

    assert list(tmp_path.iterdir()) == []


def test_what_rounding_does_is_told_and_what_overflows_is_refused(tmp_path):
    """float32 numbers become float16 by default: by how much they change is told, and infinity never comes of it."""
    (tmp_path / "x").write_text("the 0.1 3\nsea 65504 0.2\n")
    found, told = import_file(tmp_path / "x", tmp_path / "y")
    assert found.vectors.dtype == np.float16
    assert told.largest_rounding_error == abs(float(np.float32(0.2)) - float(np.float16(0.2)))

    (tmp_path / "x").write_text("the 0.1 3\nsea 65520 0.2\n")
    with pytest.raises(VectorsError, match=r"number 1 of its vector is 65520\.0, float16 ends at 65504: --dtype"):
        import_file(tmp_path / "x", tmp_path / "z")
    found, told = import_file(tmp_path / "x", tmp_path / "z", dtype="float32")
    assert found.vectors[1, 0] == 65520
    assert told.largest_rounding_error == 0


def test_a_type_that_a_format_has_not_is_refused(tmp_path):
    """The message says which it has."""
    with pytest.raises(ConfigError, match="--dtype float16: word2vec's binary file is written with float32"):
        export(example(), tmp_path / "x.bin", dtype="float16")


def test_the_origin_stands_in_the_metadata(tmp_path):
    """The format, and the SHA-256 of the file that was read."""
    (tmp_path / "x").write_bytes(b"the 0.1 3\n")

    found, _ = import_file(tmp_path / "x", tmp_path / "y")

    digest = hashlib.sha256(b"the 0.1 3\n").hexdigest()
    assert found.metadata["imported"] == {"format": "glove", "sha256": digest}
