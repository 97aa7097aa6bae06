"""Downloads against a real server that fails in every way: what is tried again, what is followed, what is refused."""

import gzip
import hashlib

import pytest

from downloading import BODY, SHA256, left_in
from http_server import Answer, File, running_server
from w2v_cli.datasets.download import MAX_REDIRECTS, Reply, read_reply, redirect_target
from w2v_cli.errors import DownloadError


def test_file_is_installed_and_nothing_else_stays(server, destination, recorder):
    """A plain download asks for the file uncompressed, makes the folder, and removes what it worked with."""
    server.script["/file"] = [File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert left_in(destination.parent) == ["file.txt"]
    assert server.requests["/file"][0]["Accept-Encoding"] == "identity"


def test_compressed_body_is_decoded_all_the_same(server, destination, recorder):
    """A server that compresses unasked gives the right file, of unknown size."""
    server.script["/file"] = [Answer(200, gzip.compress(BODY), {"Content-Encoding": "gzip", "ETag": '"one"'})]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert recorder.progress[-1] == (len(BODY), None)


def test_progress_rises_to_the_whole(server, destination, recorder):
    """Progress starts at nothing, ends at the size that the server names, and never falls."""
    server.script["/file"] = [File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert recorder.progress[0] == (0, len(BODY))
    assert recorder.progress[-1] == (len(BODY), len(BODY))
    assert recorder.progress == sorted(recorder.progress)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failure_is_tried_again(server, destination, recorder, status):
    """After a failure that may pass the next try succeeds, a delay later."""
    server.script["/file"] = [Answer(status), File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert recorder.slept == [1]


def test_lasting_failure_ends_after_the_last_delay(server, destination, recorder):
    """A server that always fails is asked once and once after each delay; the error says how often and what to do."""
    server.script["/file"] = [Answer(500)]
    url = server.url("/file")

    with pytest.raises(DownloadError) as error:
        recorder.fetch([url], destination)

    assert str(error.value) == (
        f"cannot download file.txt: {url}: HTTP 500 Internal Server Error (tries: 5). "
        "Try again later, or get the file another way and pass it with from FILE."
    )
    assert error.value.exit_code == 5
    assert recorder.slept == [1, 2, 4, 8]
    assert len(server.requests["/file"]) == 5


def test_missing_file_is_asked_for_once_and_then_at_the_mirror(server, destination, recorder):
    """404 is not tried again; the next URL is."""
    server.script["/mirror"] = [File(BODY)]

    recorder.fetch([server.url("/file"), server.url("/mirror")], destination)

    assert destination.read_bytes() == BODY
    assert recorder.slept == []
    assert len(server.requests["/file"]) == 1


def test_every_failed_mirror_is_named(server, destination, recorder):
    """Where all fail, the error says why each did."""
    server.script["/mirror"] = [Answer(403)]

    with pytest.raises(DownloadError, match=r"/file: HTTP 404 Not Found; http.*/mirror: HTTP 403 Forbidden\. Try"):
        recorder.fetch([server.url("/file"), server.url("/mirror")], destination)


def test_no_server_is_tried_again_and_named_in_words(destination, recorder):
    """A refused connection is worth other tries; the error is its cause, not a chain of exceptions."""
    with running_server() as stopped:
        url = stopped.url("/file")

    with pytest.raises(DownloadError, match=rf"{url}: Connection refused \(tries: 3\)"):
        recorder.fetch([url], destination, retry_delays=(1, 1))


def test_timeout_is_told_in_seconds(server, destination, recorder):
    """An answer that never ends is reported with the time it was waited for."""
    server.script["/file"] = [Answer(200, BODY, sent=0, stalls=True)]

    with pytest.raises(DownloadError, match=r"no answer within 0\.1 s \(tries: 1\)"):
        recorder.fetch([server.url("/file")], destination, retry_delays=(), timeout_seconds=0.1)


def test_wrong_hash_installs_nothing(server, destination, recorder):
    """Bytes that are not the promised ones are thrown away, and the error shows both hashes."""
    server.script["/file"] = [File(b"something else")]
    found = hashlib.sha256(b"something else").hexdigest()

    with pytest.raises(DownloadError, match=rf"/file: SHA-256 is {found}, expected {SHA256}: nothing was installed"):
        recorder.fetch([server.url("/file")], destination)

    assert left_in(destination.parent) == []


def test_wrong_hash_keeps_the_old_file(server, destination, recorder):
    """A file that was there before stays as it was."""
    destination.parent.mkdir()
    destination.write_bytes(b"old")
    server.script["/file"] = [File(b"something else")]

    with pytest.raises(DownloadError):
        recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == b"old"


def test_wrong_hash_turns_to_the_mirror(server, destination, recorder):
    """A mirror may still have the right bytes."""
    server.script |= {"/file": [File(b"something else")], "/mirror": [File(BODY)]}

    recorder.fetch([server.url("/file"), server.url("/mirror")], destination)

    assert destination.read_bytes() == BODY


def test_redirects_are_followed(server, destination, recorder):
    """Relative and absolute redirects lead to the file."""
    server.script |= {
        "/file": [Answer(302, headers={"Location": "/second"})],
        "/second": [Answer(308, headers={"Location": server.url("/third")})],
        "/third": [File(BODY)],
    }

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY


def test_endless_redirects_end(server, destination, recorder):
    """A circle of redirects is left after a set number."""
    server.script["/file"] = [Answer(302, headers={"Location": "/file"})]

    with pytest.raises(DownloadError, match="more than 10 redirects"):
        recorder.fetch([server.url("/file")], destination)

    assert len(server.requests["/file"]) == MAX_REDIRECTS + 1


def test_redirect_from_https_to_http_is_refused():
    """A redirect that would give up encryption is refused before it is followed."""
    with pytest.raises(DownloadError, match=r"redirected from https to http://example\.org/b, which is not followed"):
        redirect_target("https://example.org/a", "http://example.org/b")


@pytest.mark.parametrize("location", ["ftp://example.org/b", "file:///etc/passwd", "http://["])
def test_redirect_out_of_the_web_is_refused(location):
    """A redirect to another kind of address, or to none, is a failed download."""
    with pytest.raises(DownloadError, match=r"neither an http nor an https URL|not a URL"):
        redirect_target("http://example.org/a", location)


@pytest.mark.parametrize(
    ("url", "location", "expected"),
    [
        ("https://a.org/x/y", "z", "https://a.org/x/z"),
        ("https://a.org/x", "//b.org/y", "https://b.org/y"),
        ("http://a.org/x", "https://a.org/x", "https://a.org/x"),
        ("http://a.org/x", "http://b.org/x", "http://b.org/x"),
    ],
)
def test_other_redirects_are_allowed(url, location, expected):
    """Another path, another host and the way up to HTTPS are fine."""
    assert redirect_target(url, location) == expected


@pytest.mark.parametrize("url", ["ftp://example.org/a", "file:///etc/passwd", "/etc/passwd", "http://["])
def test_other_urls_are_refused(url, destination, recorder):
    """What is not a web address is a failed download, not a crash."""
    with pytest.raises(DownloadError):
        recorder.fetch([url], destination)


@pytest.mark.parametrize(
    ("status", "content_range", "offset", "expected"),
    [
        (200, "", 0, Reply.WHOLE),
        (200, "", 10, Reply.WHOLE),
        (206, "bytes 10-99/100", 10, Reply.REST),
        (206, "bytes 100-199/200", 10, Reply.MISFIT),
        (206, "", 10, Reply.MISFIT),
        (416, "bytes */10", 10, Reply.MISFIT),
        (206, "bytes 0-99/100", 0, Reply.REFUSED),
        (416, "", 0, Reply.REFUSED),
        (500, "", 10, Reply.LATER),
        (429, "", 0, Reply.LATER),
        (404, "", 10, Reply.REFUSED),
        (304, "", 0, Reply.REFUSED),
    ],
)
def test_reply_is_read_by_its_status_and_range(status, content_range, offset, expected):
    """What an answer means depends on what is here already."""
    assert read_reply(status, content_range, offset) is expected
