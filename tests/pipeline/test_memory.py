"""Memory: what a training will take is known beforehand, and what may be taken is found wherever it is limited."""

import functools
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import factories
from w2v_cli.errors import StorageError
from w2v_cli.kernels.protocols import Backend
from w2v_cli.pipeline import memory
from w2v_cli.pipeline.memory import MemoryNeed, Sizes, estimate, refuse_too_much
from w2v_cli.system.machine import MemoryLimit, read_limits

MEGABYTE = 1_000_000
# Trains, and writes what was in use before, what was thought to be needed, and the peak.
MEASURE = """
import json, sys, threading, time
from pathlib import Path
from w2v_cli.pipeline import prepare
from w2v_cli.system import machine
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.config.schema import Config

found, peaks, is_over = [], [0], threading.Event()
check = prepare.check_memory

def note(*arguments):
    found.append(check(*arguments))
    threading.Thread(target=look, daemon=True).start()
    return found[0]

def look():
    while not is_over.wait(0.002):
        peaks.append(machine.anonymous_bytes())

prepare.check_memory = note
train_vectors(Config.model_validate(json.loads(sys.argv[1])), Path(), lambda _: None)
is_over.set()
print(json.dumps({"in_use": found[0].in_use, "peak": max(peaks), "expected": found[0].peak}))
"""


config_of = functools.partial(factories.config_of, snapshot_every="never", algorithm="block")


def need_of(vocabulary, backend=Backend.NUMBA, *, kept_words=1000, threads=1, has_snapshot=False, **settings):
    sizes = Sizes(vocabulary, kept_words, threads, has_snapshot=has_snapshot)
    return estimate(config_of(**settings), backend, sizes)


def test_the_matrices_are_what_counts():
    """Two of float32 with whole cache lines as rows; six more for Adam, none of them padded."""
    assert need_of(1_000_000).parts["vectors"] == 2 * 4 * 1_000_000 * 112
    adam = need_of(1_000_000, algorithm="minibatch", optimizer="adam").parts
    assert adam["vectors"] == 2 * 4 * 1_000_000 * 100
    assert adam["optimizer"] == pytest.approx(6 * 4 * 1_000_000 * 100, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "part", "size"),
    [
        ({"has_snapshot": True}, "snapshot", 2 * 4 * 50_000 * 100),
        ({"has_snapshot": True, "algorithm": "minibatch", "optimizer": "adam"}, "snapshot", 6 * 4 * 50_000 * 100),
        ({"patience": 3, "validation": 0.1}, "best vectors", 4 * 50_000 * 100),
        ({"evaluate": ["wordsim353"]}, "evaluation", 16_000_000),
    ],
)
def test_what_is_asked_for_has_its_part(settings, part, size):
    """And is not there where it was not asked for."""
    assert need_of(50_000, **settings).parts[part] == size
    assert part not in need_of(50_000).parts


def test_the_driver_of_a_cluster_has_no_gpu():
    """What it takes does not depend on what its workers compute with."""
    config = config_of(algorithm="block")
    config = config.model_copy(update={"cluster": config.cluster.model_copy(update={"cluster": "local:2"})})
    sizes = Sizes(1_000_000, kept_words=1000, threads=1)

    assert estimate(config, Backend.CUPY, sizes) == estimate(config, Backend.NUMBA, sizes)


def test_more_of_anything_needs_more():
    """Words, dimensions, threads, windows of the minibatch algorithm: none makes it less."""
    sizes = {"vocabulary": 10_000, "kept_words": 100_000, "threads": 1}
    least = estimate(config_of(algorithm="minibatch"), Backend.NUMBA, Sizes(**sizes)).total

    for name, size in sizes.items():
        more = Sizes(**{**sizes, name: 2 * size})
        assert estimate(config_of(algorithm="minibatch"), Backend.NUMBA, more).total > least
    assert estimate(config_of(algorithm="minibatch", dim=200), Backend.NUMBA, Sizes(**sizes)).total > least


def test_the_peak_may_come_before_training():
    """First values are drawn in memory of the host, also where training has its matrices on the device."""
    need = estimate(config_of(), Backend.CUPY, Sizes(1_000_000, kept_words=100_000, threads=1))

    assert need.total == need.building > sum(need.parts.values())


@pytest.mark.parametrize(
    "settings",
    [
        {"model": {"dim": 200}, "training": {"epochs": 2, "algorithm": "block"}},
        {"model": {"dim": 200}, "training": {"epochs": 1, "algorithm": "block"}, "output": {"snapshot_every": "never"}},
        {"model": {"dim": 100}, "training": {"epochs": 2, "optimizer": "adam"}},
    ],
    ids=["block", "no snapshot", "adam"],
)
def test_the_estimate_is_what_is_taken(settings, tmp_path):
    """The peak of a real process, of its own memory, lies within a fifth of what was expected.

    There are two epochs, for the snapshot after the first one is a copy and the last one is not.
    """
    if not os.path.exists("/proc/self/status"):  # noqa: PTH110
        pytest.skip("this system does not tell a process's memory: NOT compared")
    words = np.random.default_rng(1).permutation(np.repeat(np.arange(20_000), 3))
    text = tmp_path / "text.txt"
    text.write_text(
        "\n".join(" ".join(f"w{word}" for word in line) for line in words.reshape(-1, 10)), encoding="utf-8"
    )
    settings = settings | {"corpus": {"source": str(text), "min_count": 1}}
    settings["output"] = settings.get("output", {}) | {"path": str(tmp_path / "x")}
    command = [sys.executable, "-c", MEASURE, json.dumps(settings)]

    done = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert done["peak"] > done["in_use"] + 30 * MEGABYTE
    assert done["expected"] == pytest.approx(done["peak"], rel=0.2)


