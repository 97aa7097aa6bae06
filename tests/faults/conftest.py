"""Fixtures: `w2v` in cheap processes, a text, and a folder for each test."""

import subprocess

import pytest

from cli.running import TEXT, make_program
from faults.forking import forking


@pytest.fixture(scope="session")
def _parent(tmp_path_factory):
    """Return the process whose children run `w2v`, in an environment that says nothing of the user."""
    with forking(make_program(tmp_path_factory.mktemp("faults")).environment) as parent:
        yield parent


@pytest.fixture
def fork(_parent, tmp_path):
    """Return a Fork whose folder holds nothing but text.txt."""
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    _parent.folder = tmp_path
    return _parent


@pytest.fixture
def certificate(tmp_path_factory):
    """Return the file of a certificate for 127.0.0.1 with its key, made for this test alone."""
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path]
    try:
        made = subprocess.run([*command, *subject, "-batch"], check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate: NOT tried")
    assert made.returncode == 0, made.stderr
    names = path.read_text(encoding="ascii")
    if "PRIVATE KEY" not in names or "BEGIN CERTIFICATE" not in names:  # -out has replaced -keyout
        pytest.skip("this openssl does not write both into one file: NOT tried")
    return path
