"""int8 with a scale for each row: smaller, and as near as the formula says."""

import numpy as np
import pytest
from exchanging import WORDS, example, export, import_file
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from w2v_cli.errors import VectorsError
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.formats.arrays import dequantise, iterate_quantised, row_scales
from w2v_cli.vectors.formats.registry import FORMATS
from w2v_cli.vectors.keyed_vectors import KeyedVectors

NUMBERS = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)


@given(arrays(np.float32, (3, 4), elements=NUMBERS))
def test_a_number_is_off_by_half_a_scale_at_the_most(rows):
    """The scale of a row is its largest number over 127; zeros stay zeros."""
    scales = row_scales(rows)
    [quantised] = iterate_quantised(rows, scales)

    found = dequantise(quantised, scales)

    np.testing.assert_allclose(scales, np.abs(rows).max(axis=1) / 127, rtol=1e-6)
    assert np.abs(quantised).max() <= 127
    assert (np.abs(found - rows) <= scales[:, np.newaxis] * 0.5001).all()


def test_known_answers():
    """Largest number 127 · 0.5: the scale is 0.5."""
    rows = np.array([[63.5, -63.5, 1, 0.2], [0, 0, 0, 0]], np.float32)

    scales = row_scales(rows)

    assert scales.tolist() == [0.5, 0]
    assert next(iterate_quantised(rows, scales)).tolist() == [[127, -127, 2, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if "int8" in form.dtypes])
def test_int8_comes_back(tmp_path, name):
    """Words, counts and metadata as they were, numbers as near as eight bits allow; the file is a quarter in size."""
    original = example(dtype=np.float32, dim=300)

    export(original, tmp_path / "x", name, dtype="int8")
    found, _ = import_file(tmp_path / "x", tmp_path / "y", name, dtype="float32")

    assert tuple(found.words) == WORDS
    assert_array_equal(found.counts, original.counts)
    assert found.metadata["seed"] == 7
    scales = np.abs(original.vectors).max(axis=1, keepdims=True) / 127
    assert (np.abs(found.vectors - original.vectors) <= scales * 0.5001).all()
    assert (tmp_path / "x").stat().st_size < (tmp_path / "y").stat().st_size - 2.5 * original.vectors.size


def test_int8_that_is_asked_says_what_to_do(tmp_path):
    """It is no vectors file that answers questions."""
    export(example(), tmp_path / "x", "safetensors", dtype="int8")

    with pytest.raises(
        VectorsError, match=r"holds int8 numbers, which cannot be queried; convert it: `w2v import .*x`"
    ):
        keyed_vectors.load(tmp_path / "x")


def test_other_programs_read_int8(tmp_path):
    """NumPy and the package safetensors give numbers that, times their scales, are the vectors."""
    safetensors = pytest.importorskip("safetensors.numpy")
    original = KeyedVectors(np.array([[63.5, 1], [-127, 0]], np.float32), ("a", "b"))
    export(original, tmp_path / "x.npz", dtype="int8")
    export(original, tmp_path / "x.safetensors", dtype="int8")

    for tensors in (np.load(tmp_path / "x.npz"), safetensors.load_file(tmp_path / "x.safetensors")):
        assert_array_equal(tensors["vectors"] * tensors["scales"][:, np.newaxis], original.vectors)
