"""A text counted in parts is a text counted at once."""

import functools
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from fake_cluster import FakeCluster
from w2v_cli.cluster import scan as scan_module
from w2v_cli.cluster.scan import scan_on
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import STDIN, Source
from w2v_cli.errors import ConfigError, CorpusError

PIECES = ["sea", "Ship", "d'or", " ", "\n", "\n\n", "é", ". ", "\0", "\r\n"]


config_of = functools.partial(factories.config_of, min_count=1)


def scan_with(sources, config):
    return scan_on(FakeCluster(), sources, config.corpus, config.cluster)


def write(folder, texts):
    """Return the sources of some texts."""
    sources = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        sources.append(Source(str(path)))
    return sources


@pytest.mark.parametrize(
    "settings", [{}, {"tokens": "whitespace", "end_of_line": "<eos>"}, {"sentences": "punctuation"}]
)
@given(texts=st.lists(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), min_size=1, max_size=3))
def test_parts_add_up_to_the_whole(tmp_path_factory, settings, texts):
    """Words, counts, and all that is told of a text are those of one pass over it, however it is cut."""
    config, texts = config_of(**settings), [*texts, "the sea and the ship\n" * 3]
    sources = write(tmp_path_factory.mktemp("x"), texts)
    whole = scan_corpus(sources, config.corpus).corpus
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan_module, "PART_BYTES", 16)
        found = scan_with(sources, config).corpus

    assert found.vocabulary.words == whole.vocabulary.words
    assert found.vocabulary.counts.tolist() == whole.vocabulary.counts.tolist()
    assert found.distinct_words == whole.distinct_words
    assert found.report.as_json() == whole.report.as_json() | {"sentences": None}
    assert found.warnings == whole.warnings


def test_the_fingerprint_of_files_in_one_part_is_that_of_one_machine(tmp_path):
    """Only files that are counted in parts have another: that of their parts' fingerprints."""
    sources = write(tmp_path, ["the sea\n" * 9, "", "the ship\n" * 9])
    config = config_of()

    assert scan_with(sources, config).corpus.sha256 == scan_corpus(sources, config.corpus).corpus.sha256


def test_another_text_has_another_fingerprint(tmp_path, monkeypatch):
    """A letter in any part, and the place where a file ends, change it."""
    monkeypatch.setattr(scan_module, "PART_BYTES", 64)
    config, found = config_of(), set()
    for number, texts in enumerate((["the sea\n" * 40], ["the sea\n" * 39 + "the see\n"], ["the sea\n" * 20] * 2)):
        (tmp_path / str(number)).mkdir()
        found.add(scan_with(write(tmp_path / str(number), texts), config).corpus.sha256)

    assert len(found) == 3


def test_rare_words_are_forgotten_where_there_are_too_many(tmp_path, monkeypatch):
    """More than max_vocab different words, in no part of the text alone: the frequent ones stay, the loss is told."""
    monkeypatch.setattr(scan_module, "PART_BYTES", 4096)
    config = config_of(max_vocab=1000, tokens="whitespace")
    lines = [f"the sea w{number}" for number in range(5000)]
    sources = write(tmp_path, ["\n".join(lines) + "\n"])

    corpus = scan_with(sources, config).corpus

    assert corpus.vocabulary.words[:2] == ("sea", "the")
    assert corpus.vocabulary.counts[:2].tolist() == [5000, 5000]
    assert len(corpus.vocabulary) <= 1000
    assert corpus.report.forgotten_words + len(corpus.vocabulary) == 5002
    assert "more than 1,000 different words" in corpus.warnings[0]


def test_what_is_no_text_is_left_out_of_a_folder_and_told(tmp_path):
    """As on one machine: a picture in a folder is named in a warning, one that was named itself is refused."""
    sources = write(tmp_path, ["the sea\n" * 9, b"%PDF-1.7\n"])
    in_folder = [Source(source.place, str(tmp_path)) for source in sources]

    corpus = scan_with(in_folder, config_of()).corpus

    assert corpus.report.other_files == 1
    assert "1.txt is a PDF document" in corpus.warnings[0]
    with pytest.raises(CorpusError, match=r"1\.txt is a PDF document.*\(reported by the worker on "):
        scan_with(sources, config_of())


def test_what_is_packed_and_no_text_is_left_out_too(tmp_path):
    """A compressed picture in a folder is found beforehand: who reads it would take the folder for empty."""
    sources = write(tmp_path, [gzip.compress(b"%PDF-1.7\n"), gzip.compress(b"the sea\n" * 9)])
    in_folder = [Source(source.place, str(tmp_path)) for source in sources]

    corpus = scan_with(in_folder, config_of()).corpus

    assert corpus.vocabulary.words == ("sea", "the")
    assert "0.txt is a PDF document" in corpus.warnings[0]


def test_a_folder_without_text_is_refused(tmp_path):
    """As on one machine."""
    sources = [Source(source.place, str(tmp_path)) for source in write(tmp_path, [b"%PDF-1.7\n"])]

    with pytest.raises(CorpusError, match="holds no text"):
        scan_with(sources, config_of())


def test_web_pages_are_told(tmp_path):
    """The beginning of a file is looked at once, not that of each part."""
    sources = write(tmp_path, ["<!DOCTYPE html>\n" + "the sea\n" * 9])

    assert "looks like a web page" in scan_with(sources, config_of()).corpus.warnings[0]


def test_stdin_is_refused():
    """Workers cannot read it."""
    with pytest.raises(ConfigError, match="cannot read stdin"):
        scan_with([Source(STDIN)], config_of())


def test_a_missing_text_names_the_worker(tmp_path):
    """Not every machine may see the text."""
    with pytest.raises(CorpusError, match=r"No such file.*\(reported by the worker on "):
        scan_with([Source(str(tmp_path / "none.txt"))], config_of())


def test_words_are_found_again_by_their_ids(tmp_path):
    """What a worker encodes with the vocabulary is what one machine encodes."""
    from w2v_cli.cluster.tasks import PackedVocabulary  # noqa: PLC0415
    from w2v_cli.corpus.scan import encode_sources  # noqa: PLC0415

    config = config_of(min_count=2)
    sources = write(tmp_path, ["the sea and the ship\nand é the sea é\nonce\n"])
    corpus, text = scan_corpus(sources, config.corpus)

    found = encode_sources(sources, config.corpus, PackedVocabulary.of(corpus.vocabulary).table)

    assert np.array_equal(found.word_ids, text.word_ids)
    assert np.array_equal(found.sentence_offsets, text.sentence_offsets)
