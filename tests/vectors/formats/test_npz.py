"""`.npz`: read by NumPy without pickle, the same bytes each time; bombs, objects and lies are refused."""

import io
import itertools
import tracemalloc
import zipfile

import numpy as np
import pytest
from exchanging import example, export, import_file
from numpy.testing import assert_array_equal

from w2v_cli.errors import VectorsError


class Hostile:
    """An object whose unpickling would write a file."""

    def __reduce__(self):
        """Return what pickle is to call."""
        return (open, ("was-run", "w"))


def parts(**changes):
    """Return the arrays of two words, with changes; None takes one away."""
    given = {
        "vectors": np.ones((2, 3), np.float32),
        "vocabulary.bytes": np.frombuffer(b"ab", np.uint8),
        "vocabulary.offsets": np.array([0, 1, 2]),
    } | {name.replace("vocabulary_", "vocabulary."): part for name, part in changes.items()}
    return {name: part for name, part in given.items() if part is not None}


def archive(members, compression=zipfile.ZIP_DEFLATED):
    """Return an archive of arrays, or of bytes in place of one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, part in members.items():
            if isinstance(part, bytes):
                content = part
            else:
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, part, allow_pickle=True)
                content = buffer.getvalue()
            made.writestr(f"{name}.npy", content)
    return file.getvalue()


def header(shape, descr="<f4", order=False):  # noqa: FBT002  as NumPy has it
    """Return the header of an array, and no data."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": order, "shape": shape})
    return buffer.getvalue()


def test_numpy_reads_it_without_pickle(tmp_path):
    """The words lie packed, as in a vectors file; counts and metadata are there."""
    original = example()
    export(original, tmp_path / "x.npz")

    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        offsets, text = found["vocabulary.offsets"], found["vocabulary.bytes"].tobytes()
        words = [text[a:b].decode() for a, b in itertools.pairwise(offsets)]
        assert_array_equal(found["vectors"], original.vectors)
        assert_array_equal(found["counts"], original.counts)
        assert found["metadata"].tobytes() == b'{"seed": 7}'

    assert tuple(words) == original.words


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_numpy_writes_in_this_layout_is_read(tmp_path, compression):
    """Compressed or not, without counts and metadata."""
    (tmp_path / "x").write_bytes(archive(parts(), compression))

    found, told = import_file(tmp_path / "x", tmp_path / "y")

    assert (told.form.name, list(found.words), found.counts) == ("npz", ["a", "b"], None)


