"""`w2v train URL --cluster`: workers read web servers and stores in parts, and learn what they learn from the disk."""

import gzip

import numpy as np
import pytest

pytest.importorskip("distributed", reason="the extra distributed is not installed: clusters are NOT tested")
pytest.importorskip("aiohttp", reason="the extra remote is not installed: NOT run")
pytest.importorskip("fsspec", reason="the extra remote is not installed: NOT run")


from cli.running import make_program, the_error
from faults.cluster_runs import SETTINGS, finish, has_trained, wait_for, write_text
from http_server import Answer, File, running_server
from w2v_cli.vectors import keyed_vectors

pytestmark = pytest.mark.cluster

TRAIN = ("--cluster", "local:2", *SETTINGS, "--epochs", "1")
ONE_SHARD = ("--set", "cluster.shards=1", "--set", "cluster.sync_words=1000000")


@pytest.fixture
def w2v(tmp_path):
    """Return the Program with a text in its folder."""
    program = make_program(tmp_path)
    write_text(program.folder / "text.txt", words=18_000)
    return program


@pytest.fixture
def server(w2v):
    """Yield a server that sends the text: in parts, as one, with and without its length, and compressed."""
    text = (w2v.folder / "text.txt").read_bytes()
    (w2v.folder / "text.txt.gz").write_bytes(packed := gzip.compress(text, mtime=0))
    with running_server() as running:
        running.script["/text.txt"] = [File(text)]
        running.script["/text.txt.gz"] = [File(packed)]
        running.script["/whole/text.txt"] = [Answer(200, text, {"ETag": '"one"'})]
        yield running


def train(program, corpus, *options):
    """Return the bytes of the vectors file."""
    with program.started("train", corpus, *TRAIN, *options, "--overwrite") as process:
        finish(process)
    return (program.folder / "w2v.safetensors").read_bytes()


def test_a_web_server_gives_the_same_bytes_as_the_disk(w2v, server):
    """Read in parts, by ranges; what is compressed as one, in the shard where it begins."""
    for name in ("text.txt", "text.txt.gz"):
        assert train(w2v, server.url(f"/{name}")) == train(w2v, name)

    ranges = {headers["Range"] for headers in server.requests["/text.txt"] if "Range" in headers}
    assert len(ranges) > 6


def test_what_is_against_a_url_is_told_as_on_one_machine(w2v):
    """A worker's error comes here whole, whatever it came from: exit 5, the address, and who says so."""
    done = w2v.run("train", "http://127.0.0.1:9/x.txt", *TRAIN)

    error = the_error(done, 5)
    assert error.startswith("cannot read http://127.0.0.1:9/x.txt: ")
    assert "(reported by the worker on " in error


def test_a_web_text_that_changes_leaves_the_last_round(w2v, server):
    """Exit 3, with where the last round lies: put back, the text is trained on."""
    url, text = server.url("/text.txt"), (w2v.folder / "text.txt").read_bytes()
    with w2v.started("train", url, *TRAIN, "--epochs", "1000", "--log", "run.jsonl") as process:
        wait_for(lambda: has_trained(w2v.folder, 1), process)
        server.script["/text.txt"] = [File(text, etag='"two"')]
        told = finish(process, exit_code=3)

    assert "text.txt changed while it was read" in told
    assert "w2v.safetensors.snapshot is kept, from epoch 1: --resume continues from it." in told
    server.script["/text.txt"] = [File(text)]
    with w2v.started("train", url, "--resume", "--time-limit", "0.001s") as process:
        assert "Resuming from" in finish(process)


def test_a_server_without_ranges_is_read_as_one(w2v, server):
    """The text is one shard, and the training comes to its end: its vectors are those of one shard on the disk."""
    train(w2v, "text.txt", *ONE_SHARD)
    expected = keyed_vectors.load(w2v.folder / "w2v.safetensors")

    train(w2v, server.url("/whole/text.txt"))

    found = keyed_vectors.load(w2v.folder / "w2v.safetensors")
    assert np.array_equal(found.vectors, expected.vectors)
    assert found.metadata["epoch_losses"] == expected.metadata["epoch_losses"]


def test_a_store_gives_the_same_bytes_as_the_disk(w2v, s3_store):
    """A file of S3 is read in parts, too."""
    environment, system = s3_store
    system.pipe("texts/cluster/text.txt", (w2v.folder / "text.txt").read_bytes())
    expected = train(w2v, "text.txt")

    w2v.environment.update(environment)
    assert train(w2v, "s3://texts/cluster/text.txt") == expected
