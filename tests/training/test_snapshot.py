"""The file of a snapshot: what goes in comes out, and nothing damaged, crafted or foreign is believed."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from snapshots import IDENTITY, ROWS, STATE
from w2v_cli.errors import DivergedError, StorageError, VectorsError
from w2v_cli.training import snapshot
from w2v_cli.training.progress import Progress
from w2v_cli.training.snapshot import Snapshot, check_state
from w2v_cli.training.state import BEST_VECTORS, TrainerState
from w2v_cli.vectors import keyed_vectors, safetensors
from w2v_cli.vectors.safetensors import Tensor, save_tensors

SNAPSHOT = Snapshot(IDENTITY, STATE)


@pytest.fixture
def path(tmp_path):
    """Return the path of a valid snapshot."""
    path = tmp_path / "x.snapshot"
    snapshot.save_snapshot(path, SNAPSHOT)
    return path


def with_arrays(**arrays):
    return Snapshot(IDENTITY, dataclasses.replace(STATE, arrays={**STATE.arrays, **arrays}))


def test_everything_comes_back(path):
    """Numbers to the last bit, subnormal ones and minus zero included; settings, loop and history as they were."""
    found = snapshot.load_snapshot(path)

    assert found.identity == IDENTITY
    assert dataclasses.replace(found.state, arrays={}) == dataclasses.replace(STATE, arrays={})
    assert found.state.arrays.keys() == STATE.arrays.keys()
    for name, array in STATE.arrays.items():
        assert found.state.arrays[name].dtype == array.dtype
        assert found.state.arrays[name].tobytes() == array.tobytes()


def test_the_example_has_a_value_of_its_own_in_every_field():
    """A field that is added has a default: the example must hold another value, or its loss would go unnoticed."""
    start = TrainerState.at_start()
    blank = Progress(0, 0, 0, 0, 0, 0, 0, None)
    for example, plain in [(STATE, start), (STATE.sums, start.sums), (STATE.reports[0], blank)]:
        for field in dataclasses.fields(example):
            assert getattr(example, field.name) != getattr(plain, field.name), field.name


def test_equal_snapshots_are_equal_files(path, tmp_path):
    """Nothing of the hour or the host is in them."""
    snapshot.save_snapshot(
        tmp_path / "y", Snapshot(IDENTITY, dataclasses.replace(STATE, arrays=dict(reversed(STATE.arrays.items()))))
    )

    assert (tmp_path / "y").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(["input_vectors", "output_vectors", BEST_VECTORS], [np.nan, np.inf, -np.inf]),
        ("input_vectors", 70_000),  # too large for the float16 of the vectors to be made of them
        (BEST_VECTORS, -70_000),
    ],
)
def test_a_state_that_is_not_finite_does_not_replace_a_good_one(path, name, value):
    """A diverged training is told so (exit 1), and the last good snapshot stays."""
    before, rows = path.read_bytes(), ROWS.copy()
    rows[2, 1] = value

    with pytest.raises(DivergedError, match=r"in epoch 4 .* vectors hold numbers beyond .*: training diverged"):
        snapshot.save_snapshot(path, with_arrays(**{name: rows}))

    assert path.read_bytes() == before


def test_every_flipped_bit_is_refused(path):
    """Length, header, each tensor: no bit of the file can change unnoticed."""
    content = path.read_bytes()
    accepted = []
    for position in range(0, 8 * len(content), 7):  # every byte, at varying bits
        altered = bytearray(content)
        altered[position // 8] ^= 1 << position % 8
        path.write_bytes(altered)
        try:
            snapshot.load_snapshot(path)
        except VectorsError:
            continue
        accepted.append(position)

    assert accepted == []


def test_every_truncation_is_refused(path):
    """A file cut anywhere is refused and named."""
    content = path.read_bytes()

    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(VectorsError, match=r"x\.snapshot is damaged"):
            snapshot.load_snapshot(path)


@settings(max_examples=80)
@given(data=st.data())
def test_mutated_files_are_refused_in_one_line(tmp_path_factory, data):
    """Bytes changed, taken out or put in anywhere end in exit 4, or leave the file as it was: never in a bug."""
    path = tmp_path_factory.mktemp("mutated") / "x.snapshot"
    snapshot.save_snapshot(path, SNAPSHOT)
    content = path.read_bytes()
    first, last = sorted(data.draw(st.lists(st.integers(0, len(content)), min_size=2, max_size=2)))
    altered = content[:first] + data.draw(st.binary(max_size=40)) + content[last:]
    path.write_bytes(altered)

    if altered == content:
        snapshot.load_snapshot(path)
    else:
        with pytest.raises(VectorsError, match=r"^[^\n]*$"):
            snapshot.load_snapshot(path)


def resaved(path, **changes):
    """Write the file anew with other metadata and a digest that fits: what a crafted file would be."""
    tensors, metadata = safetensors.load_tensors(path)
    tensors = {name: Tensor(snapshot._TYPES[array.dtype.str], array.shape, [array]) for name, array in tensors.items()}
    loop = changes.pop("loop", None)
    if loop is not None:
        array = np.frombuffer(loop if isinstance(loop, bytes) else json.dumps(loop).encode(), np.uint8)
        tensors["loop"] = Tensor("U8", array.shape, [array])
    metadata = {key: value for key, value in (metadata | changes).items() if key != "format_version" and value != ...}
    save_tensors(path, tensors, metadata, overwrite=True)


def good_metadata(path):
    return safetensors.load_tensors(path)[1]


def test_a_newer_version_is_refused_by_its_number(path):
    """Exit 4, both versions, and what to do."""
    resaved(path, snapshot_version=2)

    with pytest.raises(VectorsError, match=r"has snapshot version 2, this w2v reads 1: upgrade w2v-cli"):
        snapshot.load_snapshot(path)


def test_a_newer_container_is_refused_by_its_number(path, monkeypatch):
    """The same for the format of all our files."""
    monkeypatch.setattr(safetensors, "FORMAT_VERSION", "2")
    snapshot.save_snapshot(path, SNAPSHOT)
    monkeypatch.undo()

    with pytest.raises(VectorsError, match=r"has format version '2', this w2v reads '1'; upgrade w2v-cli"):
        snapshot.load_snapshot(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("point", {"epoch": "x", "done": 0}),
        ("point", []),
        ("point", ...),
        ("identity", {}),
        ("identity", None),
        ("identity", "x" * 10_000),
        ("snapshot_version", 1.5),
        ("snapshot_version", [1]),
    ],
    ids=str,
)
def test_crafted_metadata_are_refused(path, key, value):
    """A file whose digest is right and whose contents are not is refused in one short line."""
    resaved(path, **{key: value})

    with pytest.raises(VectorsError) as refusal:
        snapshot.load_snapshot(path)

    assert len(str(refusal.value)) < 400 + len(str(path))
    assert "\n" not in str(refusal.value)


def test_settings_that_are_none_are_refused(path):
    """The config in a snapshot is checked like any other."""
    identity = good_metadata(path)["identity"]
    identity["config"]["training"]["epochs"] = -1
    resaved(path, identity=identity)

    with pytest.raises(VectorsError, match=r"identity\.config\.training\.epochs"):
        snapshot.load_snapshot(path)


@pytest.mark.parametrize(
    "loop", [b"\xff", b"[" * 100_000, b"{}", [], {"sums": 3}, b"NaN"], ids=lambda loop: str(loop)[:9]
)
def test_a_crafted_loop_is_refused(path, loop):
    """So is what the training loop is to go on with."""
    resaved(path, loop=loop)

    with pytest.raises(VectorsError, match="its description of the training is incomplete"):
        snapshot.load_snapshot(path)


def test_values_that_are_not_finite_are_refused(path):
    """NaN in a file whose digest is right: damaged."""
    rows = ROWS.copy()
    rows[1, 1] = np.nan
    tensors, metadata = safetensors.load_tensors(path)
    tensors = {
        name: Tensor(snapshot._TYPES[array.dtype.str], array.shape, [rows if name == "output_vectors" else array])
        for name, array in tensors.items()
    }
    del metadata["format_version"]
    save_tensors(path, tensors, metadata, overwrite=True)

    with pytest.raises(VectorsError, match="its 'output_vectors' hold values that are not finite"):
        snapshot.load_snapshot(path)


def test_vectors_are_no_snapshot_and_a_snapshot_is_no_vectors(path, tmp_path):
    """Each of the two says which it is when it is taken for the other."""
    keyed_vectors.save(tmp_path / "v", keyed_vectors.KeyedVectors(ROWS[:, :1], ("a", "b", "c")), overwrite=False)

    with pytest.raises(VectorsError, match=r"v is not a training snapshot"):
        snapshot.load_snapshot(tmp_path / "v")
    with pytest.raises(VectorsError, match=r"x\.snapshot is a training snapshot, for resume"):
        keyed_vectors.load(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", b"{}", b"\xff" * 100])
def test_other_files_are_refused(tmp_path, content):
    """An empty file, a pickle, a text."""
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(VectorsError, match="x is damaged or not a file of w2v"):
        snapshot.load_snapshot(tmp_path / "x")


EXPECTED = {"input_vectors": ROWS, "output_vectors": ROWS, "steps": np.array([0], np.int64)}


def test_a_state_that_fits_passes():
    """With and without the vectors that are kept for patience."""
    check_state("x", STATE.arrays, EXPECTED)
    check_state("x", {**STATE.arrays, BEST_VECTORS: ROWS}, EXPECTED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"input_vectors": ROWS[:2]},
        {"input_vectors": ROWS.astype(np.float64)},
        {"steps": np.array([-1], np.int64)},
        {"steps": np.array([1, 1], np.int64)},
        {BEST_VECTORS: ROWS[:, :1]},
        {"surplus": ROWS},
    ],
    ids=str,
)
def test_a_state_that_does_not_fit_is_refused(wrong):
    """Names, shapes and types are those of the trainer, or the file is damaged."""
    with pytest.raises(VectorsError, match="is damaged"):
        check_state("x", STATE.arrays | wrong, EXPECTED)
    with pytest.raises(VectorsError, match="is damaged"):
        check_state("x", {"input_vectors": ROWS}, EXPECTED)


def test_a_disk_that_refuses_keeps_the_old_snapshot(path):
    """A failing write is a StorageError (exit 6); the file before it is whole."""
    before = path.read_bytes()
    (path.parent / "f").touch()

    with pytest.raises(StorageError):
        snapshot.save_snapshot(path.parent / "f" / "x.snapshot", SNAPSHOT)

    assert path.read_bytes() == before


def test_arrays_are_views_of_the_file(path):
    """Loading takes no memory for them."""
    assert not snapshot.load_snapshot(path).state.arrays["input_vectors"].flags.owndata
    assert_array_equal(snapshot.load_snapshot(path).state.arrays["input_vectors"], ROWS)
