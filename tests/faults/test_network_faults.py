"""Servers that fail, lie, break off, lead elsewhere or are not there, met by `w2v download`. Rows 32 to 36.

The servers are real ones on 127.0.0.1, the missing network is a namespace without any. Only the waiting between tries
is left out, and written down instead.
"""

import hashlib
import json
import ssl

import pytest

from cli.running import the_error
from downloading import BODY, HALF, SHA256
from faults.limits import needs_linux
from faults.toy_download import BACKOFF, download, first_byte_of, left, waits
from http_server import Answer, File, running_server
from w2v_cli.datasets.download import CHUNK_BYTES

pytestmark = needs_linux()

PARTIAL = Answer(200, BODY, {"ETag": '"one"'}, sent=HALF)


@pytest.fixture
def server():
    """Return a running ScriptedServer."""
    with running_server() as running:
        yield running


NO_NETWORK = """
import ctypes, os
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000 if os.geteuid() == 0 else 0x50000000):
    sys.exit(99)
"""


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("url", "cause"),
    [("http://w2v.invalid/one.txt", ""), ("http://192.0.2.1/one.txt", "Network is unreachable")],
    ids=["no name", "no way"],
)
def test_without_a_network_it_is_tried_again_and_told(fork, url, cause):
    """In a namespace without any network: after four waits exit 5, the address and the cause; nothing is left."""
    done = download(fork, url, more=NO_NETWORK)
    if done.returncode == 99:
        pytest.skip("no network namespace can be made here: NOT tried")

    message = the_error(done, 5)
    assert message.startswith(f"cannot download one.txt: {url}: {cause}")
    assert "(tries: 5)" in message
    assert waits(done) == BACKOFF
    assert left(fork) == []


@pytest.mark.fault(32)
def test_a_closed_port_is_told(fork):
    """Nobody listens: the same."""
    with running_server() as gone:
        url = gone.url("/one.txt")

    done = download(fork, url)

    assert f"{url}: Connection refused (tries: 5)" in the_error(done, 5)
    assert waits(done) == BACKOFF


@pytest.mark.fault(32)
def test_a_server_that_says_nothing_is_given_up(fork, server):
    """A connection that stays silent is waited for so long, and so many times."""
    server.script["/one.txt"] = [Answer(200, BODY, sent=0, stalls=True)]

    done = download(fork, server.url("/one.txt"), timeout=0.05)

    assert "no answer within 0.05 s (tries: 5)" in the_error(done, 5)
    assert len(server.requests["/one.txt"]) == 5


@pytest.mark.fault(33)
@pytest.mark.parametrize(("status", "tries"), [(500, 5), (503, 5), (404, 1), (403, 1)])
def test_a_failure_is_tried_again_where_it_may_pass(fork, server, status, tries):
    """500 is asked for again, 404 is not; in the end exit 5, the status and the other way to get the file."""
    server.script["/one.txt"] = [Answer(status)]

    done = download(fork, server.url("/one.txt"))

    message = the_error(done, 5)
    assert f"HTTP {status} " in message
    assert "pass it with --from FILE" in message
    assert len(server.requests["/one.txt"]) == tries
    assert waits(done) == BACKOFF[: tries - 1]
    assert left(fork) == []


@pytest.mark.fault(33)
def test_a_failure_that_passes_is_none(fork, server):
    """After a 500 the file comes: exit 0."""
    server.script["/one.txt"] = [Answer(500), File(BODY)]

    done = download(fork, server.url("/one.txt"))

    assert (done.returncode, waits(done), left(fork)) == (0, [1], ["one.txt"])


@pytest.mark.fault(34)
def test_other_bytes_are_not_installed(fork, server):
    """Exit 5 with both hashes; the file that was there before stays, for there is no better one."""
    server.script["/one.txt"] = [File(b"other bytes")]
    old = fork.folder / "data" / "toy" / "one.txt"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")

    message = the_error(download(fork, server.url("/one.txt")), 5)

    found = hashlib.sha256(b"other bytes").hexdigest()
    assert f"SHA-256 is {found}, expected {SHA256}: nothing was installed" in message
    assert (left(fork), old.read_bytes()) == (["one.txt"], b"old")


