"""Workers, drivers and schedulers that die: the training ends as if nothing had happened, or says what to do."""

import signal

import pytest

pytest.importorskip("distributed", reason="the extra distributed is not installed: clusters are NOT tested")

from cli.running import make_program
from faults.cluster_runs import (
    SETTINGS,
    External,
    busy_workers,
    events,
    finish,
    has_trained,
    wait_for,
    workers_of,
    write_text,
)

VECTORS = "w2v.safetensors"
TRAIN = ("train", "text.txt", *SETTINGS, "--log", "run.jsonl")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the bytes of the vectors of a training that nothing befell."""
    program = make_program(tmp_path_factory.mktemp("undisturbed"))
    write_text(program.folder / "text.txt")
    with program.started(*TRAIN, "--cluster", "local:1") as process:
        finish(process)
    return (program.folder / VECTORS).read_bytes()


@pytest.fixture
def w2v(tmp_path):
    """Return the Program with the same text in its folder."""
    program = make_program(tmp_path)
    write_text(program.folder / "text.txt")
    return program


_ATTEMPTS = 5  # a worker may have ended its shard just before it is killed


def lost_shards(folder):
    """Return, for each worker that the log says was lost, the shards that it was at; nothing while there is none."""
    return [event["works"] for event in events(folder) if event["event"] == "worker_lost"]


@pytest.mark.fault(45)
@pytest.mark.parametrize("how_many", [1, 2])
def test_killed_workers_are_replaced_and_their_shards_trained_again(w2v, expected, how_many):
    """One of two workers, or both at once, in the middle of a shard, as the log proves: the vectors are the same.

    Also where Dask would give up a worker for good as soon as it is away, as it does after 15 s of dying twice.
    """
    w2v.environment["DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT"] = "0s"
    with w2v.started(*TRAIN, "--cluster", "local:2") as process:
        wait_for(lambda: has_trained(w2v.folder), process)
        for _ in range(_ATTEMPTS):
            workers = wait_for(lambda: busy_workers(process, how_many), process)
            for worker in workers:
                worker.send_signal(signal.SIGKILL)
            wait_for(lambda: lost_shards(w2v.folder), process)
            if any(lost_shards(w2v.folder)):
                break
        told = finish(process)

    assert any(lost_shards(w2v.folder))
    assert "Lost worker tcp://127.0.0.1:" in told
    assert "warning: " not in told
    assert (w2v.folder / VECTORS).read_bytes() == expected


IMPATIENT = "import dask; dask.config.set({'distributed.deploy.lost-worker-timeout': '1ms'})"


@pytest.mark.fault(45)
def test_no_worker_is_given_up(w2v, expected):
    """Dask does that with one that is away so long after a loss, by a setting of its own."""
    with w2v.started(*TRAIN, "--set", "cluster.worker_timeout=15s", "--cluster", "local:1", first=IMPATIENT) as process:
        wait_for(lambda: has_trained(w2v.folder), process)
        wait_for(lambda: busy_workers(process, 1), process)[0].send_signal(signal.SIGKILL)
        finish(process)

    assert (w2v.folder / VECTORS).read_bytes() == expected


@pytest.mark.fault(45)
def test_local_workers_that_do_not_come_back_are_told(w2v):
    """Nobody can start one by hand: what to do is said of this machine."""
    w2v.write("trick/sitecustomize.py", REFUSED)
    w2v.environment["PYTHONPATH"] = str(w2v.folder / "trick")
    with w2v.started(*TRAIN, "--set", "cluster.worker_timeout=4s", "--cluster", "local:1") as process:
        wait_for(lambda: has_trained(w2v.folder), process)
        w2v.write("no-more", "")
        wait_for(lambda: busy_workers(process, 1), process)[0].send_signal(signal.SIGKILL)
        told = finish(process, exit_code=6)

    assert "the cluster local:1 has had no worker for 4 s: the system does not let them start" in told
    assert "snapshot is kept" in told


@pytest.mark.fault(1, 45)
def test_a_killed_driver_goes_on_from_its_last_round(w2v, expected):
    """Its workers end with it; --resume, on another number of workers, gives the same vectors and clears its folder."""
    temporary = w2v.folder / "temporary"
    temporary.mkdir()
    w2v.environment["TMPDIR"] = str(temporary)
    with w2v.started(*TRAIN, "--cluster", "local:2") as process:
        wait_for(lambda: has_trained(w2v.folder, 3), process)
        workers = workers_of(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))

    assert len(list(temporary.glob("w2v-cluster-*"))) == 1
    with w2v.started("train", "text.txt", "--resume", "--cluster", "local:3", "--log", "run.jsonl") as process:
        finish(process)
    assert not list(temporary.glob("w2v-cluster-*"))

    resumed = [event for event in events(w2v.folder) if event["event"] == "resumed"]
    assert len(resumed) == 1
    assert resumed[0]["progress"] > 0
    assert (w2v.folder / VECTORS).read_bytes() == expected


@pytest.mark.fault(45)
def test_a_scheduler_that_dies_ends_the_training_with_its_last_round(w2v, expected):
    """Dask does not survive that: exit 6, one line, a snapshot; --resume on a new scheduler gives the same vectors."""
    with External(w2v) as cluster, w2v.started(*TRAIN, "--cluster", cluster.url) as process:
        wait_for(lambda: has_trained(w2v.folder), process)
        cluster.scheduler.send_signal(signal.SIGKILL)
        told = finish(process, exit_code=6)

    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert f"the scheduler at {cluster.url} is gone" in errors[0]
    assert "w2v.safetensors.snapshot is kept, from epoch 1: --resume continues from it." in errors[0]
    assert not (w2v.folder / VECTORS).exists()
    with External(w2v) as cluster, w2v.started("train", "text.txt", "--resume", "--cluster", cluster.url) as process:
        finish(process)
    assert (w2v.folder / VECTORS).read_bytes() == expected


@pytest.mark.fault(45)
def test_workers_that_all_die_for_good_end_the_training_with_its_last_round(w2v, expected):
    """Exit 6 after the time that the user grants; --resume with new workers gives the same vectors."""
    arguments = (*TRAIN, "--set", "cluster.worker_timeout=3s")
    with External(w2v) as cluster, w2v.started(*arguments, "--cluster", cluster.url) as process:
        wait_for(lambda: has_trained(w2v.folder), process)
        cluster.kill_workers()
        told = finish(process, exit_code=6)

    assert f"the cluster {cluster.url} has had no worker for 3 s" in told
    assert "w2v.safetensors.snapshot is kept, from epoch 1: --resume continues from it." in told
    assert not (w2v.folder / VECTORS).exists()
    with w2v.started("train", "text.txt", "--resume", "--cluster", "local:1") as process:
        finish(process)
    assert (w2v.folder / VECTORS).read_bytes() == expected


REFUSED = """
import os, sys
if "spawn_main" in " ".join(sys.orig_argv) and os.path.exists("no-more"):
    os._exit(1)
"""
DEADLY = """
import os, sys
if "spawn_main" in " ".join(sys.orig_argv):
    import w2v_cli.cluster.tasks as tasks
    train = tasks._TASKS["train"]
    def deadly(vocabulary, state, work):
        if work.shard.number == 5:
            os.kill(os.getpid(), 9)
        return train(vocabulary, state, work)
    tasks._TASKS["train"] = deadly
"""


@pytest.mark.fault(45)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard_that_kills_its_workers_is_named(w2v, workers):
    """Again and again, on each worker: exit 6 with the shard and where it lies, and the round before is kept."""
    w2v.write("trick/sitecustomize.py", DEADLY)
    w2v.environment["PYTHONPATH"] = str(w2v.folder / "trick")
    with w2v.started(*TRAIN, "--cluster", f"local:{workers}") as process:
        told = finish(process, exit_code=6)

    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "shard 2 of round 2 of 4, epoch 1 (text.txt from byte " in errors[0]
    assert "killed every worker that ran it" in errors[0]
    assert "snapshot is kept, from epoch 1: --resume continues from it." in errors[0]
