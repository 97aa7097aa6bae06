"""Downloads that break off, and others in their way: what is kept, what is continued, what begins anew."""

import errno
import signal
import subprocess
import sys

import filelock
import pytest

from downloading import BODY, HALF, SHA256, leave_part, left_in
from http_server import Answer, File
from w2v_cli.datasets.download import CHUNK_BYTES, fetch, validator
from w2v_cli.errors import OutputInUseError, StorageError

FETCH_PROGRAM = """
import sys, pathlib, resource
from w2v_cli.datasets.download import fetch
from w2v_cli.errors import W2vError
url, destination, sha256, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    fetch([url], pathlib.Path(destination), sha256=sha256, on_progress=lambda done, total: print(done, flush=True))
except W2vError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def test_silent_server_times_out(server, destination, recorder):
    """A server that stops talking in the middle is given up, and what came is kept for the next try."""
    server.script["/file"] = [Answer(200, BODY, {"ETag": '"one"'}, sent=HALF, stalls=True), File(BODY)]

    recorder.fetch([server.url("/file")], destination, timeout_seconds=0.2)

    assert destination.read_bytes() == BODY
    assert "Range" in server.requests["/file"][1]


def test_short_body_is_continued(server, destination, recorder):
    """A body shorter than its Content-Length is noticed, and only the rest is asked for, of the same version."""
    server.script["/file"] = [Answer(200, BODY, {"ETag": '"one"'}, sent=HALF), File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    again = server.requests["/file"][1]
    kept = int(again["Range"].removeprefix("bytes=").removesuffix("-"))
    assert destination.read_bytes() == BODY
    assert again["If-Range"] == '"one"'
    assert 0 < HALF - kept <= CHUNK_BYTES
    assert (kept, len(BODY)) in recorder.progress


def test_server_without_ranges_gives_the_whole_again(server, destination, recorder):
    """Status 200 to a range request starts the file anew."""
    leave_part(destination, size=HALF, url=server.url("/file"))
    server.script["/file"] = [Answer(200, BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert "Range" in server.requests["/file"][0]


def test_file_that_changed_is_not_patched_together(server, destination, recorder):
    """A part of another version is dropped: the server sees it by its ETag."""
    leave_part(destination, size=HALF, url=server.url("/file"), version='"zero"', body=b"x" * HALF)
    server.script["/file"] = [File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert server.requests["/file"][0]["If-Range"] == '"zero"'


def test_part_of_another_url_is_not_continued(server, destination, recorder):
    """The bytes of one mirror are not finished with those of another."""
    leave_part(destination, size=HALF, url="https://elsewhere.example/file")
    server.script["/file"] = [File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert "Range" not in server.requests["/file"][0]


def test_part_without_a_readable_note_is_not_continued(server, destination, recorder):
    """A note that a crash cut short makes the download begin anew."""
    leave_part(destination, size=HALF, url=server.url("/file"))
    destination.with_name("file.txt.part.json").write_text('{"url": "ht')
    server.script["/file"] = [File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert "Range" not in server.requests["/file"][0]


def test_part_beyond_the_end_is_dropped(server, destination, recorder):
    """Status 416 makes the download begin anew, at once."""
    leave_part(destination, size=None, url=server.url("/file"))
    server.script["/file"] = [File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY
    assert [("Range" in headers) for headers in server.requests["/file"]] == [True, False]
    assert recorder.slept == []


def test_wrong_range_is_not_appended(server, destination, recorder):
    """Status 206 for other bytes than those asked for makes the download begin anew."""
    leave_part(destination, size=HALF, url=server.url("/file"))
    wrong = Answer(206, BODY, {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"})
    server.script["/file"] = [wrong, File(BODY)]

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY


def test_download_killed_half_way_goes_on(server, destination):
    """After SIGKILL in the middle, the next run asks only for the rest and ends with the right file."""
    server.script["/file"] = [Answer(200, BODY, {"ETag": '"one"'}, sent=HALF, stalls=True), File(BODY)]
    command = [sys.executable, "-c", FETCH_PROGRAM, server.url("/file"), str(destination), SHA256, "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        while int(first.stdout.readline()) < CHUNK_BYTES:
            pass
        first.kill()
    kept = destination.with_name("file.txt.part").stat().st_size

    second = subprocess.run(command, capture_output=True, text=True, check=False)

    assert first.returncode == -signal.SIGKILL
    assert second.returncode == 0, second.stderr
    assert 0 < kept <= HALF
    assert server.requests["/file"][1]["Range"] == f"bytes={kept}-"
    assert destination.read_bytes() == BODY
    assert left_in(destination.parent) == ["file.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size to be produced")
def test_full_disk_is_told_and_the_part_kept(server, destination):
    """A write that the system refuses ends with exit code 6 and the cause; nothing is installed."""
    server.script["/file"] = [File(BODY)]
    command = [sys.executable, "-c", FETCH_PROGRAM, server.url("/file"), str(destination), SHA256, str(HALF)]

    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.returncode == 6
    assert run.stderr.startswith(f"cannot write {destination}.part: File too large")
    assert not destination.exists()
    assert len(server.requests["/file"]) == 1


def test_unwritable_folder_is_a_storage_error(server, tmp_path, recorder):
    """A file where the folder should be is told with its cause, before anything is asked of the network."""
    (tmp_path / "data").write_text("a file")
    server.script["/file"] = [File(BODY)]

    with pytest.raises(StorageError, match="cannot write"):
        recorder.fetch([server.url("/file")], tmp_path / "data" / "file.txt")

    assert not server.requests


def test_second_download_of_the_same_file_stops_at_once(server, destination, recorder):
    """While one process downloads a file, another is told so instead of writing into it."""
    destination.parent.mkdir()

    with (
        filelock.FileLock(f"{destination}.lock"),
        pytest.raises(OutputInUseError, match="another process is downloading") as error,
    ):
        recorder.fetch([server.url("/file")], destination)

    assert error.value.exit_code == 8
    assert not server.requests


def test_failing_listener_is_not_mistaken_for_a_full_disk(server, destination):
    """An error of the progress bar's own stream comes out as it is."""
    server.script["/file"] = [File(BODY)]

    def complain(_done, _total):
        raise BrokenPipeError(errno.EPIPE, "closed")

    with pytest.raises(BrokenPipeError):
        fetch([server.url("/file")], destination, sha256=SHA256, on_progress=complain)


def test_download_that_broke_off_does_not_stay_in_the_way(server, destination, recorder):
    """After an exception the same process may try again, and the lock is free."""
    server.script["/file"] = [File(BODY)]

    def interrupt(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch([server.url("/file")], destination, sha256=SHA256, on_progress=interrupt)

    recorder.fetch([server.url("/file")], destination)

    assert destination.read_bytes() == BODY


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ETag": '"strong"', "Last-Modified": "then"}, '"strong"'),
        ({"ETag": 'W/"weak"', "Last-Modified": "then"}, "then"),
        ({"ETag": 'W/"weak"'}, None),
        ({}, None),
        ({"ETag": '"strong"', "Content-Encoding": "gzip"}, None),
    ],
)
def test_only_a_strong_validator_serves_for_ranges(headers, expected):
    """A weak ETag does not promise the same bytes, and a range of a compressed body counts other bytes."""
    assert validator(headers) == expected
