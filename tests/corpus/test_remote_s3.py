"""Texts in a store that speaks S3: a real server on 127.0.0.1, where there is one."""

import gzip
import socket
import subprocess
import sys
import time

import pytest

from cli.running import FAST, TEXT, make_program
from w2v_cli.vectors import keyed_vectors

s3fs = pytest.importorskip("s3fs", reason="the extra remote is not installed, so S3 is NOT tested")
_SECONDS = 30  # for the server to answer


@pytest.fixture(scope="module")
def store():
    """Yield the environment that leads to a server, and its file system with some texts in the bucket `texts`."""
    pytest.importorskip("moto.server", reason="moto, a server that speaks S3, is not installed: S3 is NOT tested")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            system = s3fs.S3FileSystem(key="any", secret="any", endpoint_url=environment["AWS_ENDPOINT_URL"])  # noqa: S106
            system.mkdir("texts")
            system.pipe("texts/a/1.txt", TEXT.encode())
            system.pipe("texts/a/2.txt.gz", gzip.compress(TEXT.encode()))
            system.pipe("texts/big.txt", TEXT.encode() + b"\n" * 17_000_000 + TEXT.encode())  # several blocks
            yield environment, system
        finally:
            server.terminate()


def wait_for(port):
    """Return when somebody listens to a port."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not start")


@pytest.fixture
def w2v(tmp_path):
    """Return the Program."""
    return make_program(tmp_path)


def trained_on(program, *corpus, env=None):
    """Return what the vectors of a training say of its corpus."""
    done = program.run("train", *corpus, *FAST, "--overwrite", env=env)
    assert done.returncode == 0, done.stderr
    return keyed_vectors.load(program.folder / "w2v.safetensors").metadata["corpus"]


@pytest.mark.parametrize("corpus", ["s3://texts/a", "s3://texts/a/*", "s3://texts/big.txt"])
def test_a_store_gives_the_same_corpus_as_the_disk(w2v, store, corpus):
    """A folder, a pattern and a large file of a bucket have the fingerprint of the same files here."""
    environment, system = store
    local = w2v.folder / "local"
    local.mkdir()
    for place in system.glob(corpus) if "*" in corpus else system.find(corpus):
        (local / place.rpartition("/")[2]).write_bytes(system.cat(place))
    here, there = trained_on(w2v, "local"), trained_on(w2v, corpus, env=environment)

    assert here.pop("source") == "local"
    assert there.pop("source") == corpus.rpartition("/")[2]
    assert here == there


def test_what_the_store_refuses_is_told(w2v, store):
    """A key and a bucket that are not there end in exit 5."""
    for url in ("s3://texts/none.txt", "s3://none/x.txt"):
        done = w2v.run("train", url, *FAST, env=store[0])

        assert done.returncode == 5, done.stderr
        assert f"cannot read {url}: " in done.stderr
