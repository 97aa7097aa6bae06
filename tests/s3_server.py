"""A store that speaks S3: a real server on 127.0.0.1, with some texts."""

import contextlib
import gzip
import socket
import subprocess
import sys
import time

import pytest

from cli.running import TEXT

_SECONDS = 30  # for the server to answer


@contextlib.contextmanager
def serve_texts():
    """Yield the environment that leads to a server, and its file system with some texts in the bucket `texts`."""
    s3fs = pytest.importorskip("s3fs", reason="the extra remote is not installed, so S3 is NOT tested")
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
