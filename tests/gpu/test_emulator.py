"""The emulator itself: what it must catch on small kernels, each time."""

import sys

import emulator
import numpy as np
import pytest
from emulator import NO_COMPILER, Emulator, find_compiler
from numpy.testing import assert_array_equal

pytestmark = pytest.mark.skipif(find_compiler() is None, reason=NO_COMPILER)

REVERSE = """
extern "C" __global__ void reverse(const float *from, float *to) {
    extern __shared__ float4 shared_memory[];
    float *copy = reinterpret_cast<float *>(shared_memory);
    const int i = threadIdx.x, n = blockDim.x, begin = blockIdx.x * n;
    copy[i] = from[begin + i];
    __syncthreads();
    to[begin + i] = copy[n - 1 - i];
}
"""
COLLECTIVES = """
extern "C" __global__ void collect(int *sums, int *ballots, int *counts) {
    const int i = threadIdx.x;
    int sum = i;
    for (int half = 16; half > 0; half /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, half);
    sums[i] = sum;
    ballots[i] = (int)__ballot_sync(0xffffffffu, i % 3 == 0);
    counts[i] = __syncthreads_count(i % 5 == 0);
}
"""
LOCKED = {
    "a barrier that half of a warp skips": "if (threadIdx.x % 32 < 16) __syncthreads();",
    "a barrier that a warp skips": "if (threadIdx.x < 32) __syncthreads();",
    "an exchange that a lane skips": "if (threadIdx.x != 3) __shfl_xor_sync(0xffffffffu, 1, 1);",
    "an exchange that meets a ballot": "if (threadIdx.x % 2) __shfl_xor_sync(0xffffffffu, 1, 1);"
    " else __ballot_sync(0xffffffffu, 1);",
    "an exchange that meets a barrier": "if (threadIdx.x % 2) __shfl_xor_sync(0xffffffffu, 1, 1);"
    " else __syncthreads();",
}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return a function from a source and its kernel to an emulator of it."""
    folder = tmp_path_factory.mktemp("emulated")
    return lambda source, kernel: Emulator(source, (), folder, kernels=(kernel,))


def reverse(built, seed, blocks=3, threads=64):
    """Return whether `blocks` blocks of threads turned their parts of a text around; the input differs each time."""
    numbers = np.random.default_rng(seed).random((blocks, threads)).astype(np.float32)
    found = np.zeros_like(numbers)
    built.launch("reverse", blocks, threads, 4 * threads, (numbers, found), seed=seed)
    return np.array_equal(found, numbers[:, ::-1])


def test_a_removed_barrier_is_caught_every_time(build):
    """In twenty orders of its threads a kernel is right with its barrier and wrong without it."""
    right, wrong = build(REVERSE, "reverse"), build(REVERSE.replace("__syncthreads();", ""), "reverse")

    assert all(reverse(right, seed) for seed in range(20))
    assert not any(reverse(wrong, seed) for seed in range(20))


def test_shared_memory_is_nan_where_a_block_of_threads_begins(build):
    """What was not written reads as NaN, also after another block of threads had the right values there."""
    source = REVERSE.replace("copy[i] = from[begin + i];", "if (blockIdx.x == 0) copy[i] = from[begin + i];")
    numbers, found = np.ones((4, 64), np.float32), np.zeros((4, 64), np.float32)

    build(source, "reverse").launch("reverse", 4, 64, 256, (numbers, found), resident=1)

    assert (found[0] == 1).all()
    assert np.isnan(found[1:]).all()


def test_each_block_of_threads_has_its_own_shared_memory(build):
    """Blocks of threads that run side by side do not see each other's."""
    assert reverse(build(REVERSE, "reverse"), 1, blocks=8)


@pytest.mark.parametrize("seed", range(5))
def test_exchanges_ballots_and_counts(build, seed):
    """What a warp or a block of threads does together gives what CUDA says."""
    sums, ballots, counts = (np.zeros(64, np.int32) for _ in range(3))

    build(COLLECTIVES, "collect").launch("collect", 1, 64, 0, (sums, ballots, counts), seed=seed)

    thirds = [sum(1 << lane for lane in range(32) if (lane + first) % 3 == 0) for first in (0, 32)]
    assert_array_equal(sums, np.repeat([sum(range(32)), sum(range(32, 64))], 32))
    assert_array_equal(ballots.view(np.uint32), np.repeat(thirds, 32))
    assert_array_equal(counts, np.full(64, 13))


@pytest.mark.parametrize("body", LOCKED.values(), ids=LOCKED)
def test_threads_that_lock_each_other_out_are_an_error(build, body):
    """What hangs on a GPU, or is undefined there, ends with an error instead."""
    source = f'extern "C" __global__ void locked(int *unused) {{ {body} }}'

    with pytest.raises(RuntimeError, match="deadlock"):
        build(source, "locked").launch("locked", 2, 64, 0, (np.zeros(1, np.int32),))


def test_blocks_of_threads_run_side_by_side_in_turns(build):
    """Which block of threads adds first depends on the seed, and with one at a time on nothing."""
    source = (
        'extern "C" __global__ void note(int *next, int *order) {'
        " __syncthreads(); if (threadIdx.x == 0) order[next[0]++] = blockIdx.x; }"
    )
    orders = []
    for seed, resident in ((1, 6), (2, 6), (3, 1)):
        order = np.zeros(6, np.int32)
        arguments = (np.zeros(1, np.int32), order)
        build(source, "note").launch("note", 6, 32, 0, arguments, resident=resident, seed=seed)
        orders.append(order.tolist())

    assert orders[0] != orders[1]
    assert orders[2] == [0, 1, 2, 3, 4, 5]


def test_what_is_not_emulated_is_refused(build):
    """Shared memory that is no parameter of the launch, and source that is no CUDA, are errors."""
    with pytest.raises(ValueError, match="extern __shared__"):
        build('extern "C" __global__ void f(int *a) { __shared__ int b[2]; }', "f")
    with pytest.raises(ValueError, match=r"undeclared|not declared"):
        build('extern "C" __global__ void f(int *a) { a[0] = nowhere; }', "f")


def test_the_wheels_compiler_serves_as_well(tmp_path, monkeypatch):
    """Where the system has no compiler, the wheel ziglang compiles the same."""
    pytest.importorskip("ziglang", reason="SKIPPED: the wheel ziglang is not installed: it was NOT tried as a compiler")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(emulator, "find_compiler", find_compiler.__wrapped__)

    assert emulator.find_compiler()[0] == sys.executable
    assert reverse(Emulator(REVERSE, (), tmp_path, kernels=("reverse",)), 1)
