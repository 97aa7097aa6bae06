"""The stand-in for CuPy: each of its refusals, and that what it has, CuPy has."""

import importlib
import inspect
import math
import operator

import cupy_names
import numpy as np
import pytest
import strict_cupy as cupy
from numpy.testing import assert_array_equal


@pytest.fixture
def matrix():
    """Return a (4, 3) matrix on the pretended device and forget what was counted."""
    matrix = cupy.asarray(np.arange(12, dtype=np.float32).reshape(4, 3))
    cupy.counts.waits = cupy.counts.uploads = 0
    return matrix


HOST = np.ones((4, 3), np.float32)


@pytest.mark.parametrize("convert", [np.asarray, np.array, np.float64, lambda a: HOST.__setitem__(slice(None), a)])
def test_no_array_turns_into_a_numpy_array_unasked(matrix, convert):
    """NumPy cannot take an array of the device for its own, whichever way it tries."""
    with pytest.raises(TypeError, match="Implicit conversion"):
        convert(matrix)


@pytest.mark.parametrize(
    "mix",
    [
        lambda a: a + HOST,
        lambda a: HOST + a,
        lambda a: a @ HOST.T,
        lambda a: operator.iadd(a, HOST),
        lambda a: operator.iadd(HOST.copy(), a),
        lambda a: a == HOST,
        lambda a: np.add(a, HOST),
        lambda a: cupy.where(a > 0, a, HOST),
        lambda a: cupy.concatenate((a, HOST)),
        lambda a: cupy.einsum("ij,ij->i", a, HOST),
        lambda a: cupy.sqrt(HOST) + a,
        lambda a: cupy.add(a, 1, out=HOST),
        lambda a: cupy.add.at(a, cupy.asarray([0]), HOST[:1]),
        lambda a: operator.add(a, [1, 2, 3]),
    ],
)
def test_no_operation_mixes_device_and_host(matrix, mix):
    """An operation with one array here and one there is refused, in either order."""
    with pytest.raises(TypeError):
        mix(matrix)


@pytest.mark.parametrize("rows", [np.array([0, 1]), [0, 1], np.array([True, False, True, False]), (np.array([0]), 1)])
def test_a_host_array_is_no_index(matrix, rows):
    """Rows are chosen by arrays of the device, in reading and in writing."""
    with pytest.raises(TypeError, match="index"):
        matrix[rows]
    with pytest.raises(TypeError, match="index"):
        matrix[rows] = 0


def test_a_host_array_is_no_value(matrix):
    """Rows are written from arrays of the device or from scalars."""
    with pytest.raises(TypeError, match="Unsupported"):
        matrix[0] = HOST[0]


@pytest.mark.parametrize("scalar", [2, 2.0, np.float32(2), np.int64(2)], ids=repr)
@pytest.mark.parametrize("operation", [operator.mul, operator.add, operator.sub, operator.truediv])
def test_scalars_are_welcome(matrix, scalar, operation):
    """Python's and NumPy's scalars operate with an array from either side, with NumPy's result and dtype."""
    host = matrix.get() + 1
    device = matrix + np.float32(1)

    for found, expected in [
        (operation(device, scalar), operation(host, scalar)),
        (operation(scalar, device), operation(scalar, host)),
    ]:
        assert isinstance(found, cupy.ndarray)
        assert found.dtype == expected.dtype
        assert_array_equal(found.get(), expected)


@pytest.mark.parametrize(
    "name", ["insert", "block", "einsum_path", "nonzero", "unique", "longdouble", "str_", "testing"]
)
def test_what_cupy_lacks_is_not_there(name):
    """A name that CuPy lacks, or that makes the host wait, is no attribute."""
    with pytest.raises(AttributeError, match=name):
        getattr(cupy, name)


@pytest.mark.parametrize("dtype", ["longdouble", object, "U3", "M8[s]"])
def test_a_dtype_that_cupy_lacks_is_refused(matrix, dtype):
    """No array of such a dtype comes to the device or arises there."""
    with pytest.raises(ValueError, match="Unsupported dtype"):
        cupy.asarray(np.zeros(3, dtype))
    with pytest.raises(ValueError, match="Unsupported dtype"):
        matrix.astype(dtype)


@pytest.mark.parametrize(
    "call",
    [
        lambda a: cupy.sum(a, where=True),
        lambda a: a.sum(initial=0),
        lambda a: cupy.exp(a, where=True),
        lambda a: cupy.einsum("ij->i", a, out=a),
        lambda a: cupy.clip(a, min=0, max=1),
        lambda a: cupy.where(a > 0),
    ],
)
def test_a_keyword_that_cupy_lacks_is_refused(matrix, call):
    """NumPy's keywords that CuPy has not got are errors, and so is the form of where that makes the host wait."""
    with pytest.raises(TypeError, match="argument"):
        call(matrix)


