"""Which workers and which schedulers' files are trusted."""

import shutil
import subprocess

import pytest

from w2v_cli.cluster.security import check_listening, check_scheduler, check_workers, scheduler_url, security_of
from w2v_cli.config.schema import ClusterSettings
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


@pytest.mark.parametrize("wrong", ["tls_ca", "tls_cert", "tls_key"])
def test_a_file_that_is_no_pem_is_named(tmp_path, wrong):
    """It is a fault of this machine, and no reason to wait for another one."""
    make_certificate(tmp_path, "ours")
    (tmp_path / "text.pem").write_text("no certificate")
    files = {"tls_ca": "ours.pem", "tls_cert": "ours.pem", "tls_key": "ours-key.pem"} | {wrong: "text.pem"}
    settings = ClusterSettings(cluster="tls://h:1", **{name: str(tmp_path / file) for name, file in files.items()})

    with pytest.raises(ConfigError, match=rf'{wrong}=".*text\.pem" is not a '):
        security_of(settings, dict)


def test_a_key_of_another_certificate_is_named(tmp_path):
    """With both files."""
    for name in ("ours", "theirs"):
        make_certificate(tmp_path, name)
    ours, key = str(tmp_path / "ours.pem"), str(tmp_path / "theirs-key.pem")

    with pytest.raises(
        ConfigError, match=r'tls_key=".*theirs-key\.pem" is not a private key.* of .*ours\.pem.*MISMATCH'
    ):
        security_of(ClusterSettings(cluster="tls://h:1", tls_ca=ours, tls_cert=ours, tls_key=key), dict)


def make_certificate(folder, name):
    """Write NAME.pem, signed by itself, and NAME-key.pem."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: files of certificates are NOT tested")
    made = ["-keyout", f"{name}-key.pem", "-out", f"{name}.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", *made]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


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

    with pytest.raises(ConfigError, match="is not a scheduler file"):
        scheduler_url(ClusterSettings(cluster=str(path)))
