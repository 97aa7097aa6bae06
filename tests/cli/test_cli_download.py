"""`w2v download` from a real server on 127.0.0.1, from files, and of things that are not there."""

import json
import signal
import sys

import pytest

from cli.running import the_error
from documented import read_page
from downloading import BODY, HALF, SHA256
from http_server import Answer, File, running_server

# The table of datasets with one entry, whose two files lie on the test's server.
TABLE = """
import w2v_cli.datasets.registry as d
files = tuple(d.DatasetFile(name, {sha256!r}, ({url!r} + name,)) for name in ("one.txt", "two.txt"))
d.read_table = lambda: {{"toy": d.Dataset("toy", "A toy", "corpus", "free as air", "one.txt", files)}}
"""
A_LINE_FOR_EACH_CHUNK = "import w2v_cli.cli.progress as b\nb._SECONDS_BETWEEN_LINES = 0"
HEAD = "A toy\nLicence: free as air\n"


@pytest.fixture
def server():
    """Return a running server that has both files."""
    with running_server() as running:
        running.script |= {f"/{name}.txt": [File(BODY)] for name in ("one", "two")}
        yield running


@pytest.fixture
def table(server):
    """Return the code that puts the server's dataset into the program's table."""
    return TABLE.format(sha256=SHA256, url=server.url("/"))


def installed(program):
    """Return the names of what is in the toy's folder, but for the empty lock files."""
    names = [name.removeprefix("data/toy/") for name in program.files() if name.startswith("data/toy/")]
    return [name for name in names if not name.endswith(".lock")]


def test_download_says_what_it_does_and_writes_the_path(w2v, table, server):
    """Title, licence and each file's fate go to stderr, the path of the text to stdout."""
    done = w2v.run("download", "toy", first=table)

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{w2v.folder / 'data' / 'toy' / 'one.txt'}\n"
    told = [f"Downloading {name} from {server.url(f'/{name}')}\n" for name in ("one.txt", "two.txt")]
    assert done.stderr == HEAD + "".join(told)
    assert installed(w2v) == ["one.txt", "two.txt"]


def test_what_is_there_is_kept(w2v, table, server):
    """A second download asks the server for nothing; --overwrite does."""
    w2v.run("download", "toy", first=table)

    again = w2v.run("download", "toy", first=table)
    over = w2v.run("download", "toy", "--overwrite", "-q", first=table)

    assert again.stderr == HEAD + "one.txt is already there\ntwo.txt is already there\n"
    assert over.stderr == HEAD
    assert len(server.requests["/one.txt"]) == 2


def test_download_answers_a_script(w2v, table):
    """`download --json` writes one object with the path."""
    done = w2v.run("download", "toy", "--json", first=table)

    path = str(w2v.folder / "data" / "toy" / "one.txt")
    assert json.loads(done.stdout) == {"schema": 1, "command": "download", "name": "toy", "path": path}
    read_page("json.md").check(json.loads(done.stdout), "download")


def test_several_are_brought_in_turn(w2v, shared_data):
    """Each name has its line, and its object; a wrong one is told before anything is brought."""
    sets, source = ["simlex999", "wordsim353"], ["--from", str(shared_data / "eval")]

    wrong = w2v.run("download", *sets, "wordsim", *source)
    assert "Did you mean 'wordsim353'?" in the_error(wrong, 2)
    assert "data" not in {name.partition("/")[0] for name in w2v.files()}

    paths = w2v.run("download", *sets, *source).stdout.splitlines()
    told = [json.loads(line) for line in w2v.run("download", *sets, "--json").stdout.splitlines()]
    assert [(one["name"], one["path"]) for one in told] == list(zip(sets, paths, strict=True))


