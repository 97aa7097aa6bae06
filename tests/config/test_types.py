"""Where a cluster may be, and which of those places stay on this machine."""

import pytest

from w2v_cli.config.problems import find_problem
from w2v_cli.config.types import ClusterAddress, is_loopback, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("local:1", ClusterAddress(workers=1)),
        ("local:256", ClusterAddress(workers=256)),
        ("tcp://127.0.0.1:8786", ClusterAddress(url="tcp://127.0.0.1:8786")),
        ("tls://node-1.example.org:8786", ClusterAddress(url="tls://node-1.example.org:8786")),
        ("tls://[fe80::1]:8786", ClusterAddress(url="tls://[fe80::1]:8786")),
        ("run/scheduler.json", ClusterAddress(file="run/scheduler.json")),
    ],
)
def test_an_address_says_one_of_three_things(text, address):
    """Workers to start here, a scheduler's URL, or the file that it writes."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "local", "local:0", "local:-1", "local:1000", "local:2x", "tcp://h", "tcp://h:0", "tcp://h:70000", "http://h:1",
     "inproc://1:2", "scheduler.txt", "http://h/scheduler.json", "tcp://a b:1", "a\0.json", "4"],
)  # fmt: skip
def test_other_texts_are_refused_with_what_there_is(text):
    """A wrong address is a problem of the config, with all that would be right."""
    assert find_problem("cluster.cluster", text).startswith("must be local:N (workers here), tcp://HOST:PORT")


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("tcp://127.0.0.1:1", True),
        ("tcp://127.9.9.9:1", True),
        ("tcp://[::1]:1", True),
        ("tcp://localhost:1", True),
        ("inproc://10.0.0.1/1/1", True),
        ("tcp://10.0.0.1:1", False),
        ("tcp://0.0.0.0:1", False),
        ("tcp://127.0.0.1.example.org:1", False),
        ("tcp://localhost.example.org:1", False),
        ("tcp://node1:1", False),
    ],
)
def test_loopback_is_told_by_the_address_and_not_by_how_it_begins(url, is_here):
    """A name is not asked for: what it means may change."""
    assert is_loopback(url) == is_here
