"""block.cu through NVIDIA's compiler, for each architecture: no spills, few registers, the instructions that are meant.

What is compiled here is run nowhere here.
"""

import functools
import re

import pytest
from nvrtc import WHEEL, Nvrtc, read_usage

from w2v_cli.config.resolve import resolve
from w2v_cli.kernels.block.cuda_layout import DRAW_KERNEL, SOURCE, TRAIN_KERNEL, choose_layout

NO_COMPILER = f"SKIPPED: the wheel {WHEEL} is not installed: block.cu was NOT compiled for a GPU"
SHARED_KIBIBYTES = {"sm_75": 64, "sm_80": 163, "sm_90": 227, "sm_100": 227}  # that a block of threads may have
REGISTERS = {100: 128, 128: 128, 300: 255, 512: 255}  # of train_blocks at each D, at most
DRAW_REGISTERS = 64  # a block of 1,024 threads has no more
SLICES = {  # at each D, in the order of SHARED_KIBIBYTES
    "skipgram": {100: (1, 1, 1, 1), 128: (1, 1, 1, 1), 300: (3, 1, 1, 1), 512: (4, 2, 1, 1)},
    "cbow": {100: (1, 1, 1, 1), 128: (2, 1, 1, 1), 300: (3, 1, 1, 1), 512: (5, 2, 2, 2)},
}


@pytest.fixture(scope="module")
def compile_for():
    """Return a function that compiles for an architecture, a model and D, once each: (PTX, usage, log, layout)."""
    try:
        nvrtc = Nvrtc()
    except ImportError:
        pytest.skip(NO_COMPILER)

    @functools.cache
    def compile_for(architecture, model, dim):
        config = resolve(sets=[f"model.model={model}", f"model.dim={dim}"]).config
        layout = choose_layout(config.model, config.sampling.negatives, SHARED_KIBIBYTES[architecture] * 1024)
        options = (f"--gpu-architecture={architecture}", "--ptxas-options=-v", *layout.options())
        ptx, log = nvrtc.compile(SOURCE.read_text(encoding="utf-8"), options)
        return ptx, read_usage(log), log, layout

    return compile_for


every = pytest.mark.parametrize(
    ("architecture", "model", "dim"),
    [(architecture, model, dim) for architecture in SHARED_KIBIBYTES for model in SLICES for dim in REGISTERS],
)


@every
def test_nothing_spills_and_registers_stay_in_their_budget(compile_for, architecture, model, dim):
    """No thread keeps anything in local memory, and none takes more registers than the table says."""
    _, usage, log, layout = compile_for(architecture, model, dim)

    assert usage.keys() == {DRAW_KERNEL, TRAIN_KERNEL}, log
    assert all((used.stack, used.spills) == (0, 0) for used in usage.values()), usage
    assert usage[TRAIN_KERNEL].registers <= REGISTERS[dim]
    assert usage[DRAW_KERNEL].registers <= DRAW_REGISTERS
    assert layout.slices == SLICES[model][dim][list(SHARED_KIBIBYTES).index(architecture)]
    assert "warning" not in log


@every
def test_rows_are_read_from_the_second_level_cache_and_added_by_atomics(compile_for, architecture, model, dim):
    """Rows come as float4 by ld.global.cg; all that train_blocks writes is added, a float4 at a time from sm_90 on."""
    ptx, *_ = compile_for(architecture, model, dim)
    body = ptx[ptx.index(f".entry {TRAIN_KERNEL}") :]
    body = body[: body.find(".entry", 10)] if ".entry" in body[10:] else body
    added = set(re.findall(r"(?:red|atom)\.[\w.]*global[\w.]*", body))

    assert re.search(r"ld\.global\.cg\.v4\.f32", body)
    assert not re.search(r"\bst\.global", body)
    assert any("f64" in instruction for instruction in added)
    assert any("v4" in instruction for instruction in added) == (architecture in {"sm_90", "sm_100"})
    assert all("f32" in instruction or "f64" in instruction for instruction in added)


def test_an_error_in_the_source_is_told():
    """What does not compile raises the compiler's words."""
    try:
        nvrtc = Nvrtc()
    except ImportError:
        pytest.skip(NO_COMPILER)

    with pytest.raises(ValueError, match=r"identifier .b. is undefined"):
        nvrtc.compile('extern "C" __global__ void f(float *a) { a[0] = b; }', ("--gpu-architecture=sm_90",))
