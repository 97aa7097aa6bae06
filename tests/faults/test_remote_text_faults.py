"""Texts at URLs whose servers fail, break off, stay silent, lead elsewhere or give a page. Rows 22, 32, 33, 35, 36."""

import ssl

import pytest

from cli.running import FAST, TEXT, the_error
from faults.limits import needs_linux
from http_server import Answer, File, running_server

pytestmark = needs_linux()
pytest.importorskip("aiohttp", reason="the extra remote is not installed: NOT run")
pytest.importorskip("fsspec", reason="the extra remote is not installed: NOT run")

LONG = (TEXT + (" " * 99 + "\n") * 15_000 + TEXT).encode()  # more than is received at once, with few words to learn
HALF = len(LONG) // 2
TAGGED = {"ETag": '"one"'}
AT_ONCE = """
import os
import w2v_cli.corpus.urls as r
r._RETRY_SECONDS, r._SILENCE_SECONDS = (0.0, 0.0, 0.0), 0.3
"""
VECTORS = "w2v.safetensors"


@pytest.fixture
def server():
    """Return a running ScriptedServer."""
    with running_server() as running:
        yield running


def train(fork, url, more=""):
    """Train on the text of a URL, with no waiting between tries."""
    return fork.run("train", url, *FAST, "--overwrite", first=AT_ONCE + more)


@pytest.mark.fault(33)
@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (500, 4), (503, 4)])
def test_a_text_that_the_server_refuses_is_told(fork, server, status, tries):
    """Exit 5 with the address; 500 is asked for again, 404 is not; nothing is left behind."""
    server.script["/text.txt"] = [Answer(status)]
    before = fork.files()

    message = the_error(train(fork, server.url("/text.txt")), 5)

    assert message.startswith(f"cannot read {server.url('/text.txt')}: ")
    assert len(server.requests["/text.txt"]) == tries
    assert fork.files() == before


@pytest.mark.fault(32, 36)
@pytest.mark.parametrize("end", [{"stalls": True}, {"resets": True}, {}], ids=["silence", "a reset", "an end"])
def test_a_text_that_breaks_off_is_read_to_its_end(fork, server, end):
    """By silence, a TCP reset or an end before the end: the rest is asked for; the vectors are those of the file."""
    (fork.folder / "long.txt").write_bytes(LONG)
    assert fork.run("train", "long.txt", *FAST).returncode == 0
    expected = (fork.folder / VECTORS).read_bytes()
    server.script["/long.txt"] = [Answer(200, LONG, TAGGED, sent=HALF, **end), File(LONG)]

    done = train(fork, server.url("/long.txt"))

    assert done.returncode == 0, done.stderr
    assert len(server.requests["/long.txt"]) > 1
    assert (fork.folder / VECTORS).read_bytes() == expected


@pytest.mark.fault(22, 36)
def test_a_text_that_changes_on_its_server_is_refused(fork, server):
    """Half of one version and half of another are no text: exit 3, nothing left behind."""
    server.script["/long.txt"] = [Answer(200, LONG, TAGGED, sent=HALF), File(LONG.upper(), '"two"')]
    before = fork.files()

    message = the_error(train(fork, server.url("/long.txt")), 3)

    assert message.startswith(f"{server.url('/long.txt')} changed while it was read")
    assert fork.files() == before


@pytest.mark.fault(32)
def test_a_server_of_texts_that_says_nothing_is_given_up(fork, server):
    """Silence from the first byte on ends in exit 5, as often as it is met."""
    server.script["/text.txt"] = [Answer(200, LONG, sent=0, stalls=True)]

    assert "cannot read" in the_error(train(fork, server.url("/text.txt")), 5)
    assert len(server.requests["/text.txt"]) == 4


@pytest.mark.fault(35)
def test_redirects_to_a_text_are_followed(fork, server):
    """To another path and another server: exit 0."""
    with running_server() as other:
        server.script["/text.txt"] = [Answer(302, headers={"Location": other.url("/there")})]
        other.script["/there"] = [File(LONG)]

        assert train(fork, server.url("/text.txt")).returncode == 0


@pytest.mark.fault(35)
def test_a_text_is_not_read_from_http_where_https_was_asked(fork, server, certificate):
    """A real TLS server that leads to an unencrypted one: exit 5, which is never asked; an unknown one: exit 5."""
    server.script["/text.txt"] = [File(LONG)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running_server() as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        secure.script["/text.txt"] = [Answer(302, headers={"Location": server.url("/text.txt")})]
        url = secure.url("/text.txt").replace("http:", "https:")
        trusted = train(fork, url, more=f"os.environ['SSL_CERT_FILE'] = {str(certificate)!r}")
        unknown = train(fork, url)

    assert f"leads to {server.url('/text.txt')}, which anyone could have changed" in the_error(trusted, 5)
    assert "certificate verify failed" in the_error(unknown, 5)
    assert server.requests == {}


@pytest.mark.fault(32)
def test_texts_are_read_through_a_proxy(fork, server):
    """A name that only the proxy knows: exit 0; without a proxy: exit 5."""
    server.script["http://w2v.invalid/text.txt"] = [File(LONG)]
    through = train(fork, "http://w2v.invalid/text.txt", more=f"os.environ['http_proxy'] = {server.url('')!r}")

    assert through.returncode == 0, through.stderr
    assert "cannot read http://w2v.invalid/text.txt" in the_error(train(fork, "http://w2v.invalid/text.txt"), 5)


@pytest.mark.fault(34)
def test_a_web_page_in_the_place_of_a_text_is_warned_of(fork, server):
    """It may be what is wanted: it is trained on, and told."""
    server.script["/text.txt"] = [Answer(200, b"<!DOCTYPE html>\n<html><body><p>" + LONG)]

    done = train(fork, server.url("/text.txt"))

    assert done.returncode == 0
    warning = f"warning: looks like a web page: {server.url('/text.txt')}; its tags (HTML) are read as words."
    assert warning in done.stderr.splitlines()