@pytest.mark.fault(35)
def test_redirects_are_followed(fork, server):
    """To another path and another server: exit 0, the whole file."""
    with running_server() as other:
        server.script["/one.txt"] = [Answer(302, headers={"Location": "/there"})]
        server.script["/there"] = [Answer(307, headers={"Location": other.url("/one.txt")})]
        other.script["/one.txt"] = [File(BODY)]
        done = download(fork, server.url("/one.txt"))

    assert (done.returncode, left(fork)) == (0, ["one.txt"])


@pytest.mark.fault(35)
def test_a_circle_of_redirects_is_left(fork, server):
    """Exit 5 after ten."""
    server.script["/one.txt"] = [Answer(302, headers={"Location": "/one.txt"})]

    assert "more than 10 redirects" in the_error(download(fork, server.url("/one.txt")), 5)
    assert len(server.requests["/one.txt"]) == 11


@pytest.mark.fault(35)
def test_from_https_to_http_is_not_followed(fork, server, certificate):
    """A real TLS server that leads to an unencrypted one: exit 5, which is never asked; nothing is left."""
    server.script["/one.txt"] = [File(BODY)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running_server() as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        secure.script["/one.txt"] = [Answer(302, headers={"Location": server.url("/one.txt")})]
        url = secure.url("/one.txt").replace("http:", "https:")
        trusted = download(fork, url, more=f"os.environ['REQUESTS_CA_BUNDLE'] = {str(certificate)!r}")
        unknown = download(fork, url)

    assert f"redirected from https to {server.url('/one.txt')}, which is not followed" in the_error(trusted, 5)
    assert "certificate verify failed" in the_error(unknown, 5)
    assert waits(unknown) == []
    assert server.requests == {}
    assert left(fork) == []


@pytest.mark.fault(36)
def test_a_download_that_breaks_off_goes_on(fork, server):
    """The rest is asked for, of that version of the file; the whole has the right hash: exit 0."""
    server.script["/one.txt"] = [PARTIAL, File(BODY)]

    done = download(fork, server.url("/one.txt"))

    asked = server.requests["/one.txt"][1]
    assert (done.returncode, left(fork)) == (0, ["one.txt"])
    assert 0 <= HALF - first_byte_of(asked) <= CHUNK_BYTES
    assert asked["If-Range"] == '"one"'


@pytest.mark.fault(36)
def test_a_server_that_gives_the_whole_again_begins_anew(fork, server):
    """200 in answer to a range: another version, or a server without ranges."""
    server.script["/one.txt"] = [PARTIAL, Answer(200, BODY, {"ETag": '"two"'})]

    done = download(fork, server.url("/one.txt"))

    assert (done.returncode, left(fork)) == (0, ["one.txt"])
    assert (fork.folder / "data" / "toy" / "one.txt").read_bytes() == BODY


@pytest.mark.fault(36)
def test_a_download_that_never_ends_keeps_what_came(fork, server):
    """Where every answer is too short, exit 5; what came lies there for the next day, when it is whole."""
    server.script["/one.txt"] = [PARTIAL, *[Answer(500)] * 4]
    stopped = download(fork, server.url("/one.txt"))
    kept, note = (fork.folder / "data" / "toy" / name for name in ("one.txt.part", "one.txt.part.json"))

    assert "HTTP 500" in the_error(stopped, 5)
    assert left(fork) == ["one.txt.part", "one.txt.part.json"]
    came = kept.read_bytes()
    assert BODY.startswith(came)
    assert 0 <= HALF - len(came) <= CHUNK_BYTES
    assert json.loads(note.read_text(encoding="utf-8"))["validator"] == '"one"'

    server.script["/one.txt"] = [File(BODY)]
    assert download(fork, server.url("/one.txt")).returncode == 0
    assert left(fork) == ["one.txt"]
    assert first_byte_of(server.requests["/one.txt"][-1]) == len(came)
