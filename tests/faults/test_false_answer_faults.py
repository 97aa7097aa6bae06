"""Answers that break off or are another file, full disks and proxies, met by `w2v download`. Rows 4, 32 to 36."""

import os
import shutil
import subprocess
import sys

import pytest

from cli.running import the_error
from downloading import BODY, HALF, SHA256
from faults.limits import needs_linux
from faults.toy_download import BACKOFF, TABLE, download, first_byte_of, left, waits
from http_server import Answer, File, running_server

pytestmark = needs_linux()

OTHER = BODY[::-1]  # as long, and another file
PAGE = b"\n<!DOCTYPE html>\n<html><title>Log in to the network</title></html>\n"
TAGGED = {"ETag": '"one"'}


class CarelessFile(File):
    """A file of a server that does not read If-Range."""

    def answer(self, headers):
        """Return the range that is asked for, of whatever version."""
        return super().answer({name: value for name, value in headers.items() if name != "If-Range"})


@pytest.fixture
def server():
    """Return a running ScriptedServer."""
    with running_server() as running:
        yield running


def installed(fork):
    """Return the bytes of the file that was downloaded."""
    return (fork.folder / "data" / "toy" / "one.txt").read_bytes()


@pytest.mark.fault(32, 36)
@pytest.mark.parametrize("end", [{"stalls": True}, {"resets": True}, {}], ids=["silence", "a reset", "an end"])
def test_a_body_that_breaks_off_is_gone_on_with(fork, server, end):
    """By silence, a TCP reset or an end before the end: a wait, and the rest is asked for."""
    server.script["/one.txt"] = [Answer(200, BODY, TAGGED, sent=HALF, **end), File(BODY)]

    done = download(fork, server.url("/one.txt"), timeout=0.3)

    assert (done.returncode, waits(done), left(fork)) == (0, [1], ["one.txt"])
    assert 0 < first_byte_of(server.requests["/one.txt"][1]) <= HALF
    assert installed(fork) == BODY


@pytest.mark.fault(34)
def test_a_web_page_in_the_place_of_the_file_is_told(fork, server):
    """As a login of a network gives it, with 200: exit 5, nothing installed, and what it was."""
    server.script["/one.txt"] = [Answer(200, PAGE, {"Content-Type": "text/html"})]

    message = the_error(download(fork, server.url("/one.txt")), 5)

    assert (
        f"expected {SHA256}: nothing was installed; the server sent a web page, probably of a proxy or a login"
        in message
    )
    assert left(fork) == []


@pytest.mark.fault(36)
def test_a_file_that_changed_is_not_joined_to_the_old_half(fork, server):
    """The server gives the new version from its start, as If-Range asks it to: no half of the old one is in it."""
    server.script["/one.txt"] = [Answer(200, OTHER, {"ETag": '"old"'}, sent=HALF), File(BODY)]

    done = download(fork, server.url("/one.txt"))

    assert server.requests["/one.txt"][1]["If-Range"] == '"old"'
    assert (done.returncode, left(fork), installed(fork)) == (0, ["one.txt"], BODY)


@pytest.mark.fault(34, 36)
def test_a_server_that_joins_two_versions_is_found_out(fork, server):
    """It gives the rest of another version as if that were the same: the hash tells; the next download is whole."""
    server.script["/one.txt"] = [Answer(200, OTHER, TAGGED, sent=HALF), CarelessFile(BODY)]

    assert f"expected {SHA256}: nothing was installed" in the_error(download(fork, server.url("/one.txt")), 5)
    assert left(fork) == []
    assert download(fork, server.url("/one.txt")).returncode == 0
    assert "Range" not in server.requests["/one.txt"][-1]
    assert installed(fork) == BODY


@pytest.mark.fault(36)
@pytest.mark.parametrize(
    "rest",
    [Answer(206, BODY, {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}), Answer(416)],
    ids=["another range", "no range"],
)
def test_a_range_that_nobody_asked_for_is_not_appended(fork, server, rest):
    """The whole is asked for in its place, at once."""
    server.script["/one.txt"] = [Answer(200, BODY, TAGGED, sent=HALF), rest, File(BODY)]

    done = download(fork, server.url("/one.txt"))

    assert ["Range" in asked for asked in server.requests["/one.txt"]] == [False, True, False]
    assert (done.returncode, waits(done), installed(fork)) == (0, [1], BODY)


