"""Texts in a store that speaks S3: a real server on 127.0.0.1, where there is one."""

import pytest

from cli.running import FAST, make_program
from w2v_cli.vectors import keyed_vectors

pytest.importorskip("s3fs", reason="the extra remote is not installed, so S3 is NOT tested")


@pytest.fixture
def w2v(tmp_path):
    """Return the Program."""
    return make_program(tmp_path)


def trained_on(program, *corpus, env=None):
    """Return what the vectors of a training say of its corpus."""
    done = program.run("train", *corpus, *FAST, "--overwrite", env=env)
    assert done.returncode == 0, done.stderr
    return keyed_vectors.load(program.folder / "w2v.safetensors").metadata["corpus"]


@pytest.mark.parametrize("corpus", ["s3://texts/a", "s3://texts/a/*", "s3://texts/big.txt"])
def test_a_store_gives_the_same_corpus_as_the_disk(w2v, s3_store, corpus):
    """A folder, a pattern and a large file of a bucket have the fingerprint of the same files here."""
    environment, system = s3_store
    local = w2v.folder / "local"
    local.mkdir()
    for place in system.glob(corpus) if "*" in corpus else system.find(corpus):
        (local / place.rpartition("/")[2]).write_bytes(system.cat(place))
    here, there = trained_on(w2v, "local"), trained_on(w2v, corpus, env=environment)

    assert here.pop("source") == "local"
    assert there.pop("source") == corpus.rpartition("/")[2]
    assert here == there


def test_what_the_store_refuses_is_told(w2v, s3_store):
    """A key and a bucket that are not there end in exit 5."""
    for url in ("s3://texts/none.txt", "s3://none/x.txt"):
        done = w2v.run("train", url, *FAST, env=s3_store[0])

        assert done.returncode == 5, done.stderr
        assert f"cannot read {url}: " in done.stderr
