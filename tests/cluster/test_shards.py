"""Rounds of shards: all of the text, once, in its order, the same on any cluster."""

import gzip

import pytest

from w2v_cli.cluster.shards import plan_rounds, rounds_wanted
from w2v_cli.config.schema import ClusterSettings
from w2v_cli.corpus.parts import FileFacts, inspect_file, open_text
from w2v_cli.corpus.sources import Source


def settings_of(**values):
    return ClusterSettings.model_validate(values)


def in_order(rounds):
    """Return the shards of all rounds in the order of the text."""
    return sorted((shard for one in rounds for shard in one.shards), key=lambda shard: shard.number)


def read(source):
    with open_text(source) as read_some:
        return b"".join(iter(lambda: read_some(1000), b""))


@pytest.mark.parametrize(("shards", "sync_words"), [(1, 1000), (3, 1000), (4, 7000), (64, 1000)])
def test_every_line_is_in_one_shard(tmp_path, shards, sync_words):
    """The shards of all rounds, by their numbers, are the files one after the other."""
    sources = [Source(str(tmp_path / f"{number}.txt")) for number in range(5)]
    texts = [b"".join(b"%d words of file %d\n" % (line, number) for line in range(100 * number)) for number in range(5)]
    for source, text in zip(sources, texts, strict=True):
        (tmp_path / source.place).write_bytes(text)
    files = [(source, inspect_file(source)[0]) for source in sources]

    rounds = plan_rounds(files, 20_000, settings_of(shards=shards, sync_words=sync_words))

    every = in_order(rounds)
    assert b"".join(read(source) for shard in every for source in shard.sources) == b"".join(texts)
    assert len({shard.number for shard in every}) == len(every)
    assert all(len(of_round.shards) <= shards for of_round in rounds)
    ends = [of_round.ends_at for of_round in rounds]
    assert ends == sorted(ends)
    assert ends[-1] == 1


def test_compressed_files_belong_to_the_shard_in_which_they_begin(tmp_path):
    """They are read as one, and each of them once."""
    sources = []
    for number in range(7):
        path = tmp_path / f"{number}.gz"
        path.write_bytes(gzip.compress(b"x" * 100 * number))
        sources.append(Source(str(path)))
    files = [(source, inspect_file(source)[0]) for source in sources]

    rounds = plan_rounds(files, 100_000, settings_of(shards=3, sync_words=1000))

    planned = [source for shard in in_order(rounds) for source in shard.sources]
    assert planned == [facts.whole(source) for source, facts in files]


def test_the_shards_of_a_round_lie_far_apart():
    """A round has one shard of each third of the text, the next round what follows them."""
    facts = FileFacts(1200, (("size", 1200),), has_parts=True)
    rounds = plan_rounds([(Source("a.txt"), facts)], 12_000, settings_of(shards=3, sync_words=1000))

    assert [[shard.number for shard in one.shards] for one in rounds] == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    places = [[shard.sources[0].part.first for shard in one.shards] for one in rounds]
    assert places == [[0, 400, 800], [100, 500, 900], [200, 600, 1000], [300, 700, 1100]]
    assert [one.ends_at for one in rounds] == [0.25, 0.5, 0.75, 1.0]


def test_a_round_may_lack_a_shard():
    """Where a file that is read as one covers the places of other shards, these are left out, and their rounds too."""
    files = [(Source(f"{n}.gz"), FileFacts(600, (("size", 600),), has_parts=False)) for n in range(2)]
    rounds = plan_rounds(files, 12_000, settings_of(shards=3, sync_words=1000))

    assert [[shard.number for shard in one.shards] for one in rounds] == [[0], [6]]
    assert [one.ends_at for one in rounds] == [0.5, 1.0]


def test_an_epoch_has_some_hundred_rounds_unless_the_text_is_large():
    """Small texts need many rounds to learn as much as on one machine; of large ones a shard has a million words."""
    assert rounds_wanted(12_000_000, settings_of(shards=4)) == 100
    assert rounds_wanted(12_000_000, settings_of(shards=4, sync_words=1_000_000)) == 3
    assert rounds_wanted(10**11, settings_of(shards=100)) == 1000
    assert rounds_wanted(10, settings_of()) == 1


def test_labels_say_where_a_shard_lies():
    """Messages name the file and the byte."""
    facts = FileFacts(100, (("size", 100),), has_parts=True)
    rounds = plan_rounds([(Source("a.txt"), facts)], 4000, settings_of(shards=2, sync_words=2000))

    assert [shard.label for shard in rounds[0].shards] == ["a.txt from byte 0", "a.txt from byte 50"]
