"""A corpus as workers see it: what is counted is trained, all of it, in the version that was counted."""

import gzip
import os

import pytest

from fake_cluster import FakeCluster
from http_server import Answer, File, running_server
from w2v_cli.cluster.scan import scan_on
from w2v_cli.config.schema import Config
from w2v_cli.corpus.parts import inspect_file, open_text
from w2v_cli.corpus.sources import Source
from w2v_cli.errors import CorpusError

pytest.importorskip("aiohttp", reason="the extra `remote` is not installed: texts at URLs were NOT read")
TEXT = b"the sea and the ship and the wind\n" * 100


@pytest.fixture
def server():
    """Yield a server without ranges: nobody knows how long a file is that it sends in chunks, or packed."""
    with running_server() as running:
        running.script["/b.txt"] = [Answer(200, TEXT)]
        yield running


def scanned(*places, **cluster):
    config = Config.model_validate(
        {
            "corpus": {"min_count": 1},
            "cluster": {"cluster": "local:2", "shards": 2, "sync_words": 1000} | cluster,
        }
    )
    return scan_on(FakeCluster(), [Source(str(place)) for place in places], config.corpus, config.cluster)


def shards_of(corpus):
    return [shard for of_round in corpus.rounds for shard in of_round.shards]


def read(source):
    with open_text(source) as read_some:
        return b"".join(iter(lambda: read_some(1000), b""))


def test_a_text_whose_size_nobody_knows_is_trained(server, tmp_path):
    """Wherever it stands; and progress counts its bytes."""
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "empty.txt").write_bytes(b"")
    url = server.url("/b.txt")

    for places in ([tmp_path / "a.txt", url], [tmp_path / "empty.txt", url, tmp_path / "a.txt"], [url]):
        corpus = scanned(*places)

        shards = shards_of(corpus)
        assert b"".join(read(source) for shard in shards for source in shard.sources) == TEXT * (len(places) > 1) + TEXT
        assert sum(shard.size_bytes for shard in shards) == corpus.corpus.report.size_bytes
        ends = [of_round.ends_at for of_round in corpus.rounds]
        assert ends == sorted(ends)
        assert ends[-1] == 1


def test_a_compressed_file_that_changes_is_refused(tmp_path):
    """Also between two epochs: it has no parts, but a version."""
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(TEXT))
    (shard, *_) = shards_of(scanned(path))
    path.write_bytes(gzip.compress(TEXT + b"one more\n"))

    with pytest.raises(CorpusError, match=r"x\.txt\.gz changed while it was read"):
        read(shard.sources[0])


def test_a_compressed_file_comes_in_one_answer(server):
    """However small the pieces are in which it is unpacked; a part, in contrast, is asked for by itself."""
    packed = gzip.compress(os.urandom(1_000_000))
    server.script["/c.gz"] = [File(packed)]
    source = Source(server.url("/c.gz"))
    facts, _ = inspect_file(source)
    server.requests.clear()

    assert read(facts.whole(source)) == packed
    assert len(server.requests["/c.gz"]) == 1


@pytest.mark.parametrize("mark", ["ETag", "Last-Modified"])
def test_a_file_of_unknown_size_that_changes_is_refused(server, mark):
    """Its server tells its version."""
    server.script["/b.txt"] = [Answer(200, TEXT, {mark: "one"})]
    (shard, *_) = shards_of(scanned(server.url("/b.txt")))
    server.script["/b.txt"] = [Answer(200, TEXT, {mark: "two"})]

    with pytest.raises(CorpusError, match=r"b\.txt changed while it was read"):
        read(shard.sources[0])