@pytest.mark.fault(33, 34)
@pytest.mark.parametrize("answer", [Answer(404), File(BODY[:-1] + b"!")], ids=["404", "other bytes"])
def test_a_failed_download_installs_nothing(w2v, table, server, answer):
    """A file that is not there, or is another one, ends with exit code 5; with both hashes where it is another."""
    server.script["/one.txt"] = [answer]

    message = the_error(w2v.run("download", "toy", first=table), 5)

    assert "HTTP 404" in message or f"expected {SHA256}: nothing was installed" in message
    assert "--from" in message
    assert installed(w2v) == []


@pytest.mark.fault(36)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_download_goes_on_where_it_was(w2v, table, server):
    """After kill -9 half-way the same command asks for the rest only, and the file is whole."""
    server.script["/one.txt"] = [Answer(200, BODY, {"ETag": '"one"'}, sent=HALF, stalls=True), File(BODY)]
    with w2v.started("download", "toy", first=table + A_LINE_FOR_EACH_CHUNK) as process:
        while not process.stderr.readline().startswith("one.txt: 196.6 kB of 512.0 kB"):
            pass
        process.kill()
    kept = len(w2v.files()["data/toy/one.txt.part"])

    done = w2v.run("download", "toy", first=table)

    assert process.returncode == -signal.SIGKILL
    assert done.returncode == 0, done.stderr
    assert server.requests["/one.txt"][1]["Range"] == f"bytes={kept}-"
    assert w2v.files()["data/toy/one.txt"] == BODY
    assert installed(w2v) == ["one.txt", "two.txt"]


def test_files_are_taken_from_a_folder(w2v, table, server):
    """`--from FOLDER` copies what is needed, checked, and asks no server."""
    w2v.write("downloads/one.txt", BODY)
    w2v.write("downloads/two.txt", BODY)

    done = w2v.run("download", "toy", "--from", "downloads", first=table)

    assert done.returncode == 0, done.stderr
    assert "Copying one.txt from downloads/one.txt\n" in done.stderr
    assert server.requests == {}


def test_a_part_of_the_files_is_not_enough(w2v, table):
    """Where `--from` leaves files missing, the exit code is 5 and they are named; what was given is kept."""
    w2v.write("downloads/two.txt", BODY)

    message = the_error(w2v.run("download", "toy", "--from", "downloads", first=table), 5)

    assert message.startswith("toy is incomplete, missing one.txt")
    assert installed(w2v) == ["two.txt"]


@pytest.mark.fault(34)
def test_a_wrong_file_is_refused(w2v):
    """`--from FILE` with other bytes ends with exit code 5 and both hashes; nothing is installed."""
    before = w2v.files()

    message = the_error(w2v.run("download", "wordsim353", "--from", "text.txt"), 5)

    assert "SHA-256 is" in message
    assert "expected f92a022fc2537793" in message
    assert w2v.files() == before


def test_an_unknown_name_is_told_with_those_there_are(w2v):
    """A mistyped name gets the likely one; nothing is fetched."""
    assert "Did you mean 'ptb'?" in the_error(w2v.run("download", "ptbb"), 2)


def test_the_list_shows_each_dataset_with_its_licence(w2v):
    """`--list` names all datasets, whether they are here, and their licences; as text and as one object."""
    for part in ("train", "valid", "test"):
        w2v.write(f"data/ptb/ptb.{part}.txt", "the sea")

    shown = w2v.run("download", "--list").stdout
    datasets = json.loads(w2v.run("download", "--list", "--json").stdout)["datasets"]

    path = str(w2v.folder / "data" / "ptb" / "ptb.train.txt")
    assert [entry["name"] for entry in datasets] == ["demo", "ptb", "questions-words", "wordsim353", "simlex999"]
    assert {entry["name"]: entry["path"] for entry in datasets}["ptb"] == path
    assert all(f"{entry['name']} ({entry['kind']}): {entry['title']}\n" in shown for entry in datasets)
    assert all(f"  licence: {entry['licence']}\n" in shown for entry in datasets)
    assert f"  here: {path}\n" in shown
