"""How the files of a dataset get into the data folder: kept, fetched, copied, or refused."""

import hashlib
import re
from pathlib import Path

import pytest

from http_server import Answer, File, running_server
from w2v_cli.datasets import registry
from w2v_cli.datasets.registry import Action, Dataset, DatasetFile
from w2v_cli.errors import ConfigError, DownloadError

BODIES = {"a.train.txt": b"the king\n", "a.test.txt": b"the queen\n"}


def sha256(body):
    """Return the SHA-256 of `body` in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """Return a running ScriptedServer that has both files, asked directly whatever proxy the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_server() as running:
        running.script |= {f"/{name}": [File(body)] for name, body in BODIES.items()}
        yield running


@pytest.fixture
def two_files(server):
    """Return a dataset of two files on the test's server."""
    files = tuple(DatasetFile(name, sha256(body), (server.url(f"/{name}"),)) for name, body in BODIES.items())
    return Dataset("a", "two files", "corpus", "free", "a.train.txt", files)


@pytest.fixture
def one_file(server):
    """Return a dataset of one file on the test's server."""
    body = BODIES["a.test.txt"]
    file = DatasetFile("a.test.txt", sha256(body), (server.url("/a.test.txt"),))
    return Dataset("one", "one file", "evaluation", "free", "a.test.txt", (file,))


def put(folder, **bodies):
    """Write files into `folder`, `a_train` standing for a.train.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / f"{name.replace('_', '.')}.txt").write_bytes(body)
    return folder


def actions(steps):
    """Return what happens to each file."""
    return {step.name: step.action for step in steps}


def texts_in(folder):
    """Return the text files in `folder` with their contents."""
    return {path.name: path.read_bytes() for path in folder.glob("*.txt")}


@pytest.mark.parametrize(
    ("found", "origin", "overwrite", "expected"),
    [
        (None, ("https://b",), False, Action.FETCH),
        (None, Path("b"), False, Action.COPY),
        (None, None, False, Action.MISS),
        ("right", ("https://b",), False, Action.KEEP),
        ("right", Path("b"), True, Action.COPY),
        ("right", None, True, Action.KEEP),
        ("wrong", ("https://b",), False, Action.FETCH),
        ("wrong", None, False, Action.MISS),
    ],
)
def test_plan_follows_what_is_there_and_what_is_offered(found, origin, overwrite, expected):
    """A sound file is kept, another fetched or copied where it is offered."""
    file = DatasetFile("b", "right", ("https://b",))
    there = {"b": found} if found else {}
    offered = {"b": origin} if origin else {}

    (step,) = registry.plan([file], there, offered, overwrite=overwrite)

    assert step.action is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://m/x", {"a": ("https://m/x/a",), "b": ("https://m/x/b",)}),
        ("https://m/x/", {"a": ("https://m/x/a",), "b": ("https://m/x/b",)}),
        ("https://m/x/b", {"b": ("https://m/x/b",)}),
        ("https://m", {"a": ("https://m/a",), "b": ("https://m/b",)}),
    ],
)
def test_url_of_several_files_is_a_folder_or_one_of_them(url, expected):
    """A URL that ends in a file's name is that file's, any other the folder's."""
    files = [DatasetFile("a", "", ()), DatasetFile("b", "", ())]

    assert registry.url_origins(files, url) == expected


@pytest.mark.parametrize(
    ("url", "expected"), [("https://m/other?raw=1", "https://m/other?raw=1"), ("https://m/x/", "https://m/x/a")]
)
def test_url_of_one_file_is_the_file(url, expected):
    """For a single file any URL will do, unless it is plainly a folder's."""
    assert registry.url_origins([DatasetFile("a", "", ())], url) == {"a": (expected,)}


def test_download_installs_all_files(two_files, tmp_path):
    """All files land in a folder of the dataset's name, and the main one is returned."""
    path = registry.download(two_files, tmp_path)

    assert path == tmp_path / "a" / "a.train.txt"
    assert texts_in(tmp_path / "a") == BODIES


def test_second_download_asks_nothing_of_the_network(two_files, tmp_path, server):
    """Files that are there and sound are kept, and said to be there."""
    registry.download(two_files, tmp_path)
    server.requests.clear()
    steps = []

    path = registry.download(two_files, tmp_path, on_step=steps.append)

    assert path == tmp_path / "a" / "a.train.txt"
    assert [step.reason for step in steps] == ["already there", "already there"]
    assert not server.requests


def test_overwrite_fetches_sound_files_again(one_file, tmp_path, server):
    """With overwrite even a sound file is fetched anew."""
    registry.download(one_file, tmp_path)

    registry.download(one_file, tmp_path, overwrite=True)

    assert len(server.requests["/a.test.txt"]) == 2