LIMITS = [MemoryLimit("wide", 900 * MEGABYTE), MemoryLimit("tight", 200 * MEGABYTE)]


def refuse(total, limits=LIMITS, parts=None, threads=1):
    config = config_of(dim=300)
    refuse_too_much(MemoryNeed(parts or {"vectors": total}, 0), limits, config, vocabulary=70_000, threads=threads)


def test_too_little_memory_is_refused_with_need_and_limit():
    """Exit 6; the tightest limit is named, with what is needed, what there is and what to lower."""
    with pytest.raises(StorageError) as refusal:
        refuse(1_200 * MEGABYTE)

    assert refusal.value.exit_code == 6
    assert str(refusal.value) == (
        "training 70,000 words takes 1.20 GB of memory more, and there is room for 200 MB (limit: tight): lower dim "
        "(300), raise min_count (5)."
    )


def test_enough_memory_is_enough():
    """Up to the last byte; where no limit is known, always."""
    refuse(200 * MEGABYTE)
    refuse(10**15, limits=[])


def test_what_snapshots_take_can_be_spared():
    """Where there is a copy for them, the message says how to do without."""
    with pytest.raises(StorageError, match=r'or snapshot_every="never" \(saves 150 MB\)'):
        refuse(0, parts={"vectors": 150 * MEGABYTE, "snapshot": 150 * MEGABYTE})


def test_threads_need_addresses():
    """Where addresses are limited, the stacks and arenas of threads count; elsewhere they do not."""
    refuse(190 * MEGABYTE, threads=8)
    addresses = [MemoryLimit("addresses", 300 * MEGABYTE, is_of_addresses=True)]
    refuse(190 * MEGABYTE, addresses)

    with pytest.raises(StorageError, match=r"takes 830 MB .* \(limit: addresses\)"):
        refuse(190 * MEGABYTE, addresses, threads=8)


@pytest.fixture
def machine(tmp_path):
    """Return a function that lays out files as Linux has them and returns the limits found there, name → bytes."""

    def lay_out(**files):
        for name, content in ({"proc/meminfo": "MemAvailable: 1000 kB\nSwapFree: 24 kB\n"} | files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="ascii")
        return {limit.name: limit.available for limit in read_limits(tmp_path)}

    return lay_out


def test_free_memory_and_swap_can_be_had(machine):
    """What the machine has available, and its free swap."""
    assert machine() == {"free memory of the machine": 1024 * 1024}


def test_control_groups_of_version_2(machine):
    """The group's limit and those of the groups around it; files in its cache can be dropped."""
    found = machine(
        **{
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/job/memory.max": "max\n",
            "sys/fs/cgroup/user/job/memory.current": "5000\n",
            "sys/fs/cgroup/user/memory.max": "90000\n",
            "sys/fs/cgroup/user/memory.current": "50000\n",
            "sys/fs/cgroup/user/memory.stat": "anon 100\ninactive_file 20000\n",
        }
    )

    assert found["memory of the control group"] == 90_000 - 50_000 + 20_000


def test_control_groups_of_version_1(machine):
    """The controller `memory` has its own tree; its number for no limit is none."""
    files = {
        "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a\n",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "80000\n",
        "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "30000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
    }

    assert machine(**files)["memory of the control group"] == 50_000


def test_within_a_container_the_group_is_the_root(machine):
    """There the path of /proc/self/cgroup does not exist below the mount; the mount's own limit counts."""
    files = {
        "proc/self/cgroup": "0::/docker/abc\n",
        "sys/fs/cgroup/memory.max": "70000\n",
        "sys/fs/cgroup/memory.current": "10000\n",
    }

    assert machine(**files)["memory of the control group"] == 60_000


@pytest.mark.parametrize("name", ["proc/self/cgroup", "proc/meminfo", "sys/fs/cgroup/memory.max"])
def test_strange_files_are_no_limits(machine, name):
    """What cannot be understood is left alone."""
    assert "memory of the control group" not in machine(**{name: "\0:::x\n\n-1 kB MemAvailable\n:::::\n"})


def test_limits_of_the_process_are_found():
    """Those of `ulimit`, less what is taken already."""
    resource = pytest.importorskip("resource", reason="there are no such limits on Windows")
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, {resource.RLIM_INFINITY}))\n"
        "from w2v_cli.system.machine import read_limits; print(read_limits())"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout

    available = int(re.search(r"address space \(ulimit -v\)', available=(\d+), is_of_addresses=True", shown)[1])
    assert 3 << 30 < available < 4 << 30


def test_occurrences_that_subsampling_keeps():
    """Counts times keep probabilities, in float64: a billion of float32 would be a million off."""
    counts = np.array([10**9, 7])

    assert memory.expected_occurrences(counts, np.array([1, 1], np.float32)) == 10**9 + 7


def test_the_file_is_as_long_as_was_said(tmp_path):
    """The vectors file, up to the length of its metadata."""
    from w2v_cli.vectors.keyed_vectors import KeyedVectors, save  # noqa: PLC0415

    words = [f"word{i}" for i in range(1000)]
    vectors = KeyedVectors(np.ones((1000, 50), np.float32), words, np.ones(1000, np.int64), {"config": "x" * 2000})
    save(tmp_path / "x", vectors, overwrite=False)

    expected = memory.vectors_file_bytes(sum(map(len, words)), 1000, 50)
    assert (tmp_path / "x").stat().st_size == pytest.approx(expected, abs=3000)