REFUSED = {
    "objects": (parts(vectors=np.array([[Hostile()]], object)), "its vectors are |O of shape (1, 1)"),
    "words as objects": (parts(words=np.array(["a", Hostile()], object)), "it holds 'vectors, vocabulary.bytes"),
    "no words": (parts(vocabulary_bytes=None), "it holds 'vectors, vocabulary.offsets', expected"),
    "float64": (parts(vectors=np.ones((2, 3))), "its vectors are <f8 of shape (2, 3)"),
    "column order": (parts(vectors=header((2, 3), order=True) + bytes(24)), "of shape (2, 3) in column order"),
    "one axis": (parts(vectors=np.ones(2, np.float32)), "its vectors are <f4 of shape (2,)"),
    "no rows": (parts(vectors=np.ones((0, 3), np.float32)), "its vectors are <f4 of shape (0, 3)"),
    "negative": (parts(vectors=header((-2, 3)) + bytes(24)), "its vectors are <f4 of shape (-2, 3)"),
    "a million million rows": (
        parts(vectors=header((10**12, 3))),
        "its vectors claim the shape (1000000000000, 3) in",
    ),
    "a row too few": (parts(vectors=np.ones((1, 3), np.float32)), "its vocabulary.offsets do not rise"),
    "offsets that fall": (parts(vocabulary_offsets=np.array([0, 3, 2])), "its vocabulary.offsets do not rise"),
    "offsets beyond": (parts(vocabulary_offsets=np.array([0, 1, 3])), "its vocabulary.offsets do not rise"),
    "an empty word": (parts(vocabulary_offsets=np.array([0, 0, 2])), "row 0: the word is empty"),
    "a word twice": (
        parts(vocabulary_bytes=np.frombuffer(b"aa", np.uint8)),
        "the word 'a' occurs twice, first in row 0",
    ),
    "no UTF-8": (parts(vocabulary_bytes=np.frombuffer(b"a\xff", np.uint8)), "row 1: the word"),
    "NaN": (parts(vectors=np.full((2, 3), np.nan, np.float32)), "row 0: number 1 of its vector is nan"),
    "int8 without scales": (parts(vectors=np.ones((2, 3), np.int8)), "its vectors are int8, but there are no scales"),
    "too few scales": (
        parts(vectors=np.ones((2, 3), np.int8), scales=np.ones(1, np.float32)),
        "its scales have shape (1,)",
    ),
    "scales that are NaN": (
        parts(vectors=np.ones((2, 3), np.int8), scales=np.full(2, np.nan, np.float32)),
        "row 0: number 1 of its vector is nan",
    ),
    "too few counts": (
        parts(counts=np.ones(1, np.int64)),
        "its counts have shape (1,), expected one for each of 2",
    ),
    "negative counts": (parts(counts=np.array([1, -1])), "a count is negative"),
    "metadata that are none": (parts(metadata=np.frombuffer(b"{", np.uint8)), "it is damaged"),
    "metadata that are a list": (parts(metadata=np.frombuffer(b"[]", np.uint8)), "its metadata is not a JSON object"),
    "no array": (parts(vectors=b"text"), "its vectors do not begin like a NumPy array"),
    "a header of code": (
        parts(vectors=b"\x93NUMPY\x01\0\x20\0__import__('os').system('true') \n"),
        "do not begin like a NumPy array",
    ),
}


@pytest.mark.parametrize(("members", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused(tmp_path, monkeypatch, members, message):
    """In one line; nothing runs, nothing is left behind, and no memory is taken for what is claimed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_bytes(archive(members))
    tracemalloc.start()

    with pytest.raises(VectorsError) as caught:
        import_file("x", tmp_path / "y")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
    assert peak < 20_000_000


def test_a_bomb_is_refused_before_it_unpacks(tmp_path):
    """100 MB of zeros in 100 kB are none of vectors."""
    content = header((250_000, 100)) + bytes(100_000_000)
    (tmp_path / "x").write_bytes(archive(parts(vectors=content)))
    tracemalloc.start()

    with pytest.raises(VectorsError, match="more than 100 times its size, like a zip bomb"):
        import_file(tmp_path / "x", tmp_path / "y")

    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_directory_that_lies_is_found_out(tmp_path):
    """A size in the directory that is not that of the data is damage: no more is unpacked than was claimed."""
    content = archive(parts())
    size = len(header((2, 3))) + 24
    lied = content.replace(size.to_bytes(4, "little"), (size - 24).to_bytes(4, "little"))
    assert lied != content
    (tmp_path / "x").write_bytes(lied)

    with pytest.raises(VectorsError, match=r"claim the shape \(2, 3\) in 0 bytes|damaged"):
        import_file(tmp_path / "x", tmp_path / "y")


def test_damage_anywhere_is_refused_or_harmless(tmp_path):
    """A byte turned or a file cut ends in one of our errors, or in the same vectors."""
    export(example(("a", "b"), dim=2), tmp_path / "good.npz")
    content = (tmp_path / "good.npz").read_bytes()
    outcomes = set()
    for place in range(0, len(content), 13):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]):
            (tmp_path / "x").write_bytes(damaged)
            try:
                found, _ = import_file(tmp_path / "x", tmp_path / "y", "npz")
                assert tuple(found.words) == ("a", "b")
                outcomes.add("read")
            except VectorsError:
                outcomes.add("refused")

    assert outcomes == {"read", "refused"}