def test_damaged_file_is_reported_and_fetched_again(two_files, tmp_path):
    """An installed file with another hash is named with both hashes, and replaced; the sound one stays."""
    put(tmp_path / "a", a_train=b"damaged", a_test=BODIES["a.test.txt"])
    steps = []

    registry.download(two_files, tmp_path, on_step=steps.append)

    assert actions(steps) == {"a.train.txt": Action.FETCH, "a.test.txt": Action.KEEP}
    assert sha256(b"damaged") in steps[0].reason
    assert sha256(BODIES["a.train.txt"]) in steps[0].reason
    assert texts_in(tmp_path / "a") == BODIES


def test_progress_is_passed_on(one_file, tmp_path):
    """The bytes of a download are reported."""
    progress = []

    registry.download(one_file, tmp_path, on_progress=lambda done, total: progress.append((done, total)))

    assert progress[-1] == (10, 10)


def test_folder_takes_the_place_of_the_network(two_files, tmp_path, server):
    """--from FOLDER copies the files of the right names."""
    folder = put(tmp_path / "usb", a_train=BODIES["a.train.txt"], a_test=BODIES["a.test.txt"], other=b"")

    path = registry.download(two_files, tmp_path / "data", source=str(folder))

    assert path == tmp_path / "data" / "a" / "a.train.txt"
    assert texts_in(path.parent) == BODIES
    assert not server.requests


def test_folder_with_some_of_the_files_leaves_the_others_missing(two_files, tmp_path):
    """What the folder lacks is named as missing; the dataset is not complete."""
    folder = put(tmp_path / "usb", a_test=BODIES["a.test.txt"])
    steps = []

    path = registry.download(two_files, tmp_path / "data", source=str(folder), on_step=steps.append)

    assert path is None
    assert actions(steps) == {"a.train.txt": Action.MISS, "a.test.txt": Action.COPY}
    assert texts_in(tmp_path / "data" / "a") == {"a.test.txt": BODIES["a.test.txt"]}


def test_single_file_is_known_by_its_hash(two_files, tmp_path):
    """--from FILE installs the file whose bytes these are, whatever it is called; another call completes the set."""
    put(tmp_path / "usb", first=BODIES["a.test.txt"], second=BODIES["a.train.txt"])

    incomplete = registry.download(two_files, tmp_path, source=str(tmp_path / "usb" / "first.txt"))
    complete = registry.download(two_files, tmp_path, source=str(tmp_path / "usb" / "second.txt"))

    assert incomplete is None
    assert complete == tmp_path / "a" / "a.train.txt"
    assert texts_in(tmp_path / "a") == BODIES


def test_url_takes_the_place_of_the_tables(two_files, tmp_path, server):
    """--from URL fetches the files from a folder of another server."""
    server.script |= {f"/mirror/{name}": [File(body)] for name, body in BODIES.items()}

    registry.download(two_files, tmp_path, source=server.url("/mirror"))

    assert sorted(server.requests) == ["/mirror/a.test.txt", "/mirror/a.train.txt"]
    assert texts_in(tmp_path / "a") == BODIES


def test_source_with_other_bytes_installs_nothing(two_files, tmp_path):
    """A file that is none of the dataset's is refused with its hash and those expected."""
    folder = put(tmp_path / "usb", a_train=b"another text")

    with pytest.raises(DownloadError, match=f"SHA-256 is {sha256(b'another text')}, expected .*nothing was installed"):
        registry.download(two_files, tmp_path / "data", source=str(folder / "a.train.txt"))

    assert not (tmp_path / "data").exists()


def test_folder_with_other_bytes_installs_nothing(two_files, tmp_path):
    """A file of the right name and other bytes is refused, and the temporary copy removed."""
    folder = put(tmp_path / "usb", a_train=b"another text")

    with pytest.raises(DownloadError, match=rf"{sha256(b'another text')}, expected {sha256(BODIES['a.train.txt'])}"):
        registry.download(two_files, tmp_path / "data", source=str(folder))

    assert list((tmp_path / "data" / "a").iterdir()) == []


@pytest.mark.parametrize(("source", "message"), [("usb", "holds none of a.train.txt, a.test.txt"), ("no", "no such")])
def test_useless_source_is_a_usage_error(two_files, tmp_path, source, message):
    """A folder without the files, or no folder at all, is told as such."""
    put(tmp_path / "usb", other=b"")

    with pytest.raises(ConfigError, match=re.escape(message)):
        registry.download(two_files, tmp_path / "data", source=str(tmp_path / source))


def test_first_failure_keeps_what_came_before(two_files, tmp_path, server):
    """Where the second file fails, the first stays installed for the next run."""
    server.script["/a.test.txt"] = [Answer(404)]

    with pytest.raises(DownloadError, match="404"):
        registry.download(two_files, tmp_path)

    assert texts_in(tmp_path / "a") == {"a.train.txt": BODIES["a.train.txt"]}
    assert registry.installed_path(two_files, tmp_path) is None
