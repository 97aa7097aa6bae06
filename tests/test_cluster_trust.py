"""Which workers and which schedulers' files are trusted."""

import pytest

from w2v_cli.cluster_settings import ClusterSettings
from w2v_cli.cluster_trust import check_listening, check_scheduler, check_workers, scheduler_url
from w2v_cli.errors import ConfigError


@pytest.mark.parametrize(
    ("scheduler", "workers"),
    [
        ("tcp://127.0.0.1:1", ["tcp://127.0.0.1:2", "tcp://[::1]:3"]),
        ("tls://10.0.0.1:1", ["tls://10.0.0.2:2"]),
        ("tcp://127.0.0.1:1", []),
    ],
)
def test_workers_that_are_here_or_encrypted_are_trusted(scheduler, workers):
    """On loopback anything goes; elsewhere everybody speaks TLS."""
    check_workers(scheduler, workers)


@pytest.mark.parametrize(
    ("scheduler", "workers"),
    [
        ("tcp://127.0.0.1:1", ["tcp://127.0.0.1:2", "tcp://10.0.0.2:3"]),
        ("tls://10.0.0.1:1", ["tls://10.0.0.2:2", "tcp://10.0.0.3:3"]),
        ("tls://127.0.0.1:1", ["tcp://127.0.0.1:2"]),
    ],
)
def test_one_worker_without_encryption_is_too_many(scheduler, workers):
    """A scheduler of this machine may have workers on others, which anybody could be."""
    with pytest.raises(ConfigError, match=r"has a worker at tcp://.*on the network without encryption"):
        check_workers(scheduler, workers)


def test_where_one_listens_counts_not_what_was_typed():
    """Loopback leads to a scheduler that listens everywhere, too; over TLS it may."""
    check_scheduler("tcp://127.0.0.1:1", "tcp://127.0.0.1:1")
    check_scheduler("tls://127.0.0.1:1", "tls://10.0.0.1:1")
    check_listening("tcp://127.0.0.1:1", "tcp://127.0.0.1:2", ["tcp://127.0.0.1:2"])
    check_listening("tls://127.0.0.1:1", "tls://127.0.0.1:2", ["tls://0.0.0.0:2"])

    with pytest.raises(ConfigError, match=r"listens at tcp://10\.0\.0\.1:1 too.*start it with --host 127\.0\.0\.1"):
        check_scheduler("tcp://127.0.0.1:1", "tcp://10.0.0.1:1")
    with pytest.raises(ConfigError, match=r"the worker at tcp://127\.0\.0\.1:2 listens at tcp://0\.0\.0\.0:2"):
        check_listening("tcp://127.0.0.1:1", "tcp://127.0.0.1:2", ["tcp://0.0.0.0:2"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"address": 3}',
        '{"address": "local:4"}',
        '{"address": "other.json"}',
        '{"address": "http://h:1"}',
        "[" * 9999,
    ],
)
def test_a_file_that_is_no_schedulers_is_refused(tmp_path, content):
    """Whatever is in it: exit 2, never a traceback, and never another file."""
    path = tmp_path / "x.json"
    path.write_text(content)

    with pytest.raises(ConfigError, match="is no file of a scheduler"):
        scheduler_url(ClusterSettings(cluster=str(path)))
