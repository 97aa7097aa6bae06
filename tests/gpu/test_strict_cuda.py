"""The stand-in for CUDA: each of its refusals, and that what it has, CuPy has."""

import inspect
from types import SimpleNamespace

import cupy_names
import numpy as np
import pytest
import strict_cuda
import strict_cupy
from stand_in import compiler  # noqa: F401  a fixture

from w2v_cli.config.schema import Config
from w2v_cli.kernels.block import cuda_layout
from w2v_cli.kernels.block.cuda_layout import KeptWords, Launch, Text

CONFIG = Config.model_validate({"model": {"dim": 8}, "sampling": {"subsample": 0.0}})
LAYOUT = cuda_layout.choose_layout(CONFIG.model, CONFIG.sampling.negatives, 64 * 1024)
LAUNCH = Launch(0, 0, 40, 0.05, 0.05)
WORDS = 5


@pytest.fixture(scope="module")
def draw(compiler):  # noqa: ARG001  skips where there is none
    """Return the kernel that draws."""
    return kernel_of("draw_spans")


def kernel_of(name):
    source = cuda_layout.SOURCE.read_text(encoding="utf-8")
    return strict_cupy.RawModule(code=source, options=LAYOUT.options()).get_function(name)


def on_device(array, dtype):
    return strict_cupy.asarray(np.asarray(array, dtype))


@pytest.fixture
def arguments():
    """Return the arguments of draw_spans for forty words in two sentences."""
    text = Text(
        on_device(np.arange(40) % WORDS, np.int32),
        on_device([0, 15, 40], np.int64),
        *(on_device(np.ones(WORDS), np.float32) for _ in range(2)),
        on_device(np.arange(WORDS), np.int32),
    )
    room = cuda_layout.kept_room(CONFIG.model.window)
    kept = KeptWords(*(strict_cupy.zeros((1, size), dtype=strict_cupy.int32) for size in (room, room, room, 3)))
    return list(cuda_layout.draw_arguments(text, kept, CONFIG.sampling.seed, LAUNCH))


def launch(kernel, arguments, grid=(1,), block=(64,), shared_mem=cuda_layout.DRAW_SHARED_BYTES):
    kernel(grid, block, tuple(arguments), shared_mem=shared_mem)


def test_a_kernel_runs(draw, arguments):
    """With the right arguments all words are kept and lie in the arrays of the device."""
    launch(draw, arguments)

    assert arguments[13].get().tolist() == [[0, 40, 40]]
    assert arguments[10].get()[0, :40].tolist() == (np.arange(40) % WORDS).tolist()
    assert strict_cuda.launches[-1] == ("draw_spans", (1,), (64,))


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, lambda ids: ids.astype("int64")),
        (0, lambda ids: ids.get()),
        (0, lambda ids: ids[::2]),
        (2, int),
        (2, np.int64),
        (4, np.int64),
        (5, np.int32),
        (6, np.int32),
        (6, float),
    ],
)
def test_an_argument_of_another_type_is_refused(draw, arguments, place, change):
    """Another dtype, an array of the host, one with gaps, a Python number: none reaches the kernel."""
    arguments[place] = change(arguments[place])

    with pytest.raises(TypeError):
        launch(draw, arguments)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 3), (3, 10), (4, 6), (5, 8)])
def test_arguments_in_another_order_are_refused(draw, arguments, one, other):
    """Two arguments that changed places are told by their types."""
    arguments[one], arguments[other] = arguments[other], arguments[one]

    with pytest.raises(TypeError):
        launch(draw, arguments)


@pytest.mark.parametrize("change", [lambda a: a[:-1], lambda a: [*a, np.int32(1)], lambda _: []])
def test_too_few_and_too_many_arguments_are_refused(draw, arguments, change):
    """The number of arguments is the kernel's."""
    with pytest.raises(TypeError):
        launch(draw, change(arguments))