@pytest.mark.fault(36)
def test_a_file_without_a_version_begins_anew(fork, server):
    """A server that tells neither ETag nor date gets no Range: nobody could say whose rest that would be."""
    server.script["/one.txt"] = [Answer(200, OTHER, sent=HALF), Answer(200, BODY)]

    done = download(fork, server.url("/one.txt"))

    assert ["Range" in asked for asked in server.requests["/one.txt"]] == [False, False]
    assert (done.returncode, installed(fork)) == (0, BODY)


@pytest.mark.fault(32)
def test_a_proxy_is_asked_in_the_place_of_the_server(fork, server):
    """A name that only the proxy knows: exit 0."""
    server.script["http://w2v.invalid/one.txt"] = [File(BODY)]

    done = download(fork, "http://w2v.invalid/one.txt", more=f"os.environ['http_proxy'] = {server.url('')!r}")

    assert (done.returncode, installed(fork)) == (0, BODY)


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("variable", "url", "cause", "expected"),
    [
        ("http_proxy", "http://w2v.invalid/one.txt", "HTTP 407 Proxy Authentication Required", []),
        ("https_proxy", "https://w2v.invalid/one.txt", "Tunnel connection failed: 501 ", BACKOFF),
    ],
)
def test_a_proxy_that_refuses_is_told(fork, server, variable, url, cause, expected):
    """One that wants a password is asked once, one that makes no tunnel again; both end in exit 5."""
    server.script[url] = [Answer(407)]

    done = download(fork, url, more=f"os.environ[{variable!r}] = {server.url('')!r}")

    assert f"{url}: {cause}" in the_error(done, 5)
    assert waits(done) == expected
    assert left(fork) == []


@pytest.mark.fault(32)
def test_a_proxy_that_is_not_there_is_told(fork):
    """Nobody listens: tried again, then exit 5."""
    with running_server() as gone:
        proxy = gone.url("")

    done = download(fork, "http://w2v.invalid/one.txt", more=f"os.environ['http_proxy'] = {proxy!r}")

    assert "http://w2v.invalid/one.txt: Connection refused (tries: 5)" in the_error(done, 5)
    assert waits(done) == BACKOFF


@pytest.mark.fault(35)
@pytest.mark.parametrize("target", ["ftp://127.0.0.1/one.txt", "file:///etc/hostname"])
def test_a_redirect_out_of_the_web_is_not_followed(fork, server, target):
    """To a file of this machine, or another protocol: exit 5."""
    server.script["/one.txt"] = [Answer(302, headers={"Location": target})]

    message = the_error(download(fork, server.url("/one.txt")), 5)

    assert f"{target} is neither an http nor an https URL" in message
    assert left(fork) == []


ON_A_SMALL_DISK = """
mkdir data && mount -t tmpfs -o size=200k none data || exit 99
"$PYTHON" -c "$CODE" >/dev/null; echo $? >&2; LC_ALL=C ls data/toy >&2
mount -o remount,size=4m data
"$PYTHON" -c "$CODE" >/dev/null; echo $? >&2; LC_ALL=C ls data/toy >&2; cmp data/toy/one.txt body >&2
"""


@pytest.mark.fault(4, 36)
def test_a_disk_that_is_full_in_mid_download_keeps_what_came(fork, server):
    """A tmpfs that is really full: exit 6; with more room the same command asks for the rest only."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare: this fault was NOT tried")
    server.script["/one.txt"] = [File(BODY)]
    (fork.folder / "body").write_bytes(BODY)
    table = TABLE.format(sha256=SHA256, urls=(server.url("/one.txt"),), timeout=5)
    code = f"import sys; sys.argv = 'w2v download toy -q'.split()\n{table}\nfrom w2v_cli.cli import main; main()"
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", ON_A_SMALL_DISK],  # noqa: S607
        capture_output=True,
        check=False,
        cwd=fork.folder,
        encoding="utf-8",
        env=os.environ | {"PYTHON": sys.executable, "CODE": code, "NO_PROXY": "127.0.0.1"},
    )
    if done.returncode == 99 or done.stderr.startswith("unshare:"):
        pytest.skip(f"no tmpfs can be mounted here ({done.stderr!r}): this fault was NOT tried")

    _, _, refusal, *lines = done.stderr.splitlines()
    assert "one.txt.part: No space left on device" in refusal
    assert [line for line in lines if line not in ("A toy", "Licence: free as air")] == [
        *("6", "one.txt.lock", "one.txt.part", "one.txt.part.json"),
        *("0", "one.txt", "one.txt.lock"),
    ]
    assert 0 < first_byte_of(server.requests["/one.txt"][1]) < 200 << 10