@pytest.mark.parametrize(
    "reduce",
    [
        lambda a: a.sum(),
        lambda a: cupy.sum(a, dtype=cupy.float64),
        lambda a: a.max(),
        lambda a: a[1, 2],
        lambda a: a[1][2],
        lambda a: 0.0 + a.sum(),
        lambda a: np.sqrt(a.sum()),
        np.sum,
    ],
)
def test_a_single_number_stays_on_the_device(matrix, reduce):
    """A reduction or an element is an array without axes, and nobody waits for it."""
    found = reduce(matrix)

    assert isinstance(found, cupy.ndarray)
    assert found.shape == ()
    assert cupy.counts.waits == 0


@pytest.mark.parametrize(
    "fetch",
    [
        float,
        int,
        bool,
        str,
        repr,
        math.isfinite,
        "{:.3f}".format,
        lambda a: a.item(),
        lambda a: a.get(),
        lambda a: a.tolist(),
        cupy.asnumpy,
        lambda a: a if a > 0 else None,
    ],
)
def test_what_makes_the_host_wait_is_counted(matrix, fetch):
    """Whatever brings a number to the host counts as one wait."""
    total = matrix.sum()

    fetch(total)

    assert cupy.counts.waits == 1


def test_a_mask_makes_the_host_wait(matrix):
    """Selecting by a mask counts as a wait: how much it selects is known on the device only."""
    assert matrix[matrix > 3].shape == (8,)
    assert cupy.counts.waits == 1


def test_what_is_sent_to_the_device_is_counted_and_copied(matrix):
    """A NumPy array that asarray takes counts as an upload and is copied; an array of the device stays what it is."""
    host = np.zeros(3, np.float32)

    device = cupy.asarray(host)
    host[:] = 7

    assert_array_equal(device.get(), [0, 0, 0])
    assert cupy.asarray(matrix) is matrix
    assert cupy.counts.uploads == 1


def test_adding_by_index_loses_repeated_rows(matrix):
    """`matrix[rows] += updates` adds one of a row's updates only."""
    rows = cupy.asarray(np.array([1, 1, 2]))
    before = matrix.get()

    matrix[rows] += cupy.ones((3, 3), dtype=cupy.float32)

    assert_array_equal(matrix.get() - before, [[0] * 3, [1] * 3, [1] * 3, [0] * 3])


def test_add_at_loses_no_row(matrix):
    """Adding with add.at sums the updates of a repeated row."""
    rows = cupy.asarray(np.array([1, 1, 2]))
    before = matrix.get()

    cupy.add.at(matrix, rows, cupy.ones((3, 3), dtype=cupy.float32))

    assert_array_equal(matrix.get() - before, [[0] * 3, [2] * 3, [1] * 3, [0] * 3])


@pytest.mark.parametrize("dtype", [np.int8, np.complex64])
def test_add_at_needs_atomics(dtype):
    """Adding refuses the dtypes that CuPy has no atomic addition for."""
    with pytest.raises(TypeError, match="does not support"):
        cupy.add.at(cupy.zeros(3, dtype=dtype), cupy.asarray(np.array([0])), 1)


def test_overflow_does_not_warn(matrix):
    """A device raises no floating-point warnings."""
    assert np.isinf(cupy.exp(matrix * 1000).get()).any()


def test_all_names_are_cupys():
    """Where CuPy is installed, GPU or not, it has every recorded name and keyword."""
    try:
        real = importlib.import_module("cupy")
    except ImportError:
        pytest.skip("CuPy is not installed: the recorded names were NOT compared with it")

    assert real.__name__ == "cupy"
    assert [name for name in cupy_names.UFUNCS if not isinstance(getattr(real, name, None), real.ufunc)] == []
    names = cupy_names.FUNCTIONS.keys() | cupy_names.DTYPES | cupy_names.CONSTANTS
    assert [name for name in names if not hasattr(real, name)] == []
    assert [name for name in cupy_names.METHODS if not hasattr(real.ndarray, name)] == []
    assert [name for name in cupy_names.CUDA if not _has(real, name)] == []
    attributes = cupy_names.CUDA_DEVICE_ATTRIBUTES
    assert [name for name in attributes if not hasattr(real.cuda.runtime, f"cudaDevAttr{name}")] == []
    for name in cupy_names.FUNCTIONS.keys() - {"einsum", "matmul"}:  # these two take *arguments
        assert cupy_names.FUNCTIONS[name] <= inspect.signature(getattr(real, name)).parameters.keys(), name


def _has(module, name):
    """Return whether a module has what a dotted name says."""
    try:
        operator.attrgetter(name)(module)
    except AttributeError:
        return False
    return True
