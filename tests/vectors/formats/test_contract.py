"""The contract that every format of the registry fulfils; a new one runs these tests by being listed."""

import gzip
import hashlib

import numpy as np
import pytest
from exchanging import WORDS, example, export, import_file, unchecked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from w2v_cli.errors import ConfigError, VectorsError
from w2v_cli.vectors.formats.builder import escape, unescape
from w2v_cli.vectors.formats.format import ExportOptions, never
from w2v_cli.vectors.formats.registry import FORMATS
from w2v_cli.vectors.keyed_vectors import KeyedVectors

EVERY_FORMAT = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
FILES = [name for name, form in FORMATS.items() if form.suffixes]  # the projector's is a folder
LOOKED_UP = [name for name in FILES if not FORMATS[name].may_be_compressed]
EVERY_FLOAT16 = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE_FLOAT16 = EVERY_FLOAT16[np.isfinite(EVERY_FLOAT16)]


def bits(vectors):
    return vectors.view({2: np.uint16, 4: np.uint32}[vectors.itemsize])


def widest(form):
    """Return the type of number of the format that loses nothing."""
    return "float32" if "float32" in form.dtypes else form.dtypes[0]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@EVERY_FORMAT
def test_words_and_numbers_come_back(tmp_path, form, dtype):
    """Emoji, combining marks, words of 10,000 characters and every bit of the numbers, whatever type they have."""
    original = example(dtype=dtype)

    export(original, tmp_path / "x", form.name, dtype=widest(form))
    found, told = import_file(tmp_path / "x", tmp_path / "y", form.name, dtype=dtype)

    assert tuple(found.words) == WORDS
    assert found.vectors.dtype == dtype
    assert told.form is form
    if form.name == "finalfusion" and dtype == "float32":  # divides numbers by the length of their row: two roundings
        np.testing.assert_allclose(found.vectors, original.vectors, rtol=2**-22)
    else:
        assert_array_equal(bits(found.vectors), bits(original.vectors))
        assert told.largest_rounding_error == 0 or form.name == "finalfusion"


@EVERY_FORMAT
def test_every_float16_comes_back(tmp_path, form):
    """Zeros of both signs and subnormals among them."""
    words = [f"w{row}" for row in range(len(FINITE_FLOAT16) // 2)]
    original = KeyedVectors(FINITE_FLOAT16.reshape(-1, 2), words)

    export(original, tmp_path / "x", form.name)
    found, _ = import_file(tmp_path / "x", tmp_path / "y", form.name)

    assert_array_equal(bits(found.vectors), bits(original.vectors))
    assert found.words == words


@EVERY_FORMAT
def test_a_single_word_of_one_dimension_comes_back(tmp_path, form):
    """The smallest file there is."""
    export(KeyedVectors(np.array([[0.5]], np.float16), ("a",)), tmp_path / "x", form.name)

    found, _ = import_file(tmp_path / "x", tmp_path / "y", form.name)

    assert (tuple(found.words), found.vectors.tolist()) == (("a",), [[0.5]])


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


@pytest.mark.parametrize("name", FILES)
def test_equal_vectors_give_equal_bytes(tmp_path, name):
    """No time and no path stands in a file."""
    for output in ("x", "y"):
        export(example(), tmp_path / output, name)

    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


@EVERY_FORMAT
def test_a_file_is_recognised_by_its_content(tmp_path, form):
    """Exactly one format recognises a file; one that recognises none is named, or has the files of another."""
    export(example(), tmp_path / "x", form.name)
    head = form.files(tmp_path / "x")[0].read_bytes()[: 1 << 16]

    recognising = [other.name for other in FORMATS.values() if other.recognises(head)]

    if form.recognises is never:
        assert form.name not in recognising
    else:
        assert recognising == [form.name]


@EVERY_FORMAT
def test_files_that_exist_are_kept_unless_they_may_be_replaced(tmp_path, form):
    """Each file of the format, and the message names it."""
    export(example(), tmp_path / "x", form.name)
    for file in form.files(tmp_path / "x"):
        file.write_bytes(b"mine")

    with pytest.raises(ConfigError, match=r"x"):
        export(example(), tmp_path / "x", form.name)

    assert {file.read_bytes() for file in form.files(tmp_path / "x")} == {b"mine"}
    export(example(), tmp_path / "x", form.name, overwrite=True)
    assert tuple(import_file(tmp_path / "x", tmp_path / "y", form.name)[0].words) == WORDS


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file_is_refused(tmp_path, name):
    """With its name."""
    (tmp_path / "x").write_bytes(b"")

    with pytest.raises(VectorsError, match="x is empty"):
        import_file(tmp_path / "x", tmp_path / "y", name)


BROKEN = {
    "a word twice": (("the", "sea", "the"), [[1, 2], [3, 4], [5, 6]]),
    "no word": (("the", "", "sea"), [[1, 2], [3, 4], [5, 6]]),
    "a word beyond all bounds": (("the", "x" * (1 << 20) + "x", "sea"), [[1, 2], [3, 4], [5, 6]]),
    "NaN": (("the", "sea"), [[1, 2], [3, np.nan]]),
    "infinity": (("the", "sea"), [[1, 2], [-np.inf, 3]]),
    "more than float16": (("the", "sea"), [[1, 2], [3, 65520]]),
}


@pytest.mark.filterwarnings("ignore:(invalid|overflow).*:RuntimeWarning")  # of writing what no tool should write
@pytest.mark.parametrize(("words", "vectors"), BROKEN.values(), ids=BROKEN)
@EVERY_FORMAT
def test_what_no_vectors_file_may_hold_is_refused(tmp_path, form, words, vectors):
    """In one line; nothing is left behind."""
    form.write(tmp_path / "x", unchecked(words, vectors), ExportOptions(widest(form), overwrite=False))

    with pytest.raises(VectorsError) as caught:
        import_file(tmp_path / "x", tmp_path / "y", form.name)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", FILES)
def test_damage_anywhere_is_refused_or_harmless(tmp_path, name):
    """A byte turned or a file cut ends in an error of ours, or in words of the same number."""
    export(example(("a", "b"), dim=2), tmp_path / "good", name)
    content = (tmp_path / "good").read_bytes()
    outcomes = set()
    for place in range(0, len(content), 13):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]):
            (tmp_path / "x").write_bytes(damaged)
            try:
                found, _ = import_file(tmp_path / "x", tmp_path / "y", name)
                assert len(found.words) <= 2
                outcomes.add("read")
            except VectorsError:
                outcomes.add("refused")

    assert "refused" in outcomes


