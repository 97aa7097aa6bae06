"""Work on a cluster of Dask in this process: what comes back, and how it is told that nothing can."""

import asyncio
import logging

import pytest

pytest.importorskip("distributed", reason="the extra distributed is not installed: clusters are NOT tested")

import distributed

from w2v_cli.cluster import connect, workers
from w2v_cli.cluster import pool as cluster_module
from w2v_cli.cluster import tasks as tasks_module
from w2v_cli.cluster.pool import Cluster, ClusterJoined, Task
from w2v_cli.config.schema import ClusterSettings
from w2v_cli.errors import ClusterError


@pytest.fixture
def client(monkeypatch):
    """Return a client with two workers, which are threads of this process, and quick looks at what they do."""
    monkeypatch.setattr(cluster_module, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(workers, "_ASK_SECONDS", 0.05)
    options = {"processes": False, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    options["scheduler_kwargs"] = {"dashboard_address": "127.0.0.1:0"}  # else it wants port 8787, as others do
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as started,
        distributed.Client(started, set_as_default=False, direct_to_workers=True) as connected,
    ):
        yield connected


@pytest.fixture
def tasks(monkeypatch):
    """Return the table of what workers can do, which a test may add to."""
    table = {}
    monkeypatch.setattr(tasks_module, "_TASKS", table)
    return table


def joined(client, events=None, *, timeout=20.0):
    """Return the Cluster of a client, begun."""
    found = Cluster(client, "ours", timeout, [].append if events is None else events.append)
    found.begin()
    return found


def tasks_named(name, *arguments):
    return [Task(name, (argument,), f"the work {argument}") for argument in arguments]


def test_results_come_in_order(client, tasks):
    """Each function gets what is kept, what is shared and its own; who is there is told at the beginning."""
    tasks["add"] = lambda kept, shared, own: (kept, shared, own)
    events = []

    assert list(joined(client, events).run_in_order(tasks_named("add", 1, 2, 3), "s", kept=["k"])) == [
        ("k", "s", number) for number in (1, 2, 3)
    ]
    assert [type(event) for event in events] == [ClusterJoined]
    assert len(events[0].workers) == 2


def test_a_result_may_be_long_on_its_way(client, tasks, monkeypatch):
    """Its way is not begun anew at each look at the cluster: it would never arrive."""
    tasks["same"] = lambda own: own
    gather = client._gather_remote

    async def slow(*arguments):
        await asyncio.sleep(0.5)
        return await gather(*arguments)

    monkeypatch.setattr(client, "_gather_remote", slow)

    assert list(joined(client).run_in_order(tasks_named("same", 7))) == [7]


@pytest.mark.parametrize("error", [TimeoutError("of a worker"), OSError(28, "No space left on device")])
def test_what_a_worker_was_refused_is_told(client, tasks, error):
    """It is no sign that a result is still to come."""

    def refuse(_own):
        raise error

    tasks["refuse"] = refuse

    with pytest.raises(ClusterError, match=f"the work 7 failed on a worker: {type(error).__name__}: "):
        list(joined(client).run_in_order(tasks_named("refuse", 7)))


def test_workers_that_cannot_be_sent_anything_are_told(client, tasks, monkeypatch):
    """A broadcast that fails again and again kills nobody, and is not told as if it had."""
    tasks["same"] = lambda _shared, own: own

    def refuse(*_arguments, **_options):
        raise OSError("Timed out trying to connect to tcp://10.0.0.9:1")

    ours = joined(client)
    monkeypatch.setattr(client, "scatter", refuse)

    with pytest.raises(ClusterError, match=r"cannot exchange data with the workers for the work 7: .*Timed out"):
        list(ours.run_in_order(tasks_named("same", 7), "shared"))


def test_a_newcomer_gets_nothing_before_it_was_met(client, tasks, monkeypatch):
    """Whoever connects to the scheduler: tasks go only to those that have answered."""
    tasks["where"] = lambda _own: distributed.get_worker().address
    ours = joined(client)
    before = set(client.scheduler_info()["workers"])

    async def never(*_arguments):
        await asyncio.sleep(60)

    monkeypatch.setattr(workers, "probe", never)
    client.cluster.scale(4)
    client.wait_for_workers(4, timeout=20)

    assert set(ours.run_in_order(tasks_named("where", *range(12)))) <= before


def test_tasks_whose_workers_are_all_gone_go_to_others(client, tasks):
    """Each is bound to those that had been met when it was given away; there may be others by now."""
    tasks["where"] = lambda _own: distributed.get_worker().address
    ours = joined(client)
    before = set(client.scheduler_info()["workers"])
    found = ours.run_in_order(tasks_named("where", *range(40)))
    next(found)

    client.cluster.scale(3)
    client.wait_for_workers(3, timeout=20)
    client.retire_workers(list(before), close_workers=True)

    assert not set(list(found)[-3:]) & before


def test_local_workers_keep_no_profile():
    """Dask's would grow with each second."""
    with connect.open_cluster(ClusterSettings(cluster="local:1"), lambda _: None) as ours:
        found = ours._client.run(lambda: __import__("dask").config.get("distributed.worker.profile.enabled"))

    assert list(found.values()) == [False]


def test_the_scheduler_forgets_what_is_done(client, tasks):
    """It keeps a Span for each group of tasks, and would make a group anew for each call."""
    tasks["same"] = lambda _shared, own: own
    ours = joined(client)
    scheduler = client.cluster.scheduler

    for number in range(10):
        assert list(ours.run_in_order(tasks_named("same", number), {"shared": number})) == [number]

    assert len(scheduler.extensions["spans"].spans) <= 2
    assert len(scheduler.tasks) < 10