@pytest.mark.parametrize("shapes", [{"grid": 1}, {"grid": [1]}, {"block": (64.0,)}, {"grid": (0,)}, {"block": 64}])
def test_a_launch_takes_tuples_of_integers(draw, arguments, shapes):
    """CuPy takes no list and no plain number for a grid."""
    with pytest.raises(TypeError, match="tuple"):
        launch(draw, arguments, **shapes)


def test_a_launch_takes_its_arguments_as_a_tuple_and_its_memory_by_name(draw, arguments):
    """As CuPy's RawKernel does."""
    with pytest.raises(TypeError, match="tuple"):
        draw((1,), (64,), arguments, shared_mem=132)
    with pytest.raises(TypeError):
        draw((1,), (64,), tuple(arguments), 132)


@pytest.mark.usefixtures("compiler")
def test_more_shared_memory_must_be_allowed_first(arguments):
    """More than 48 KiB need max_dynamic_shared_size_bytes, and the device has no more than it has."""
    kernel = kernel_of("draw_spans")
    with pytest.raises(strict_cuda.CUDADriverError, match="INVALID_VALUE"):
        launch(kernel, arguments, shared_mem=50_000)

    kernel.max_dynamic_shared_size_bytes = 50_000

    launch(kernel, arguments, shared_mem=50_000)
    with pytest.raises(strict_cuda.CUDADriverError, match="INVALID_VALUE"):
        kernel.max_dynamic_shared_size_bytes = 200_000


def test_a_kernel_that_is_not_there_is_refused():
    """As the driver does."""
    with pytest.raises(strict_cuda.CUDADriverError, match="NOT_FOUND"):
        kernel_of("train_block")


@pytest.mark.usefixtures("compiler")
def test_a_source_that_does_not_compile_is_refused():
    """With the exception of CuPy, at the first use."""
    options = tuple(option for option in LAYOUT.options() if not option.startswith("-DDIM"))

    with pytest.raises(strict_cuda.CompileException, match="DIM"):
        strict_cupy.RawModule(code=cuda_layout.SOURCE.read_text("utf-8"), options=options).get_function("train_blocks")


@pytest.mark.parametrize(
    "given", [{"options": ["-DX"]}, {"options": "-DX"}, {"code": None}, {"backend": "cuda"}, {"code": b"x"}]
)
def test_a_module_takes_text_and_a_tuple_of_options(given):
    """Nothing else becomes a module."""
    with pytest.raises((TypeError, ValueError)):
        strict_cupy.RawModule(**{"code": "x", "options": ()} | given)


@pytest.mark.parametrize(
    ("array", "error"),
    [
        ([1.0, 2.0], TypeError),
        (np.ones(2, np.float64), TypeError),
        (np.ones(3, np.float32), ValueError),
    ],
)
def test_only_an_equal_array_of_the_host_is_set(array, error):
    """Another type, dtype or shape is refused, as by CuPy."""
    with pytest.raises(error):
        strict_cupy.zeros(2, dtype=strict_cupy.float32).set(array)


def test_it_has_nothing_that_is_not_recorded():
    """Every public name of the stand-in is in cupy_names.py, whose names are compared with CuPy where it is there."""
    assert set(_public_names(strict_cupy.cuda, "cuda.")) <= cupy_names.CUDA
    for kind in (strict_cuda.RawModule, strict_cuda.RawKernel):
        assert set(_public_names(kind, f"{kind.__name__}.")) <= cupy_names.CUDA
    assert strict_cuda.ATTRIBUTES.keys() <= cupy_names.CUDA_DEVICE_ATTRIBUTES


def _public_names(holder, prefix):
    for name in vars(holder):
        value = inspect.getattr_static(holder, name)
        if name.startswith("_"):
            continue
        if isinstance(value, SimpleNamespace):
            yield from _public_names(value, f"{prefix}{name}.")
        else:
            yield prefix + name
            if inspect.isclass(value) and not issubclass(value, Exception):
                yield from _public_names(value, f"{prefix}{name}.")