@pytest.mark.parametrize("name", LOOKED_UP)
def test_formats_whose_parts_are_looked_up_are_not_read_compressed(tmp_path, name):
    """The message says what to do."""
    export(example(), tmp_path / "x", name)
    (tmp_path / "x.gz").write_bytes(gzip.compress((tmp_path / "x").read_bytes()))

    with pytest.raises(VectorsError, match=r"cannot be read compressed, .* give the plain file"):
        import_file(tmp_path / "x.gz", tmp_path / "y")


@pytest.mark.parametrize("name", [name for name in FILES if FORMATS[name].may_be_compressed])
def test_the_others_are_written_and_read_compressed(tmp_path, name):
    """By the end of the name."""
    export(example(), tmp_path / "x.gz", name)

    assert (tmp_path / "x.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert tuple(import_file(tmp_path / "x.gz", tmp_path / "y", name)[0].words) == WORDS


def test_every_format_is_found_by_its_names():
    """No two formats claim the same end of a name."""
    ends = [suffix for form in FORMATS.values() for suffix in form.suffixes]

    assert len(set(ends)) == len(ends)


@given(st.text(), st.sampled_from(sorted({form.separators for form in FORMATS.values()})))
def test_escaping_is_undone_exactly(word, separators):
    """What was escaped holds no separator, and comes back, backslashes as well."""
    escaped = escape(word, separators)

    assert not set(escaped) & set(separators)
    assert unescape(escaped) == word


@EVERY_FORMAT
def test_a_word_that_a_format_cannot_hold_is_refused_by_name_or_escaped(tmp_path, form):
    """The message says which word, why, and what --escape would make of it; escaped words come back."""
    word = f"new{form.separators[:1] or ' '}york\\"
    original = example(("the", word))

    if form.separators:
        with pytest.raises(VectorsError, match=r"mine: .* cannot hold the word 'new.*york.*' \(row 1\), .*escape"):
            export(original, tmp_path / "x", form.name)
    told = export(original, tmp_path / "x", form.name, escaped=True)
    found, _ = import_file(tmp_path / "x", tmp_path / "y", form.name, unescape=True)

    assert told.escaped_words == 1
    assert tuple(found.words) == ("the", word)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if "float16" in form.dtypes])
def test_float16_that_would_be_infinite_is_refused(tmp_path, name):
    """Nothing becomes infinite in silence."""
    original = KeyedVectors(np.array([[1, 65520]], np.float32), ("the",))

    with pytest.raises(VectorsError, match=r"mine: the vector of 'the' \(row 0\) has a number beyond .* \(65504\)"):
        export(original, tmp_path / "x", name, dtype="float16")

    assert list(tmp_path.iterdir()) == []


@EVERY_FORMAT
def test_a_type_that_a_format_has_not_is_refused(tmp_path, form):
    """The message says which it has."""
    for dtype in {"float16", "float32", "int8"} - set(form.dtypes):
        with pytest.raises(ConfigError, match=f'dtype="{dtype}": .* can be written with {" or ".join(form.dtypes)} on'):
            export(example(), tmp_path / "x", form.name, dtype=dtype)


def test_what_rounding_does_is_told_and_what_overflows_is_refused(tmp_path):
    """float32 numbers become float16 by default: by how much they change is told, and infinity never comes of it."""
    (tmp_path / "x").write_text("the 0.1 3\nsea 65504 0.2\n")
    found, told = import_file(tmp_path / "x", tmp_path / "y")
    assert found.vectors.dtype == np.float16
    assert told.largest_rounding_error == abs(float(np.float32(0.2)) - float(np.float16(0.2)))

    (tmp_path / "x").write_text("the 0.1 3\nsea 65520 0.2\n")
    with pytest.raises(VectorsError, match=r"number 1 of its vector is 65520\.0, beyond the range of float16"):
        import_file(tmp_path / "x", tmp_path / "z")
    found, told = import_file(tmp_path / "x", tmp_path / "z", dtype="float32")
    assert found.vectors[1, 0] == 65520
    assert told.largest_rounding_error == 0


@EVERY_FORMAT
def test_the_origin_stands_in_the_metadata(tmp_path, form):
    """The format, and the SHA-256 of the file that was read."""
    export(example(), tmp_path / "x", form.name)

    found, told = import_file(tmp_path / "x", tmp_path / "y", form.name)

    digest = hashlib.sha256(form.files(tmp_path / "x")[0].read_bytes()).hexdigest()
    assert told.sha256 == digest
    assert found.metadata["imported"] == {"format": form.name, "sha256": digest}
